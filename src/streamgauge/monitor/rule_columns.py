"""What rules see of an event beside its features: its output, its latency, where it came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from streamgauge.batch.columns import ABSENT, CATEGORY, NULL, NUMBER, Column, EventBatch
from streamgauge.specs.grammar import SEGMENT


def rule_columns(
    batch: EventBatch, features: Mapping[str, Column], names: Collection[str]
) -> dict[str, Column]:
    """Columns for ``CompiledRule.evaluate``, of a batch of n events.

    ``names`` are those that any of the rules needs; a feature that is not there is left out, which
    is how a rule sees that it is missing. ``features`` are the batch's columns by name.
    """
    columns = {name: features[name] for name in names if name in features}
    for name in names:
        if name.startswith(SEGMENT):
            segment = name.removeprefix(SEGMENT)
            columns[name] = _words([each.get(segment) for each in batch.segment])
        elif name.startswith("@"):
            columns[name] = _field(batch, name)
    return columns


def _field(batch: EventBatch, name: str) -> Column:
    if name == "@label":
        return _words(batch.label)
    if name == "@version":
        return _words(batch.version)
    if name == "@step":
        return _words([step or None for step in batch.step])
    if name == "@latency_ms":
        # Seconds times a thousand would not always give back what was sent.
        milliseconds = np.round(batch.latency_seconds * 1000.0, 6)
        return _numbers(milliseconds)
    if name == "@score":
        return _numbers(batch.score)
    return _output(batch)


def _output(batch: EventBatch) -> Column:
    """The class where there is one, else the number."""
    labels, numbers = _words(batch.label), _numbers(batch.score)
    kind = np.where(labels.kind == CATEGORY, labels.kind, numbers.kind)
    kind[batch.null_output] = NULL
    return Column(kind, np.where(kind == NUMBER, batch.score, np.nan), labels.categories)


def _numbers(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Column:
    return Column(np.where(np.isnan(values), ABSENT, NUMBER).astype(np.int8), values)


def _words(values: Sequence[str | None]) -> Column:
    kinds = [ABSENT if value is None else CATEGORY for value in values]
    return Column(np.array(kinds, dtype=np.int8), np.full(len(kinds), np.nan), list(values))
