"""Wires the monitor: settings, and what it makes of a partition number."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker import WorkerService, run_main, worker_config
from streamgauge.configurations.redis_book import RedisBook
from streamgauge.monitor import PartitionMonitor
from streamgauge.settings import Settings
from streamgauge.streaming import WorkerConfig

SERVICE = "monitor"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the monitor until SIGTERM or SIGINT; return the exit code."""
    return run_main(
        SERVICE,
        _service,
        arguments,
        description="Reads predictions, labels, feedback and model events from Kafka, judges every"
        " model against its reference, and publishes alarms.",
        epilog="Settings come from STREAMGAUGE_* variables (STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS,"
        " STREAMGAUGE_REDIS__URL, …), .env, or the file given here.",
    )


def _service(settings: Settings) -> WorkerService:
    prefix = settings.kafka.topic_prefix

    def processor(number: int, book: RedisBook, key: bytes) -> PartitionMonitor:
        return PartitionMonitor(number, book=book, key=key, prefix=prefix)

    return WorkerService(SERVICE, settings.monitor, _worker_config(settings), processor)


def _worker_config(settings: Settings) -> WorkerConfig:
    own = settings.monitor
    return worker_config(
        settings,
        group=own.group,
        service=SERVICE,
        instance_id=own.instance,
        max_invalid_ratio=own.max_invalid_ratio,
        max_consecutive_invalid=own.max_consecutive_invalid,
        stop_on_invalid=own.stop_on_invalid,
    )
