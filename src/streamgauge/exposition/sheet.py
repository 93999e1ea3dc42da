"""One exposition being written: no series twice, none beyond the cap, none that is no number."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from streamgauge.exposition.labels import OTHER, label_value
from streamgauge.exposition.overflow import Overflow, SeriesKey
from streamgauge.telemetry import PREFIX, Definition
from streamgauge.telemetry.traces import TRACE_LABEL

#: Labels that become ``_other`` where a counter has no series of its own.
FOLDED = frozenset({"model", "version", "step"})


class Sheet:
    """Collects samples in order of importance and yields them as families.

    Counters of equal labels add up and, beyond the limit, fall into ``_other``; gauges beyond it
    are left out, because a sum of gauges means nothing. ``dropped`` says how many, by reason.
    """

    def __init__(self, overflow: Overflow, *, limit: int) -> None:
        self.dropped: Counter[str] = Counter()
        self.series = 0
        self._limit = limit
        self._overflow = overflow
        self._values: dict[SeriesKey, float] = {}
        self._hidden: dict[SeriesKey, float] = {}
        self._exemplars: dict[SeriesKey, Exemplar] = {}
        self._histograms: dict[SeriesKey, tuple[Sequence[tuple[float, float]], float]] = {}

    def count(self, definition: Definition, value: float, /, **labels: str) -> None:
        """Put or raise a counter."""
        key = _key(definition, labels)
        if not self._sound(value) or value < 0:
            return
        if key in self._values:
            self._values[key] += value
        elif self._has_room(1):
            self._values[key] = value
        else:
            self._hide(key, value, "cap")

    def exemplify(
        self, definition: Definition, trace: str, *, at: float | None, **labels: str
    ) -> None:
        """Show one case of what a counter counts: its trace, and when it was."""
        self._exemplars[_key(definition, labels)] = Exemplar({TRACE_LABEL: trace}, 1.0, at)

    def hide(self, definition: Definition, value: float, *, reason: str, **labels: str) -> None:
        """Add a counter to ``_other``, because its labels shall not be shown."""
        if self._sound(value) and value >= 0:
            self._hide(_key(definition, labels), value, reason)

    def gauge(self, definition: Definition, value: float | None, /, **labels: str) -> None:
        """Put a gauge; None puts nothing."""
        if value is None or not self._sound(value):
            return
        key = _key(definition, labels)
        if key in self._values or self._has_room(1):
            self._values[key] = value
        else:
            self.dropped["cap"] += 1

    def states(
        self, definition: Definition, state: str, among: Sequence[str], **labels: str
    ) -> None:
        """Put one series for each state: 1 for the one that holds, 0 for the others."""
        base = _key(definition, labels)[1]
        keys = [(definition, (*base, each)) for each in among]
        new = sum(key not in self._values for key in keys)
        # All or none: a state that is shown without the others would be misread.
        if not self._has_room(new):
            self.dropped["cap"] += new
            return
        for key, each in zip(keys, among, strict=True):
            self._values[key] = float(each == state)

    def histogram(
        self,
        definition: Definition,
        buckets: Mapping[float, float],
        total: float,
        **labels: str,
    ) -> None:
        """Put a histogram: cumulative counts by upper bound, ``inf`` among them."""
        ordered = sorted(buckets.items())
        if not ordered or ordered[-1][0] != math.inf or not self._sound(total):
            return
        if not self._has_room(len(ordered) + 2):
            self.dropped["cap"] += len(ordered) + 2
            return
        self._histograms[_key(definition, labels)] = (ordered, total)

    def families(self) -> Iterator[Metric]:
        """All that was put, and what ``_other`` has of the rest."""
        for key, value in self._values.items():
            if key[0].kind == "counter":
                self._overflow.shown(key, value)
        for key, value in self._hidden.items():
            self._overflow.hidden(key, value, other=_folded(key))
        for key, value in self._overflow.totals():
            self._values[key] = self._values.get(key, 0.0) + value
        made: dict[Definition, Metric] = {}
        for key, value in self._values.items():
            definition, labels = key
            family = made.get(definition) or made.setdefault(definition, _family(definition))
            if isinstance(family, CounterMetricFamily):
                family.add_metric(labels, value, exemplar=self._exemplars.get(key))
            else:
                assert isinstance(family, GaugeMetricFamily)
                family.add_metric(labels, value)
        for (definition, labels), (buckets, total) in self._histograms.items():
            family = made.get(definition) or made.setdefault(definition, _family(definition))
            assert isinstance(family, HistogramMetricFamily)
            bounds = [(_le(bound), count) for bound, count in buckets]
            family.add_metric(labels, bounds, total)
        yield from made.values()

    def _hide(self, key: SeriesKey, value: float, reason: str) -> None:
        self._hidden[key] = self._hidden.get(key, 0.0) + value
        self.dropped[reason] += 1

    def _has_room(self, n: int) -> bool:
        if self.series + n > self._limit:
            return False
        self.series += n
        return True

    def _sound(self, value: float) -> bool:
        if math.isfinite(value):
            return True
        self.dropped["nonfinite"] += 1
        return False


def _le(bound: float) -> str:
    return "+Inf" if bound == math.inf else repr(bound)


def _key(definition: Definition, labels: Mapping[str, str]) -> SeriesKey:
    return definition, tuple(label_value(labels[name]) for name in definition.labels)


def _folded(key: SeriesKey) -> SeriesKey:
    definition, values = key
    pairs = zip(definition.labels, values, strict=True)
    return definition, tuple(OTHER if name in FOLDED else value for name, value in pairs)


def _family(definition: Definition) -> Metric:
    name = f"{PREFIX}_{definition.name}"
    if definition.kind == "counter":
        return CounterMetricFamily(name, definition.help, labels=definition.labels)
    if definition.kind == "histogram":
        return HistogramMetricFamily(
            name, definition.help, labels=definition.labels, unit=definition.unit
        )
    labels = (*definition.labels, "state") if definition.kind == "states" else definition.labels
    return GaugeMetricFamily(name, definition.help, labels=labels, unit=definition.unit)
