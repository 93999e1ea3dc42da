"""The pipeline's own numbers from the views of partitions, and about reading them."""

from __future__ import annotations

from streamgauge.exposition.sheet import Sheet
from streamgauge.exposition.source import Reading
from streamgauge.state.reader import Snapshot
from streamgauge.state.views import PartitionView
from streamgauge.telemetry import pipeline

#: Shown from the start: a rate needs the 0 before the first one.
REASONS = ("decode", "schema", "too_large", "future", "handler")


def conservation_difference(view: PartitionView) -> int:
    """Positions advanced less everything that became of the records. 0 unless one went astray."""
    advanced = sum(
        position - view.first_positions.get(topic, position)
        for topic, position in view.positions.items()
    )
    return advanced - sum(view.counts.values()) - view.lost - view.holes


def put_source(sheet: Sheet, reading: Reading, *, now: float) -> None:
    """Whether the views can be read at all."""
    sheet.gauge(pipeline.REDIS_UP, float(reading.up))
    sheet.gauge(pipeline.VIEWS_AGE, reading.age(now))
    snapshot = reading.snapshot
    skipped = snapshot.skipped if snapshot else {}
    for reason in ("malformed", "version"):
        sheet.count(pipeline.VIEWS_SKIPPED, skipped.get(reason, 0), reason=reason)
    if snapshot is not None:
        sheet.gauge(pipeline.VIEWS, len(snapshot.models), about="model")
        sheet.gauge(pipeline.VIEWS, len(snapshot.partitions), about="partition")


def put_partitions(sheet: Sheet, snapshot: Snapshot, *, service: str, now: float) -> None:
    """Flow and durability. Counts are added up over partitions, the rest is per partition."""
    for process in snapshot.processes:
        sheet.gauge(pipeline.PROCESS_UP, 1, service=process.service, process=process.instance)
    for reason in REASONS:
        sheet.count(pipeline.DEAD_LETTERS, 0, service=service, reason=reason)
    _put_traces(sheet, snapshot, service=service)
    for group, view in snapshot.partitions:
        for what, n in view.counts.items():
            kind, _, outcome = what.partition("/")
            sheet.count(pipeline.EVENTS_PROCESSED, n, service=service, kind=kind, outcome=outcome)
        for reason, n in view.dead.items():
            sheet.count(pipeline.DEAD_LETTERS, n, service=service, reason=reason)
        labels = {"group": group, "partition": str(view.partition)}
        sheet.count(pipeline.OFFSETS_LOST, view.lost, **labels)
        sheet.count(pipeline.OFFSET_HOLES, view.holes, **labels)
        sheet.gauge(pipeline.CONSERVATION, conservation_difference(view), **labels)
        for topic, position in view.positions.items():
            sheet.gauge(pipeline.POSITION, position, **labels, topic=topic)
        if view.log_time is not None:
            sheet.gauge(pipeline.WATERMARK_DELAY, max(0.0, now - view.log_time), **labels)
        sheet.gauge(pipeline.CHECKPOINT_TIMESTAMP, view.written_at, **labels)
        sheet.count(pipeline.CHECKPOINTS_WRITTEN, view.checkpoint, **labels)
        for name, definition in pipeline.GAUGES.items():
            sheet.gauge(definition, view.gauges.get(name), **labels)


def _put_traces(sheet: Sheet, snapshot: Snapshot, *, service: str) -> None:
    """The newest dead letter of each reason that came with a trace."""
    newest: dict[str, tuple[float, str]] = {}
    for _, view in snapshot.partitions:
        for reason, samples in view.dead_samples.items():
            for sample in samples:
                if sample.trace_id is not None and sample.timestamp is not None:
                    found = (sample.timestamp, sample.trace_id)
                    newest[reason] = max(found, newest.get(reason, found))
    for reason, (at, trace) in newest.items():
        sheet.exemplify(pipeline.DEAD_LETTERS, trace, at=at, service=service, reason=reason)
