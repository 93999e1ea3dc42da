"""The steps and versions of one model that are monitored. Places are few; log order gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, rows_by_name
from streamgauge.metrics.traffic import Traffic
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.feature_budget import FeatureBudget
from streamgauge.monitor.series import Series
from streamgauge.monitor.step import MOST_STEPS, Step

#: Versions (of all steps together) that are monitored at once; a pod's name for one ends here.
MOST_VERSIONS = 20
#: A version that is silent for so many of the shortest windows makes room for another.
PAUSE_WINDOWS = 3


class Catalogue:
    """Who is monitored, and the totals of who is not.

    Parameters
    ----------
    configuration
        The model's.
    budget
        Features that the models of the partition may have together.
    """

    def __init__(self, configuration: Configuration, budget: FeatureBudget) -> None:
        self.configuration = configuration
        self._budget = budget
        self.steps: dict[str, Step] = {}
        #: By version and step.
        self.series: dict[tuple[str, str], Series] = {}
        #: Predictions of versions and steps beyond the catalogue: counted, not judged.
        self.unmonitored = 0
        #: Totals of these, and of versions that made room for others.
        self.others = Traffic()
        #: Whether a version is gone of whose slow state something was not written, or still is.
        self._slow_lost = False

    def configure(self, configuration: Configuration) -> None:
        """Go by another version of the spec from here on."""
        self.configuration = configuration
        changed = {}
        for name, step in self.steps.items():
            newest = self._newest(name)
            changed[name] = step.configure(
                configuration,
                last=newest.last.counts.targets if newest is not None else {},
                end=newest.last.end if newest is not None else None,
            )
        for (_, step_name), series in self.series.items():
            series.configure(configuration, changed[step_name])

    def _newest(self, step: str) -> Series | None:
        """The series of a step whose last window holds most: what the present is."""
        judged = [
            series
            for (_, name), series in self.series.items()
            if name == step and series.last.end is not None
        ]
        return max(judged, key=lambda each: (each.last.counts.n, each.version), default=None)

    def knows(self, batch: EventBatch) -> bool:
        """Whether counting single events of one step would make nothing that others compete for."""
        keys = set(zip(batch.version, batch.step, strict=True))
        if not keys <= self.series.keys():
            return False
        steps = {step for _, step in keys}
        return len(steps) == 1 and self.steps[steps.pop()].knows(batch.features)

    def count(self, batch: EventBatch, panes: NDArray[np.int64], *, closed: float) -> None:
        """Count events in log order, ``panes`` (n,) theirs, and give places to what is new.

        ``closed`` is the event time up to which panes are closed, in seconds.
        """
        self._claim(batch, closed)
        for name, rows in rows_by_name(batch.step):
            whole = len(rows) == len(batch)
            part = batch if whole else batch.take(rows)
            step = self.steps.get(name)
            if step is None:
                self._count_only(part.status, part.latency_seconds, part.weight)
                continue
            placed = step.place(part)
            for version, members in rows_by_name(part.version):
                series = self.series.get((version, name))
                if series is None:
                    self._count_only(
                        part.status[members], part.latency_seconds[members], part.weight[members]
                    )
                else:
                    series.count(part, members, panes if whole else panes[rows], placed)

    def _claim(self, batch: EventBatch, closed: float) -> None:
        keys = list(zip(batch.version, batch.step, strict=True))
        if keys.count(keys[0]) == len(keys):
            first = {keys[0]: 0}
        else:
            # Written from the end, so that the first row of each key stays.
            first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
        for key, row in sorted(first.items(), key=lambda item: item[1]):
            series = self.series.get(key)
            if series is not None:
                series.last_seen = max(series.last_seen, float(batch.timestamp[row]))
                continue
            version, name = key
            if name not in self.steps:
                if len(self.steps) >= MOST_STEPS:
                    continue
                self.steps[name] = Step(name, self.configuration, self._budget)
            if len(self.series) >= MOST_VERSIONS:
                self._make_room(closed)
            if len(self.series) < MOST_VERSIONS:
                made = Series(version, self.steps[name], self.configuration)
                made.last_seen = float(batch.timestamp[row])
                if self.configuration.spec.watch.releases:
                    before = zip(keys[:row], batch.timestamp[:row].tolist(), strict=True)
                    made.rival = self.spoke_last(name, before)
                if made.rival is not None:
                    made.inherit(made.rival)
                self.series[key] = made

    def _make_room(self, closed: float) -> None:
        """Drop the version that is silent for longest, unless it may only pause."""
        key = min(self.series, key=lambda key: (self.series[key].last_seen, key))
        oldest = self.series[key]
        if oldest.last_seen < closed - self.patience:
            self.others.merge(oldest.totals)
            self._slow_lost |= oldest.slow_changed or bool(oldest.slow_state())
            del self.series[key]
            for series in self.series.values():
                if series.rival is oldest:
                    series.rival = None

    @property
    def patience(self) -> float:
        """Seconds of silence after which a version does not only pause."""
        return PAUSE_WINDOWS * self.configuration.window.min_duration

    def _count_only(
        self,
        statuses: NDArray[np.int8],
        latency: NDArray[np.float64],
        weights: NDArray[np.int64],
    ) -> None:
        self.unmonitored += len(statuses)
        self.others.update(statuses, latency, weights)

    def spoke_last(
        self, step: str, before: Iterable[tuple[tuple[str, str], float]] = ()
    ) -> Series | None:
        """The version of a step that spoke last, which a new one is held against.

        ``before`` are the keys and event times of a batch's events that were not counted yet.
        """
        seen = {key: series.last_seen for key, series in self.series.items() if key[1] == step}
        for key, timestamp in before:
            if key in seen:
                seen[key] = max(seen[key], timestamp)
        newest = max(seen, key=lambda key: (seen[key], key), default=None)
        return self.series[newest] if newest is not None else None

    def part_with_rival(self, series: Series) -> None:
        """A version that has a reference of its own needs no other that is gone."""
        rival = series.rival
        if rival is None or any(series.outputs[n].reference is None for n in series.compared):
            return
        if rival.last_seen < series.last_seen - self.patience:
            series.rival = None

    def due(self, tick: int) -> list[tuple[int, tuple[str, str]]]:
        """Panes that are to be closed by ``tick``, and whose they are, in order of time."""
        return sorted(
            (pane, key)
            for key, series in self.series.items()
            for pane in series.panes
            if pane <= tick
        )

    def state(self) -> list[Any]:
        """Steps, series and totals as plain values."""
        return [
            [[name, step.state()] for name, step in self.steps.items()],
            [[*key, series.state()] for key, series in self.series.items()],
            [self.unmonitored, self.others.state()],
        ]

    @property
    def slow_changed(self) -> bool:
        """Whether the slow part of the state is to be written."""
        return self._slow_lost or any(series.slow_changed for series in self.series.values())

    def slow_state(self) -> list[Any]:
        """The part that changes by the hour; whoever asks writes it, so it is unchanged now."""
        self._slow_lost = False
        for series in self.series.values():
            series.slow_changed = False
        of_steps = {name: step.slow_state() for name, step in self.steps.items()}
        of_series = [[*key, series.slow_state()] for key, series in self.series.items()]
        return [
            {name: slow for name, slow in of_steps.items() if slow},
            [each for each in of_series if each[-1]],
        ]

    def restore(self, state: list[Any], slow: list[Any] | None) -> None:
        """Become what ``state`` and the last ``slow_state`` described."""
        steps, every_series, others = state
        of_steps: Mapping[str, Any] = slow[0] if slow else {}
        of_series = {(v, s): each for v, s, each in slow[1]} if slow else {}
        self.steps = {
            name: Step.from_state(
                name, self.configuration, self._budget, each, of_steps.get(name, {})
            )
            for name, each in steps
        }
        self.series = {
            (version, step): Series.from_state(
                version,
                self.steps[step],
                self.configuration,
                each,
                of_series.get((version, step), {}),
            )
            for version, step, each in every_series
        }
        for version, step, each in every_series:
            rival = Series.rival_of(each)
            if rival is not None:
                self.series[version, step].rival = self.series.get((rival, step))
        self.unmonitored, self.others = others[0], Traffic.from_state(others[1])
