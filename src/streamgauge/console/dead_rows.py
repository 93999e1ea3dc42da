"""The last dead letters, as a screen lists them. What they hold is read from Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streamgauge.console.names import key_of, said, shown
from streamgauge.console.scene import Document
from streamgauge.state.keys import model_id
from streamgauge.state.views import DeadSampleView, ModelView, PartitionView

#: Of each reason, of all partitions together.
MOST_OF_A_REASON = 5


def dead_rows(views: Iterable[PartitionView], models: Sequence[ModelView]) -> list[Document]:
    """The newest of each reason, newest first."""
    by_reason: dict[str, list[DeadSampleView]] = {}
    for view in views:
        for reason, samples in view.dead_samples.items():
            by_reason.setdefault(reason, []).extend(samples)
    if not by_reason:
        return []
    names = {model_id(view.model): view.model for view in models}
    found = [
        (reason, sample)
        for reason, samples in by_reason.items()
        for sample in sorted(samples, key=_age)[:MOST_OF_A_REASON]
    ]
    found.sort(key=lambda pair: _age(pair[1]))
    return [_row(reason, sample, names.get(sample.model_id)) for reason, sample in found]


def _age(sample: DeadSampleView) -> tuple[float, int]:
    return -(sample.timestamp or 0.0), -sample.offset


def _row(reason: str, sample: DeadSampleView, model: str | None) -> Document:
    return {
        "reason": shown(reason),
        "topic": shown(sample.topic),
        "partition": sample.partition,
        "offset": sample.offset,
        "at": sample.timestamp,
        "key": None if model is None else key_of(model),
        "name": None if model is None else shown(model),
        "bytes": sample.bytes,
        "error": said(sample.error),
        "trace": None if sample.trace_id is None else shown(sample.trace_id),
    }
