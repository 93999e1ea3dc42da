"""One model on one partition: observe a batch, close what time has passed, raise what is found."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.event import alarm_event
from streamgauge.alarms.finding import Finding
from streamgauge.alarms.identity import fingerprint
from streamgauge.alarms.policy import AlarmPolicy, Edge
from streamgauge.batch.columns import EventBatch
from streamgauge.metrics.traffic import Traffic
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.feature_budget import FeatureBudget
from streamgauge.monitor.series import Judged, Series
from streamgauge.monitor.shown_alarms import ShownAlarms
from streamgauge.monitor.step import Step
from streamgauge.specs.sections import Severity
from streamgauge.windows.watermark import Watermark
from streamgauge_client.events import AlarmEvent

#: Versions (of all steps together) that are monitored at once; a pod's name for one ends here.
MOST_VERSIONS = 20
#: A version that is silent for so many of the shortest windows makes room for another.
PAUSE_WINDOWS = 3
MOST_STEPS = 20


class ModelMonitor:
    """The monitoring of one model: a pure function of its configuration and its records.

    Closing happens at record positions: a batch is split wherever the watermark passes the end of
    a pane, so it does not matter how the log was cut into batches.
    """

    def __init__(
        self,
        model: str,
        configuration: Configuration,
        *,
        topic: str,
        partition: int,
        budget: FeatureBudget | None = None,
    ) -> None:
        self.model, self.topic, self.partition = model, topic, partition
        self._budget = budget if budget is not None else FeatureBudget()
        self.steps: dict[str, Step] = {}
        self.series: dict[tuple[str, str], Series] = {}
        self.policy = AlarmPolicy()
        self.alarms = ShownAlarms()
        self.late = 0
        self.labels = 0
        self.feedback: dict[str, int] = {}
        #: Predictions of versions and steps beyond the catalogue: counted, not judged.
        self.unmonitored = 0
        #: Totals of these, and of versions that made room for others.
        self.others = Traffic()
        self.configuration = configuration
        self.watermark = self._watermark()
        #: Event time up to which panes are closed; within a batch it moves at record positions.
        self._closed = -math.inf

    def configure(self, configuration: Configuration) -> None:
        """Go by another version of the spec from here on; open alarms stay open."""
        old, self.configuration = self.watermark, configuration
        self.watermark = self._watermark()
        for field in ("value", "settled", "event_max", "recorded_at"):
            setattr(self.watermark, field, getattr(old, field))
        changed = {name: step.configure(configuration) for name, step in self.steps.items()}
        for (_, step_name), series in self.series.items():
            series.configure(configuration, changed[step_name])

    def observe(self, batch: EventBatch, log_before: NDArray[np.float64]) -> list[AlarmEvent]:
        """Take predictions in log order.

        ``log_before`` (n,) is the running maximum of the log's time before each record, in seconds.
        """
        progress = self.watermark.observe(batch.timestamp, batch.record_timestamp, log_before)
        panes = np.floor(batch.timestamp / self.watermark.pane).astype(np.int64)
        events: list[AlarmEvent] = []
        starts = np.flatnonzero(np.diff(progress.ticks, prepend=progress.ticks[0] - 1))
        for start, end in itertools.pairwise([*starts.tolist(), len(batch)]):
            events += self._close(int(progress.ticks[start]))
            rows = np.arange(start, end)
            kept = rows[~progress.late[start:end]]
            self.late += len(rows) - len(kept)
            if len(kept):
                part = batch.slice(start, end) if len(kept) == len(rows) else batch.take(kept)
                self._count(part, panes[kept])
        return events + self._close(self.watermark.tick)

    def advance(self, log_time: float) -> list[AlarmEvent] | None:
        """Let the log run on to ``log_time`` (seconds) without a record of this model.

        None where nothing closed by it, so nothing changed that must be kept.
        """
        self.watermark.advance(log_time)
        tick = self.watermark.tick
        if not any(pane <= tick for series in self.series.values() for pane in series.panes):
            return None
        return self._close(tick)

    def _watermark(self) -> Watermark:
        defaults = self.configuration.spec.defaults
        return Watermark(pane=defaults.pane_seconds, grace=defaults.grace_seconds)

    def _count(self, batch: EventBatch, panes: NDArray[np.int64]) -> None:
        self._claim(batch)
        for name, rows in _groups(batch.step):
            whole = len(rows) == len(batch)
            part = batch if whole else batch.take(rows)
            step = self.steps.get(name)
            if step is None:
                self._count_only(part.status, part.latency_seconds)
                continue
            placed = step.place(part.features, part.offset)
            for version, members in _groups(part.version):
                series = self.series.get((version, name))
                if series is None:
                    self._count_only(part.status[members], part.latency_seconds[members])
                else:
                    series.count(part, members, panes if whole else panes[rows], placed)

    def _claim(self, batch: EventBatch) -> None:
        """Make room for what is new, in log order: places are few."""
        keys = list(zip(batch.version, batch.step, strict=True))
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
                self._retire()
            if len(self.series) < MOST_VERSIONS:
                made = Series(version, self.steps[name], self.configuration)
                made.last_seen = float(batch.timestamp[row])
                self.series[key] = made

    def _retire(self) -> None:
        """Make room: drop the version that is silent for longest, unless it may only pause."""
        patience = PAUSE_WINDOWS * self.configuration.window.min_duration
        key = min(self.series, key=lambda key: (self.series[key].last_seen, key))
        oldest = self.series[key]
        if oldest.last_seen < self._closed - patience:
            self.others.merge(oldest.totals)
            del self.series[key]

    def _count_only(self, statuses: NDArray[np.int8], latency: NDArray[np.float64]) -> None:
        self.unmonitored += len(statuses)
        self.others.update(statuses, latency)

    def _close(self, tick: int) -> list[AlarmEvent]:
        """Close all panes up to ``tick``, in order of time and then of versions."""
        self._closed = max(self._closed, (tick + 1) * self.watermark.pane)
        due = sorted(
            (pane, key)
            for key, series in self.series.items()
            for pane in series.panes
            if pane <= tick
        )
        events: list[AlarmEvent] = []
        for pane, key in due:
            self.watermark.settle(pane)
            series = self.series[key]
            for judged in series.close(pane):
                events += self._raise(series, judged)
                if judged.fullness == "full" and not self.policy.is_firing(
                    series.step.name, but="data_quality"
                ):
                    series.learn(partial(self._is_broken, series))
        return events

    def _raise(self, series: Series, judged: Judged) -> Iterator[AlarmEvent]:
        by_kind: dict[str, list[Finding]] = {}
        findings = [self._inhibited(finding, judged) for finding in judged.findings]
        series.remember(judged, findings)
        for finding in findings:
            by_kind.setdefault(finding.kind, []).append(finding)
        for kind, findings in sorted(by_kind.items()):
            edge = self.policy.judge(kind, judged.span, findings)
            if edge is not None:
                yield self._event(edge, series)

    def _is_broken(self, series: Series, target: str) -> bool:
        return self.policy.is_active("data_quality", series.step.name, series.version, target)

    def _inhibited(self, finding: Finding, judged: Judged) -> Finding:
        """A broken feed explains its own drift: one cause, one alarm."""
        span = judged.span
        if finding.kind == "data_quality" or not finding.exceeds:
            return finding
        if self.policy.is_active("data_quality", span.step, span.version, finding.target):
            return finding.inhibit("its data-quality alarm explains it")
        return finding

    def _event(self, edge: Edge, series: Series) -> AlarmEvent:
        spec = self.configuration.spec
        lead = series.targets.get(edge.lead)
        reference = lead.reference if lead is not None else None
        event = alarm_event(
            edge,
            model=self.model,
            topic=self.topic,
            partition=self.partition,
            severity=self._severity(edge),
            reference=(spec.reference.id or "learned", reference.n) if reference else None,
            detections=series.detectors.times,
            owner=spec.owner,
            runbook_url=spec.runbook_url,
        )
        self.alarms.take(event)
        return event

    def _severity(self, edge: Edge) -> Severity:
        spec = self.configuration.spec
        if edge.status == "resolved":
            # As it fired: who listens from a severity on hears both edges or none.
            scope = {"step": edge.step} if edge.step else {}
            mark = fingerprint(self.model, edge.kind, scope, partition=self.partition)
            return self.alarms.severity(mark) or spec.defaults.severity
        own = spec.feature(edge.lead).new_category
        if own is not None and edge.findings and edge.findings[0].rule == "new_category":
            return own
        return spec.defaults.severity

    def state(self) -> list[Any]:
        """Plain values for ``from_state``; the same log gives the same state."""
        mark = self.watermark
        return [
            self.model,
            self.configuration.number,
            [mark.settled, mark.event_max, mark.recorded_at],
            [[name, step.state()] for name, step in self.steps.items()],
            [[*key, series.state()] for key, series in self.series.items()],
            self.policy.state(),
            self.alarms.state(),
            [self.late, self.labels, dict(sorted(self.feedback.items()))],
            [self.unmonitored, self.others.state()],
        ]

    @classmethod
    def from_state(
        cls,
        state: list[Any],
        configuration_of: Callable[[str, int], Configuration],
        *,
        topic: str,
        partition: int,
        budget: FeatureBudget,
    ) -> ModelMonitor:
        """Return the monitor that ``state`` described."""
        model, number, mark, steps, series, policy, alarms, counts, others = state
        made = cls(
            model, configuration_of(model, number), topic=topic, partition=partition, budget=budget
        )
        made.watermark.settled, made.watermark.event_max, made.watermark.recorded_at = mark
        made.watermark.value = made.watermark.settled
        made.steps = {n: Step.from_state(n, made.configuration, budget, each) for n, each in steps}
        made.series = {
            (version, step): Series.from_state(version, made.steps[step], made.configuration, each)
            for version, step, each in series
        }
        made.policy.restore(policy)
        made.alarms = ShownAlarms.from_state(alarms)
        made.late, made.labels, made.feedback = counts
        made.unmonitored, made.others = others[0], Traffic.from_state(others[1])
        return made


def unknown_features(batch: EventBatch, monitor: ModelMonitor | None) -> int:
    """At most so many features would be new with a model's batch; each step has its own."""
    fresh = 0
    for name, rows in _groups(batch.step):
        features = batch.features if len(rows) == len(batch) else batch.features.take(rows)
        step = monitor.steps.get(name) if monitor is not None else None
        fresh += step.unknown(features) if step is not None else len(features.first_rows(()))
    return fresh


def _groups(names: list[str]) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows by name, names in the order in which they first come."""
    if len(set(names)) == 1:
        return [(names[0], np.arange(len(names)))]
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return [(name, np.array(members, dtype=np.intp)) for name, members in rows.items()]
