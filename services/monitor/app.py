"""Wires the monitor: settings, and what it makes of a partition number."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.worker import WorkerService, run_service, set_up_process, worker_config
from streamgauge.configurations.redis_book import RedisBook
from streamgauge.exposition.http import PortInUse
from streamgauge.monitor import PartitionMonitor
from streamgauge.settings import Settings, SettingsError, load_settings
from streamgauge.streaming import WorkerConfig, WorkerError

SERVICE = "monitor"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the monitor until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.monitor",
        description="Reads predictions, labels, feedback and model events from Kafka, judges every"
        " model against its reference, and publishes alarms.",
        epilog="Settings come from STREAMGAUGE_* variables (STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS,"
        " STREAMGAUGE_REDIS__URL, …), .env, or the file given here.",
    )
    parser.add_argument("--config", help="settings file (YAML)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(config=options.config)
        set_up_process(settings)
        asyncio.run(run_service(settings, _service(settings)))
    except (SettingsError, PortInUse, WorkerError) as error:
        print(f"monitor: {error}", file=sys.stderr)
        return 1
    return 0


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
