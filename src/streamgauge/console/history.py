"""The last hour of every model, in ring buffers: what the views alone do not remember."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streamgauge.console.ring import RING_BYTES, Ring, Values

#: One point for so long.
STEP_SECONDS = 10.0
#: A clock that is set back by more points than these begins a history anew. Else it would stand
#: still until the clock has caught up.
BACK_SLOTS = 30
#: Features of a model that have a line of their own, the worst ones.
MOST_FEATURES = 30
#: Versions of a model of which it is known when they appeared, and those whose traffic is.
MOST_VERSIONS, MOST_TRAFFIC = 50, 8
#: What is remembered of a model beside the severities of its features.
LINES = (
    "rate",
    "errors",
    "p95",
    "severity",
    "performance",
    "performance_low",
    "performance_high",
    "labelled",
)
MODEL_BYTES = RING_BYTES * (len(LINES) + MOST_FEATURES + MOST_TRAFFIC)
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of a model at one moment. None where there is nothing to say.

    ``versions`` are its predictions a second by version.
    """

    model: str
    lines: Mapping[str, float | None]
    features: Mapping[str, float]
    versions: Mapping[str, float] = field(default_factory=dict)


class History:
    """Remembers points of models, for an hour and within bounds of memory.

    Any thread may read while one notes: a list that is half a step old is no harm.

    Parameters
    ----------
    max_bytes
        Of all rings. A model that no longer fits has no history until another one goes.
    """

    def __init__(self, *, max_bytes: int = MOST_BYTES) -> None:
        self._most = max(1, max_bytes // MODEL_BYTES)
        self._models: dict[str, _Model] = {}
        self._records = Ring()
        self._slot = -1
        self._before: tuple[float, int] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all rings, of the pipeline's too."""
        return RING_BYTES + sum(model.nbytes for model in self._models.values())

    def note(self, points: Sequence[Point], *, at: float, records: int = 0) -> None:
        """Take one look at all models. Later looks of the same ten seconds take its place.

        ``records`` are those taken from the log since the first; the rate follows from them.
        """
        slot = int(at // STEP_SECONDS)
        if self._slot - BACK_SLOTS <= slot < self._slot:
            return
        if slot < self._slot:
            # What was noted is of no time that there was.
            self._models, self._records, self._before, self._slot = {}, Ring(), None, -1
        first = self._slot < 0
        for gone in self._models.keys() - {point.model for point in points}:
            del self._models[gone]
        for point in points:
            known = self._models.get(point.model)
            if known is None:
                if len(self._models) >= self._most:
                    continue
                known = self._models[point.model] = _Model(slot)
                # Who starts the exporter sees versions that have been there for long.
                known.appear(point.versions, at=None if first else at)
            known.appear(point.versions, at=at)
            known.note(point, slot)
        self._note_records(records, slot, at)
        self._slot = slot

    def line(self, model: str, name: str) -> Values:
        """A line of ``LINES``, the oldest value first, without what lies before the first one."""
        known = self._models.get(model)
        return [] if known is None else known.lines[name].values(self._slot)

    def features(self, model: str) -> dict[str, Values]:
        """Severities by feature, in no order."""
        known = self._models.get(model)
        if known is None:
            return {}
        return {name: ring.values(self._slot) for name, ring in [*known.features.items()]}

    def traffic(self, model: str) -> dict[str, Values]:
        """Predictions a second by version, those first that came first."""
        known = self._models.get(model)
        if known is None:
            return {}
        return {version: ring.values(self._slot) for version, ring in [*known.traffic.items()]}

    def appeared(self, model: str) -> dict[str, float | None]:
        """When each version was first seen; None: it was there before this process looked."""
        known = self._models.get(model)
        return {} if known is None else dict(known.versions)

    def records(self) -> Values:
        """Records a second that the monitors took from the log."""
        return self._records.values(self._slot)

    @property
    def end(self) -> float | None:
        """The time at which all lines end; None before the first point."""
        return None if self._slot < 0 else (self._slot + 1) * STEP_SECONDS

    def _note_records(self, records: int, slot: int, at: float) -> None:
        if self._before is None or records < self._before[1]:
            self._before = (at, records)
        elif slot > self._slot:
            began, count = self._before
            if at > began:
                self._records.put(slot, (records - count) / (at - began))
            self._before = (at, records)


class _Model:
    __slots__ = ("features", "lines", "slot", "traffic", "versions")

    def __init__(self, slot: int) -> None:
        self.lines = {name: Ring() for name in LINES}
        self.features: dict[str, Ring] = {}
        self.traffic: dict[str, Ring] = {}
        self.versions: dict[str, float | None] = {}
        self.slot = slot

    @property
    def nbytes(self) -> int:
        return RING_BYTES * (len(self.lines) + len(self.features) + len(self.traffic))

    def appear(self, versions: Iterable[str], *, at: float | None) -> None:
        for version in versions:
            if version not in self.versions and len(self.versions) < MOST_VERSIONS:
                self.versions[version] = at

    def note(self, point: Point, slot: int) -> None:
        for name, ring in self.lines.items():
            ring.put(slot, _finite(point.lines.get(name)))
        for name, severity in point.features.items():
            if name in self.features:
                self.features[name].put(slot, _finite(severity))
        self._admit(point.features, slot)
        self._follow(point.versions, slot)

    def _follow(self, rates: Mapping[str, float], slot: int) -> None:
        """Note each version's traffic; one that sends takes the place of one that is silent."""
        for version, rate in rates.items():
            if rate and version not in self.traffic:
                if len(self.traffic) >= MOST_TRAFFIC:
                    silent = [each for each in self.traffic if not rates.get(each)]
                    if not silent:
                        continue
                    del self.traffic[silent[0]]
                self.traffic[version] = Ring()
            if version in self.traffic:
                self.traffic[version].put(slot, _finite(rate))

    def _admit(self, features: Mapping[str, float], slot: int) -> None:
        """Give lines to those that have none: while there is room, then for worse ones."""
        waiting = sorted(
            ((severity, name) for name, severity in features.items() if name not in self.features),
            reverse=True,
        )
        for severity, name in waiting:
            if len(self.features) >= MOST_FEATURES:
                if severity <= 1.0:
                    return
                mildest = min(self.features, key=lambda each: self.features[each].recent())
                if self.features[mildest].recent() >= severity:
                    return
                del self.features[mildest]
            self.features[name] = Ring()
            self.features[name].put(slot, _finite(severity))


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan
