"""Wires the learner: settings, what it makes of a partition number, and the registry beside it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from functools import partial

from services.learner.snapshots import Snapshots
from services.worker import WorkerService, run_service, set_up_process, worker_config
from streamgauge.configurations.redis_book import RedisBook
from streamgauge.exposition.http import PortInUse
from streamgauge.learning.partition_learner import SOURCES, PartitionLearner
from streamgauge.settings import Settings, SettingsError, load_settings
from streamgauge.streaming import WorkerError

SERVICE = "learner"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the learner until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.learner",
        description="Reads predictions, labels and alarms from Kafka, lets the challengers of each"
        " model's spec learn from them, compares them with what the model's service answers, and"
        " keeps what they learned in the registry.",
        epilog="It needs STREAMGAUGE_STATE__KEY: models are signed with it. Other settings come"
        " from STREAMGAUGE_* variables, .env, or the file given here.",
    )
    parser.add_argument("--config", help="settings file (YAML)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(config=options.config)
        if settings.state.key is None or not settings.state.key.get_secret_value():
            raise WorkerError(
                "set STREAMGAUGE_STATE__KEY (any long secret, the same for all services): models"
                " are code, and none is loaded that was not signed with it"
            )
        set_up_process(settings)
        asyncio.run(run_service(settings, _service(settings)))
    except (SettingsError, PortInUse, WorkerError) as error:
        print(f"learner: {error}", file=sys.stderr)
        return 1
    return 0


def _service(settings: Settings) -> WorkerService:
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
    snapshots = partial(_snapshots, settings)
    return WorkerService(SERVICE, settings.learner, config, processor, (snapshots,))


async def _snapshots(settings: Settings) -> None:
    await Snapshots(settings, group=settings.learner.group).follow()


if __name__ == "__main__":
    sys.exit(main())
