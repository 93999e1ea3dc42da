"""The monitor's logic in process, without Kafka, Redis and checkpoints: chunks of 5,000."""

from __future__ import annotations

import orjson

from load_tests.monitor_rate import Book
from load_tests.standard_job import job, log, spec
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord


def main() -> None:
    args, watch = job.arguments(), job.Stopwatch()
    profile = log.profile([orjson.loads(value) for value in job.reference(args.directory)])
    monitor = PartitionMonitor(0, book=Book(spec.document(), profile))
    offset, begin = 0, 0.0
    for chunk in job.chunks(args.directory, args.events):
        begin = begin or orjson.loads(chunk[0])["timestamp"]
        records = [record(offset + i, begin, value) for i, value in enumerate(chunk)]
        with watch:
            effects = monitor.process(records)
        if effects.dead_letters:
            raise SystemExit(f"the log is wrong: {effects.dead_letters[0].error}")
        offset += len(chunk)
    watch.tell(args.events)


def record(offset: int, begin: float, value: bytes, model: str = job.MODEL) -> LogRecord:
    """An event as it lies in the log, recorded when it happened."""
    at = begin + offset / job.RATE
    return LogRecord(
        "streamgauge.predictions", 0, offset, at, model.encode(), log.headers(offset, at), value
    )


if __name__ == "__main__":
    main()
