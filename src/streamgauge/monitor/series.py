"""One version of one step: its open panes, its window, its outputs and its online detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.finding import Finding, Span
from streamgauge.batch.columns import ABSENT, CATEGORY, ERROR, NULL, NUMBER, Column, EventBatch
from streamgauge.metrics.traffic import LATENCY_EDGES, Traffic
from streamgauge.monitor import judge
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import Placed, SeriesCounts
from streamgauge.monitor.step import LABEL, LATENCY, OUTPUT, SCORE, Step
from streamgauge.monitor.target import Target
from streamgauge.monitor.watch import Watch
from streamgauge.references.bins import NumericBins
from streamgauge.windows.judgement import Fullness, JudgementWindow

#: Hard rules judge as soon as there are this many events: a burst must not wait for a window.
RULE_EVENTS = 30


@dataclass(slots=True)
class LastWindow:
    """What the last full window showed, kept for readers."""

    counts: SeriesCounts = field(default_factory=SeriesCounts)
    start: float | None = None
    end: float | None = None
    fullness: Fullness = "open"
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    rules: dict[str, list[Finding]] = field(default_factory=dict)


class Judged(NamedTuple):
    """What closing a pane led to: a judgement window, or a span of hard rules without fullness."""

    span: Span
    findings: list[Finding]
    fullness: Fullness | None = None


class Series:
    """Everything that is counted and judged per (version, step)."""

    def __init__(self, version: str, step: Step, configuration: Configuration) -> None:
        self.version, self.step, self.configuration = version, step, configuration
        self.totals = Traffic()
        #: Offset of the first event, and event time of the newest.
        self.born, self.last_seen = -1, 0.0
        #: Features younger than this version that it has had all the same.
        self.joined: set[str] = set()
        self.panes: dict[int, SeriesCounts] = {}
        self.window: JudgementWindow[SeriesCounts] | None = None
        self.ruled: JudgementWindow[SeriesCounts] | None = None
        self.last = LastWindow()
        self.watch = Watch()
        self.outputs = {name: Target(name) for name in (OUTPUT, SCORE, LABEL, LATENCY)}
        self.outputs[OUTPUT].type = "text"
        self.outputs[LATENCY].draw_on(NumericBins(LATENCY_EDGES, 0.0), "numeric")
        self._refer()

    def configure(self, configuration: Configuration, changed: set[str]) -> None:
        """Take another spec. ``changed`` are the features that have other bins or references.

        Counts in other panes or bins can't be kept; everything else is.
        """
        before, self.configuration = self.configuration, configuration
        if before.profile is not configuration.profile:
            for name in (SCORE, LABEL):
                self.outputs[name] = Target(name)
            changed = changed | {SCORE, LABEL}
            self._refer()
        self.watch.forget(changed)
        if before.window.pane != configuration.window.pane:
            self.panes, self.window, self.ruled = {}, None, None
        kept = [window.contents for window in (self.window, self.ruled) if window is not None]
        for contents in (*self.panes.values(), *kept, self.last.counts):
            for name in changed & contents.targets.keys():
                del contents.targets[name]
        for name in changed:
            self.last.findings.pop(name, None)
            self.last.rules.pop(name, None)

    def _refer(self) -> None:
        """Compare outputs with the profile's, where it describes this version's."""
        profile = self.configuration.profile
        if profile is not None and profile.step == self.step.name:
            for name in (SCORE, LABEL):
                if name in profile.targets and profile.version in (None, self.version):
                    self.outputs[name].use(profile.targets[name])

    def count(
        self,
        batch: EventBatch,
        rows: NDArray[np.intp],
        panes: NDArray[np.int64],
        features: Mapping[str, Placed],
    ) -> None:
        """Take this version's rows of a step's batch, in log order.

        ``panes`` (n,) holds each row's pane, none of them closed; ``features`` the placed columns
        of the whole batch.
        """
        statuses, latency = batch.status[rows], batch.latency_seconds[rows]
        self.totals.update(statuses, latency)
        self.born = int(batch.offset[rows[0]]) if self.born < 0 else self.born
        self.last_seen = max(self.last_seen, float(batch.timestamp[rows].max()))
        own = {
            OUTPUT: _null_column(batch.null_output[rows] & (statuses != ERROR)),
            SCORE: _number_column(batch.score[rows]),
            LABEL: _label_column([batch.label[i] for i in rows.tolist()]),
            LATENCY: _number_column(latency),
        }
        outputs = {name: target.place(own[name]) for name, target in self.outputs.items()}
        for pane in np.unique(panes[rows]).tolist():
            within = np.flatnonzero(panes[rows] == pane)
            among = rows[within]
            counts = self.panes.setdefault(pane, SeriesCounts())
            counts.traffic.update(statuses[within], latency[within])
            counts.reach(int(batch.offset[among[0]]), int(batch.offset[among[-1]]))
            for name, placed in features.items():
                self.step.targets[name].count(placed, among, counts)
            for name, placed in outputs.items():
                self.outputs[name].count(placed, within, counts)
        times = batch.timestamp
        for name in (SCORE, LATENCY):
            self._feed_ranks(name, outputs[name], np.arange(len(rows)), times[rows], "adwin", {})
        self.watch.feed("errors", (statuses == ERROR).astype(np.float64), times[rows])
        for name, placed in features.items():
            for wanted in self.step.targets[name].spec.detectors:
                if wanted.feed == "events":
                    params = dict(wanted.params)
                    self._feed_ranks(name, placed, rows, times[rows], wanted.name, params)

    def close(self, pane: int) -> Iterator[Judged]:
        """Close one pane and yield what is judged by it."""
        counts = self.panes.pop(pane)
        length = self.configuration.window.pane
        start, end = pane * length, (pane + 1) * length
        self._watch_pane(counts, end)
        if self.ruled is None:
            self.ruled = JudgementWindow(SeriesCounts(), start, end)
        self.ruled.add(counts, start, end)
        if self.ruled.contents.n >= RULE_EVENTS:
            ruled, self.ruled = self.ruled, None
            yield Judged(self._span(ruled), self._judge_rules(ruled))
        if self.window is None:
            self.window = JudgementWindow(SeriesCounts(), start, end)
        self.window.add(counts, start, end)
        fullness = self.window.fullness(self.configuration.window)
        if fullness != "open":
            window, self.window = self.window, None
            findings = self._judge_window(window, fullness)
            self.last = LastWindow(
                window.contents, window.start, window.end, fullness, {}, self.last.rules
            )
            yield Judged(self._span(window), findings, fullness)

    def remember(self, judged: Judged, findings: list[Finding]) -> None:
        """Keep what was found, with what policy made of it, for readers."""
        if judged.fullness is None:
            self.last.rules = _by_target(findings)
        else:
            self.last.findings = _by_target(findings)

    def learn(self, broken: Callable[[str], bool]) -> None:
        """Take the last window into the references, but for features that are ``broken``.

        Not to be called while the model itself misbehaves: an incident never becomes the normal.
        """
        last, reference = self.last, self.configuration.spec.reference
        if last.fullness != "full" or last.start is None or last.end is None:
            return
        for name, target in self.targets.items():
            counts = last.counts.targets.get(name)
            exceeds = any(finding.exceeds for finding in last.findings.get(name, ()))
            if counts is not None and not exceeds and not broken(name):
                target.learn(
                    counts,
                    start=last.start,
                    end=last.end,
                    min_events=reference.min_events,
                    min_seconds=reference.min_duration_seconds,
                )

    @property
    def targets(self) -> dict[str, Target]:
        """Features and outputs by name."""
        return self.step.watched | self.outputs

    def _judge_rules(self, ruled: JudgementWindow[SeriesCounts]) -> list[Finding]:
        findings: list[Finding] = []
        settles_after = self.configuration.spec.reference.min_duration_seconds
        for name, target in self.targets.items():
            counts = ruled.contents.targets.get(name)
            if counts is None or name in (SCORE, LABEL, LATENCY):
                continue
            if target.born > self.born and name not in self.joined:
                # Another version brought it later: this one does not miss what it never had.
                if counts.quality.missing == counts.quality.seen:
                    continue
                self.joined.add(name)
            usual = self.step.usual_of(name)
            found = judge.quality(target, counts, usual)
            for finding, rule in zip(found, counts.quality.get(), strict=True):
                if not finding.exceeds:
                    usual[rule].add(
                        getattr(counts.quality, rule),
                        counts.quality.seen,
                        at=ruled.end,
                        settles_after=settles_after,
                    )
            findings += found
        habit = self.step.usual_errors
        errors = judge.errors(ruled.contents, habit)
        if not errors.exceeds:
            failed = int(ruled.contents.traffic.statuses[ERROR])
            habit.add(failed, ruled.contents.n, at=ruled.end, settles_after=settles_after)
        findings.append(errors)
        return findings

    def _judge_window(
        self, window: JudgementWindow[SeriesCounts], fullness: Fullness
    ) -> list[Finding]:
        judged = [
            name
            for name, target in self.targets.items()
            if target.reference is not None and name in window.contents.targets
        ]
        level = judge.alpha(
            self.configuration.spec.false_alarms_per_month,
            targets=len(judged),
            duration=window.end - window.start,
        )
        findings: list[Finding] = []
        for name, target in self.targets.items():
            counts = window.contents.targets.get(name)
            if counts is None or name == OUTPUT:
                continue
            if fullness == "too_few":
                kind = "feature_drift" if name in self.step.targets else "prediction_drift"
                needed = self.configuration.window.min_events
                findings.append(
                    Finding(name, kind, "js", "too_few", n=window.contents.n, needed=needed)
                )
            elif name == LATENCY:
                findings.append(judge.latency(target, counts, alpha=level, now=window.end))
            else:
                kind = "feature_drift" if name in self.step.targets else "prediction_drift"
                findings.append(
                    judge.distribution(target, counts, kind, alpha=level, now=window.end)
                )
                jump = judge.scale(target, counts)
                if jump is not None:
                    findings.append(jump)
        return findings

    def _feed_ranks(
        self,
        name: str,
        placed: Placed,
        rows: NDArray[np.intp],
        times: NDArray[np.float64],
        detector: str,
        params: dict[str, float],
    ) -> None:
        ranks = self.targets[name].ranks
        if ranks is None:
            return
        place = placed.place[rows]
        found = place >= 0
        if found.any():
            self.watch.feed(name, ranks[place[found]], times[found], name=detector, params=params)

    def _watch_pane(self, counts: SeriesCounts, end: float) -> None:
        """Feed the mean rank of the pane: cheap, and autocorrelation is averaged away."""
        for name, target in self.step.targets.items():
            found, ranks = counts.targets.get(name), target.ranks
            if found is None or found.histogram is None or ranks is None or not found.n:
                continue
            mean = float(np.dot(found.histogram.counts, ranks) / found.n)
            wanted = [d for d in target.spec.detectors if d.feed == "panes"]
            if not target.spec.detectors:
                self.watch.feed(name, np.array([mean]), np.array([end]), feed="panes")
            for each in wanted:
                self.watch.feed(
                    name,
                    np.array([mean]),
                    np.array([end]),
                    name=each.name,
                    params=each.params,
                    feed="panes",
                )

    def _span(self, window: JudgementWindow[SeriesCounts]) -> Span:
        contents = window.contents
        return Span(
            window.start,
            window.end,
            contents.n,
            contents.first_offset,
            contents.last_offset,
            self.version,
            self.step.name,
        )

    def state(self) -> list[Any]:
        window, ruled, last = self.window, self.ruled, self.last
        return [
            self.totals.state(),
            [self.born, self.last_seen, sorted(self.joined)],
            {pane: self.panes[pane].state() for pane in sorted(self.panes)},
            _window_state(window),
            _window_state(ruled),
            {name: target.state() for name, target in self.outputs.items()},
            self.watch.state(),
            [last.counts.state(), last.start, last.end, last.fullness],
            [[f.stored() for f in found] for found in last.findings.values()],
            [[f.stored() for f in found] for found in last.rules.values()],
        ]

    @classmethod
    def from_state(
        cls, version: str, step: Step, configuration: Configuration, state: list[Any]
    ) -> Series:
        made = cls(version, step, configuration)
        totals, life, panes, window, ruled, outputs, watch, last, findings, rules = state
        made.totals = Traffic.from_state(totals)
        made.born, made.last_seen, made.joined = life[0], life[1], set(life[2])
        made.panes = {pane: SeriesCounts.from_state(each) for pane, each in panes.items()}
        made.window, made.ruled = _window_from(window), _window_from(ruled)
        for name, each in outputs.items():
            made.outputs[name] = Target.from_state(name, made.outputs[name].spec, each)
        made.watch = Watch.from_state(watch)
        made.last = LastWindow(
            SeriesCounts.from_state(last[0]),
            last[1],
            last[2],
            last[3],
            findings=_by_target([Finding.from_stored(f) for found in findings for f in found]),
            rules=_by_target([Finding.from_stored(f) for found in rules for f in found]),
        )
        return made


def _by_target(findings: list[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.target, []).append(finding)
    return found


def _window_state(window: JudgementWindow[SeriesCounts] | None) -> list[Any] | None:
    return [window.contents.state(), window.start, window.end] if window is not None else None


def _window_from(state: list[Any] | None) -> JudgementWindow[SeriesCounts] | None:
    if state is None:
        return None
    return JudgementWindow(SeriesCounts.from_state(state[0]), state[1], state[2])


def _number_column(values: NDArray[np.float64]) -> Column:
    return Column(np.where(np.isnan(values), ABSENT, NUMBER).astype(np.int8), values)


def _label_column(labels: list[str | None]) -> Column:
    kind = np.array([ABSENT if label is None else CATEGORY for label in labels], dtype=np.int8)
    return Column(kind, np.full(len(labels), np.nan), labels)


def _null_column(null: NDArray[np.bool_]) -> Column:
    return Column(np.where(null, NULL, NUMBER).astype(np.int8), np.full(len(null), np.nan))
