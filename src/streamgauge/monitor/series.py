"""One version of one step: its open panes, its window, its outputs and its online detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.finding import Finding, Span
from streamgauge.batch.columns import ERROR, EventBatch
from streamgauge.metrics.traffic import LATENCY_EDGES, Traffic
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import Placed, SeriesCounts
from streamgauge.monitor.output_columns import output_columns
from streamgauge.monitor.series_detectors import SeriesDetectors
from streamgauge.monitor.series_judgement import judge_rules, judge_window
from streamgauge.monitor.step import LABEL, LATENCY, OUTPUT, SCORE, Step
from streamgauge.monitor.target import Target
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
        self.rule_span: JudgementWindow[SeriesCounts] | None = None
        self.last = LastWindow()
        self.detectors = SeriesDetectors()
        self.outputs = {name: Target(name) for name in (OUTPUT, SCORE, LABEL, LATENCY)}
        self.outputs[OUTPUT].type = "text"
        self.outputs[LATENCY].draw_on(NumericBins(LATENCY_EDGES, 0.0), "numeric")
        self._refer()

    def configure(self, configuration: Configuration, changed: set[str]) -> None:
        """Take another spec. ``changed`` are the features that have other bins or references.

        Counts in other panes or bins can't be kept; everything else is.
        """
        before, self.configuration = self.configuration, configuration
        if before.profile_id != configuration.profile_id:
            for name in (SCORE, LABEL):
                self.outputs[name] = Target(name)
            changed = changed | {SCORE, LABEL}
            self._refer()
        self.detectors.forget(changed)
        if before.window.pane != configuration.window.pane:
            self.panes, self.window, self.rule_span = {}, None, None
        kept = [window.contents for window in (self.window, self.rule_span) if window is not None]
        for contents in (*self.panes.values(), *kept, self.last.counts):
            for name in changed & contents.targets.keys():
                del contents.targets[name]
        for name in changed:
            self.last.findings.pop(name, None)
            self.last.rules.pop(name, None)

    def _refer(self) -> None:
        """Compare outputs with the profile's, where it describes this version's."""
        profile = self.configuration.profile
        references = self.configuration.references(self.step.name)
        for name in references.keys() & {SCORE, LABEL}:
            if profile is not None and profile.version in (None, self.version):
                self.outputs[name].use(references[name])

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
        own = output_columns(batch, rows)
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
        times = batch.timestamp[rows]
        self.detectors.feed("errors", (statuses == ERROR).astype(np.float64), times)
        everything = np.arange(len(rows))
        for name in (SCORE, LATENCY):
            self.detectors.feed_ranks(self.outputs[name], outputs[name], everything, times)
        for name, placed in features.items():
            target = self.step.targets[name]
            for wanted in target.spec.detectors:
                if wanted.feed == "events":
                    self.detectors.feed_ranks(target, placed, rows, times, wanted)

    def close(self, pane: int) -> Iterator[Judged]:
        """Close one pane and yield what is judged by it."""
        counts = self.panes.pop(pane)
        length = self.configuration.window.pane
        start, end = pane * length, (pane + 1) * length
        self.detectors.feed_pane(self.step.watched.values(), counts, end)
        if self.rule_span is None:
            self.rule_span = JudgementWindow(SeriesCounts(), start, end)
        self.rule_span.add(counts, start, end)
        if self.rule_span.contents.n >= RULE_EVENTS:
            ruled, self.rule_span = self.rule_span, None
            yield Judged(self._span(ruled), judge_rules(self, ruled))
        if self.window is None:
            self.window = JudgementWindow(SeriesCounts(), start, end)
        self.window.add(counts, start, end)
        fullness = self.window.fullness(self.configuration.window)
        if fullness != "open":
            window, self.window = self.window, None
            findings = judge_window(self, window, fullness)
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
        window, ruled, last = self.window, self.rule_span, self.last
        return [
            self.totals.state(),
            [self.born, self.last_seen, sorted(self.joined)],
            {pane: self.panes[pane].state() for pane in sorted(self.panes)},
            _window_state(window),
            _window_state(ruled),
            {name: target.state() for name, target in self.outputs.items()},
            self.detectors.state(),
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
        made.window, made.rule_span = _window_from(window), _window_from(ruled)
        for name, each in outputs.items():
            made.outputs[name] = Target.from_state(name, made.outputs[name].spec, each)
        made.detectors = SeriesDetectors.from_state(watch)
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
