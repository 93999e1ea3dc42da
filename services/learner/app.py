"""Wires the learner: settings, what it makes of a partition number, and the registry beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from services.learner import audits
from services.learner.snapshots import Snapshots
from services.worker import WorkerService, run_main, worker_config
from streamgauge.configurations.redis_book import RedisBook
from streamgauge.learning.partition_learner import SOURCES, PartitionLearner
from streamgauge.settings import Settings
from streamgauge.streaming import WorkerError, WorkerTelemetry

SERVICE = "learner"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the learner until SIGTERM or SIGINT; return the exit code."""
    return run_main(
        SERVICE,
        _service,
        arguments,
        description="Reads predictions, labels and alarms from Kafka, lets the challengers of each"
        " model's spec learn from them, compares them with what the model's service answers, and"
        " keeps what they learned in the registry.",
        epilog="It needs STREAMGAUGE_STATE__KEY: models are signed with it. Other settings come"
        " from STREAMGAUGE_* variables, .env, or the file given here.",
    )


def _service(settings: Settings) -> WorkerService:
    """Raises ``WorkerError`` where no key is set."""
    if settings.state.key is None or not settings.state.key.get_secret_value():
        raise WorkerError(
            "set STREAMGAUGE_STATE__KEY (any long secret, the same for all services; `openssl rand"
            " -hex 32` makes one), or STREAMGAUGE_STATE__KEY_FILE to a file that holds it: models"
            " are code, and none is loaded that was not signed with it"
        )
    prefix = settings.kafka.topic_prefix

    def processor(number: int, book: RedisBook, key: bytes) -> PartitionLearner:
        return PartitionLearner(number, book=book, key=key, prefix=prefix)

    config = worker_config(
        settings,
        group=settings.learner.group,
        service=SERVICE,
        instance_id=settings.learner.instance,
        sources=SOURCES,
        dead_letters=False,
        # Labels that a slow fetch holds back must not be overtaken by minutes of predictions that
        # expire meanwhile: what is learned would hang on how fast two topics are read.
        merge_patience_seconds=30.0,
    )
    beside = (partial(_snapshots, settings), partial(audits.follow, settings))
    return WorkerService(SERVICE, settings.learner, config, processor, beside)


async def _snapshots(settings: Settings, telemetry: WorkerTelemetry) -> None:
    await Snapshots(settings, group=settings.learner.group).follow()
