"""One version of one step: its open panes, its window, its outputs and its online detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.finding import Finding, Span
from streamgauge.batch.columns import ABSENT, ERROR, Column, EventBatch
from streamgauge.metrics.duplicates import RecentIds
from streamgauge.metrics.traffic import LATENCY_EDGES, Traffic
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import Placed, SeriesCounts, TargetCounts
from streamgauge.monitor.number_places import NumberPlaces
from streamgauge.monitor.numeric_block import count_columns
from streamgauge.monitor.output_columns import output_columns, picked
from streamgauge.monitor.season import MOST_GROUPS
from streamgauge.monitor.series_detectors import SeriesDetectors
from streamgauge.monitor.series_judgement import alpha_of, judge_rules, judge_window
from streamgauge.monitor.slice_layout import SliceLayout
from streamgauge.monitor.slices import Slices
from streamgauge.monitor.step import (
    CONFIDENCE,
    ENTROPY,
    LABEL,
    LATENCY,
    MARGIN,
    OUTPUT,
    SCORE,
    Step,
    StepInputs,
    slow_states,
)
from streamgauge.monitor.target import Target
from streamgauge.monitor.waiting_windows import WaitingWindow, WaitingWindows
from streamgauge.monitor.window_table import WindowTable
from streamgauge.references.bins import NumericBins
from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.features import FeatureSpec
from streamgauge.state.views import FeatureView, SliceView
from streamgauge.windows.judgement import Fullness, JudgementWindow

#: Hard rules judge as soon as there are this many events: a burst must not wait for a window.
RULE_EVENTS = 30
PLAIN_OUTPUTS = (OUTPUT, SCORE, LABEL, LATENCY)
OUTPUTS = (*PLAIN_OUTPUTS, CONFIDENCE, MARGIN, ENTROPY)
#: Outputs in which a new version is held against the one before it.
COMPARED = (SCORE, LABEL, LATENCY)
#: Severity from which a window is not learned from, although no alarm is open. Higher, and a shift
#: would lift the threshold that it is about to be found by.
ODD = 1.15
#: Counts of slices by group of bins that one window may hold.
MOST_CELLS = 200_000
#: Sampled ids that are remembered for telling duplicates: those of the last 16,000 events.
REMEMBERED_IDS = 1024


@dataclass(slots=True)
class LastWindow:
    """What the last full window showed, kept for readers."""

    counts: SeriesCounts = field(default_factory=SeriesCounts)
    start: float | None = None
    end: float | None = None
    fullness: Fullness = "open"
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    rules: dict[str, list[Finding]] = field(default_factory=dict)
    slices: list[SliceView] = field(default_factory=list)


class Judged(NamedTuple):
    """What closing a pane led to: a judgement window, or a span of hard rules without fullness."""

    span: Span
    findings: list[Finding]
    contents: SeriesCounts
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
        self.waiting = WaitingWindows()
        self.detectors = SeriesDetectors()
        self.table = WindowTable()
        self.slices = Slices()
        self._numbers = NumberPlaces()
        self._layout = SliceLayout({})
        self.recent_ids = RecentIds(remembered=REMEMBERED_IDS)
        #: The version before this one, whose outputs this one's are held against while it is new.
        self.rival: Series | None = None
        #: Whether the slow part of the state is to be written.
        self.slow_changed = configuration.profile is not None
        #: What readers see of the last window; made when somebody asks.
        self.shown: list[FeatureView] | None = None
        self.outputs = {name: Target(name, self._output_spec(name)) for name in OUTPUTS}
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
                self.outputs[name] = Target(name, self._output_spec(name))
            changed = changed | {SCORE, LABEL}
            self._refer()
        for name, target in self.outputs.items():
            target.spec = self._output_spec(name)
        accepted = configuration.newly_accepted(before)
        if accepted is not None:
            end = self.last.end if self.last.end is not None else accepted.at
            for name in self.outputs:
                if accepted.means(name, step=self.step.name):
                    counts = self.last.counts.targets.get(name)
                    self.outputs[name].accept(counts, end=end)
                    changed = changed | {name}
                    # Nobody asks any more whether it is like the version before.
                    self.rival = None
        self.slow_changed, self.shown = True, None
        self.detectors.forget(changed)
        if before.window.pane != configuration.window.pane:
            self.panes, self.window, self.rule_span = {}, None, None
        kept = [window.contents for window in (self.window, self.rule_span) if window is not None]
        checks = {rule.name: rule.check for rule in before.spec.rules}
        others = [
            name
            for name, check in checks.items()
            if check != {rule.name: rule.check for rule in configuration.spec.rules}.get(name)
        ]
        kept += self.waiting.forget(changed)
        for contents in (*self.panes.values(), *kept, self.last.counts):
            # What accepted its own window keeps it: the bins are the same.
            for name in changed & contents.targets.keys() - self._kept(accepted):
                del contents.targets[name]
            # The other version's bins changed with the same spec; those accepted stayed.
            for name in changed & contents.beside.keys() - self._kept(accepted):
                del contents.beside[name]
            for rule in others:
                contents.rules.drop(rule)
            if changed:
                contents.slices = {}
        for name in changed:
            self.last.findings.pop(name, None)
            self.last.rules.pop(name, None)

    def _kept(self, accepted: AcceptedSpec | None) -> set[str]:
        if accepted is None:
            return set()
        return {n for n in self.targets if accepted.means(n, step=self.step.name)}

    def _output_spec(self, name: str) -> FeatureSpec:
        """What the spec's section ``output`` says of one output, in a feature's words."""
        said = self.configuration.spec.output
        effect = said.min_effect
        if name == OUTPUT:
            return FeatureSpec(missing_max=said.null_max)
        if name == SCORE:
            return FeatureSpec(range=said.range, min_effect=effect)
        if name == LABEL:
            return FeatureSpec(allowed=said.allowed, min_effect=effect)
        if name == CONFIDENCE:
            # "Out of range" is what low confidence is counted as.
            return FeatureSpec(range=(said.low_confidence, 2.0), min_effect=effect)
        return FeatureSpec()

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
        inputs: StepInputs,
    ) -> None:
        """Take this version's rows of a step's batch, in log order.

        ``panes`` (n,) holds each row's pane, none of them closed; ``inputs`` what the step made of
        the whole batch.
        """
        features, spec = inputs.features, self.configuration.spec
        # A view of all rows costs nothing, where a copy of them does.
        own_rows = slice(None) if len(rows) == len(batch) else rows
        statuses, latency = batch.status[own_rows], batch.latency_seconds[own_rows]
        weights = batch.weight[own_rows]
        sampled = None if (weights == 1).all() else weights
        self.totals.update(statuses, latency, sampled)
        self.born = int(batch.offset[rows[0]]) if self.born < 0 else self.born
        times = batch.timestamp[own_rows]
        self.last_seen = max(self.last_seen, float(times.max()))
        own = output_columns(batch, rows, binary=spec.task == "binary")
        given = {name: own[name].kind != ABSENT for name in self._watched_outputs}
        # What no output of this model has costs nothing; what some have counts for those alone.
        there = {name: self.outputs[name] for name, present in given.items() if present.any()}
        numbers = self._numbers.place(there, own)
        outputs = {n: numbers.get(n) or target.place(own[n]) for n, target in there.items()}
        beside = self._beside(own)
        codes = {}
        if spec.segments:
            codes = self.slices.codes(spec.segments, picked(batch.segment, rows))
            layout = self._slice_layout(features, outputs)
        repeated = None
        if spec.watch.lint:
            repeated = self.recent_ids.look(picked(batch.prediction_id, rows))
        everything = np.arange(len(rows))
        targets = {**self.step.targets, **self.outputs}
        own_panes = panes[own_rows]
        one_pane = bool((own_panes == own_panes[0]).all())
        for pane in [int(own_panes[0])] if one_pane else np.unique(own_panes).tolist():
            within = everything if one_pane else np.flatnonzero(own_panes == pane)
            among = rows if one_pane else rows[within]
            weight = sampled[within] if sampled is not None else None
            counts = self.panes.setdefault(pane, SeriesCounts())
            counts.traffic.update(statuses[within], latency[within], weight)
            counts.reach(int(batch.offset[among[0]]), int(batch.offset[among[-1]]))
            whole = {n: placed for n, placed in outputs.items() if given[n][within].all()}
            if len(rows) == len(batch):
                # Of the same rows: the price is that of the calls.
                count_columns(targets, {**features, **whole}, among, counts, weight)
            else:
                count_columns(self.step.targets, features, among, counts, weight)
                count_columns(self.outputs, whole, within, counts, weight)
            for name in [name for name in outputs if name not in whole]:
                inside = given[name][within]
                share = weight[inside] if weight is not None else None
                self.outputs[name].count(outputs[name], within[inside], counts, share)
            for name, (placed, target) in beside.items():
                assert target.bins is not None
                counts.beside.setdefault(name, TargetCounts()).update(
                    placed, within, bins=target.bins.size, shift=target.shift, weights=weight
                )
            for rule, (violated, applicable) in inputs.rules.items():
                counts.rules.update(rule, violated[among], applicable[among], weight)
            if repeated is not None:
                counts.skew.update(batch.record_timestamp[among], batch.timestamp[among], weight)
                counts.duplicates.update(repeated.repeated[own_panes[repeated.rows] == pane])
            if codes:
                self.slices.count(
                    counts.slices,
                    {segment: code[within] for segment, code in codes.items()},
                    statuses[within],
                    weight,
                    layout.places(features, among, outputs, within),
                    layout,
                )
        self.detectors.feed("errors", (statuses == ERROR).astype(np.float64), times)
        for name in [name for name in (SCORE, LATENCY) if name in outputs]:
            self.detectors.feed_ranks(self.outputs[name], outputs[name], slice(None), times)
        for name, placed in features.items():
            target = self.step.targets[name]
            for wanted in target.spec.detectors:
                if wanted.feed == "events":
                    self.detectors.feed_ranks(target, placed, own_rows, times, wanted)

    @property
    def _most_sliced(self) -> int:
        """Features that are counted by slice, so that slices times features stay within bounds."""
        slices = sum(each.max_values + 1 for each in self.configuration.spec.segments.values())
        return max(MOST_CELLS // (slices * (MOST_GROUPS + 1)) - len(OUTPUTS), 1)

    @property
    def _watched_outputs(self) -> tuple[str, ...]:
        return OUTPUTS if self.configuration.spec.watch.certainty else PLAIN_OUTPUTS

    def _beside(self, own: Mapping[str, Column]) -> dict[str, tuple[Placed, Target]]:
        """Place outputs in the bins of the version before this one."""
        if self.rival is None:
            return {}
        found = {}
        for name in COMPARED:
            target = self.rival.outputs[name]
            # From a window of the other's on: bins that came within a batch would show its cut.
            if target.bins is not None and target.has_windows:
                found[name] = (target.only_place(own[name]), target)
        return found

    def _slice_layout(
        self, features: Mapping[str, Placed], outputs: Mapping[str, Placed]
    ) -> SliceLayout:
        """What is counted by slice: only targets that have a reference, and so groups of bins."""
        sliced = self.step.first(self._most_sliced)
        targets = {name: sliced[name] for name in features if name in sliced}
        targets |= {name: self.outputs[name] for name in outputs}
        seasons = {name: t.season for name, t in targets.items() if t.season is not None}
        if not self._layout.holds(seasons):
            self._layout = SliceLayout(seasons)
        return self._layout

    def close(self, pane: int) -> Iterator[Judged]:
        """Close one pane and yield what is judged by it."""
        counts = self.panes.pop(pane)
        length = self.configuration.window.pane
        start, end = pane * length, (pane + 1) * length
        self.detectors.feed_pane(self.step.watched.values(), counts, end)
        if self.rule_span is None:
            # The pane itself and no copy: most hold enough for the rules.
            self.rule_span = JudgementWindow(counts, start, end)
        else:
            self.rule_span.add(counts, start, end)
        if self.rule_span.contents.n >= RULE_EVENTS:
            ruled, self.rule_span = self.rule_span, None
            yield Judged(self._span(ruled), judge_rules(self, ruled), ruled.contents)
        if self.window is not None:
            self.window.add(counts, start, end)
        elif self.rule_span is None or self.rule_span.contents is not counts:
            # Nobody else holds the pane, so it is the window and needs no copy.
            self.window = JudgementWindow(counts, start, end)
        else:
            self.window = JudgementWindow(SeriesCounts(), start, end)
            self.window.add(counts, start, end)
        fullness = self.window.fullness(self.configuration.window)
        if fullness != "open":
            window, self.window = self.window, None
            findings = judge_window(self, window, fullness)
            self.last = LastWindow(
                window.contents, window.start, window.end, fullness, {}, self.last.rules
            )
            if window.contents.slices and fullness == "full":
                level = alpha_of(self.configuration.spec, len(findings), window)
                self.last.slices = self.slices.judge(window.contents.slices, alpha=level)
            yield Judged(self._span(window), findings, window.contents, fullness)

    def remember(self, judged: Judged, findings: list[Finding]) -> None:
        """Keep what was found, with what policy made of it, for readers."""
        self.shown = None
        if judged.fullness is None:
            self.last.rules = _by_target(findings)
        else:
            self.last.findings = _by_target(findings)

    def learn(self, *, firing: bool, broken: Callable[[str], bool]) -> None:
        """Take a full window into the references once the alarm that it may begin is ruled out.

        What has no reference yet takes its windows at once: nothing is judged by them. ``firing``
        tells that the model itself misbehaves, ``broken`` which features do: an incident never
        becomes the normal.
        """
        last = self.last
        if firing or last.start is None or last.end is None:
            self.waiting.drop()
            return
        targets = self.targets
        # A window a little beyond is ordinary more often than not: were all of them left out, a
        # threshold that is too low would stay so.
        odd = {
            name
            for name, found in last.findings.items()
            if any(f.exceeds and (f.severity or 0.0) >= ODD for f in found)
        }
        sound = {
            name for name in targets.keys() & last.counts.targets.keys() - odd if not broken(name)
        }
        made = WaitingWindow(last.counts, last.start, last.end, sound)
        at_once = {name for name in sound if targets[name].reference is None}
        self._take(made, at_once, targets)
        made.targets = sound - at_once
        sure = self.waiting.add(made)
        if sure is not None:
            self._take(sure, sure.targets, targets)
            self.slices.learn(sure.counts.slices)

    def _take(self, window: WaitingWindow, names: set[str], targets: Mapping[str, Target]) -> None:
        reference = self.configuration.spec.reference
        for name in sorted(names):
            self.slow_changed |= targets[name].learn(
                window.counts.targets[name],
                start=window.start,
                end=window.end,
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
            contents.traffic.n,
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
            [view.model_dump() for view in last.slices],
            self.slices.state(),
            self.recent_ids.state(),
            self.waiting.state(last.counts),
            self.rival.version if self.rival is not None else None,
        ]

    def inherit(self, rival: Series) -> None:
        """Take over how far the outputs of the version before lay apart from window to window."""
        for name, target in self.outputs.items():
            target.blocks.inherit(rival.outputs[name].blocks)

    @staticmethod
    def rival_of(state: list[Any]) -> str | None:
        """The version that a described series was held against."""
        rival: str | None = state[-1]
        return rival

    @property
    def compared(self) -> list[str]:
        """Outputs that this version has, and a release is judged by."""
        return [name for name in COMPARED if self.outputs[name].type != "unknown"]

    def slow_state(self) -> dict[str, Any]:
        """The part of the state that changes by the hour."""
        return slow_states(self.outputs)

    @classmethod
    def from_state(
        cls,
        version: str,
        step: Step,
        configuration: Configuration,
        state: list[Any],
        slow: Mapping[str, Any],
    ) -> Series:
        """Return the series that was described; its rival is for the model to find."""
        made = cls(version, step, configuration)
        made.slow_changed = False
        totals, life, panes, window, ruled, outputs, watch, last, findings, rules = state[:10]
        shown, slices, recent, waiting, _ = state[10:]
        made.totals = Traffic.from_state(totals)
        made.born, made.last_seen, made.joined = life[0], life[1], set(life[2])
        made.panes = {pane: SeriesCounts.from_state(each) for pane, each in panes.items()}
        made.window, made.rule_span = _window_from(window), _window_from(ruled)
        for name, each in outputs.items():
            spec = made.outputs[name].spec
            made.outputs[name] = Target.from_state(name, spec, each, slow.get(name))
        made.detectors = SeriesDetectors.from_state(watch)
        made.last = LastWindow(
            SeriesCounts.from_state(last[0]),
            last[1],
            last[2],
            last[3],
            findings=_by_target([Finding.from_stored(f) for found in findings for f in found]),
            rules=_by_target([Finding.from_stored(f) for found in rules for f in found]),
            slices=[SliceView(**each) for each in shown],
        )
        made.slices = Slices.from_state(slices)
        made.recent_ids = RecentIds.from_state(recent)
        made.waiting = WaitingWindows.from_state(waiting, made.last.counts)
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
