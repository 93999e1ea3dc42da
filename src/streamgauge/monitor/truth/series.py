"""The truth about one version of one step: windows, totals, and whether errors rose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.finding import Finding, Span
from streamgauge.labels.truth import Extras
from streamgauge.metrics.trivial_classifier import TrivialClassifier
from streamgauge.metrics.trivial_regressor import TrivialRegressor
from streamgauge.monitor.truth.concept import ConceptWatch, Wanted
from streamgauge.monitor.truth.errors import ErrorScale
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.truth.score_watch import Better, ScoreWatches
from streamgauge.monitor.truth.scored import Floats, Scored
from streamgauge.monitor.truth.task import Task
from streamgauge.monitor.truth.window import Slice, TruthWindow
from streamgauge.state.views import PerformanceView, TagView

#: Windows of which the errors are remembered, to count those since an onset.
REMEMBERED = 500


class Batch(NamedTuple):
    """Released rows of one series: event times (n,), offsets (n,), weights (n,), and what is known.

    ``slices`` and ``tags`` are those of each row, ``extras`` what the labels of rows carry, and its
    weight, by place. ``scored`` are the rows among them that have a fitting truth.
    """

    times: Floats
    offsets: NDArray[np.int64]
    weights: Floats
    scored: Scored
    slices: Sequence[tuple[Slice, ...]]
    tags: Sequence[tuple[str, ...]]
    extras: Mapping[int, tuple[Extras, float]]


class ShownWindow(NamedTuple):
    """The last window as readers see it, and its slices."""

    whole: PerformanceView
    slices: list[PerformanceView]
    tags: list[TagView]


class Closed(NamedTuple):
    """A window that is full, and what its errors say; ``row`` of the batch filled it."""

    row: int
    window: TruthWindow
    findings: list[Finding]
    span: Span
    #: Labels that tell what is usual, and when detectors heard a change, by target, as it was then.
    usual: int
    detections: Mapping[str, list[float]]


class TruthSeries:
    """Takes released rows in prediction order; windows close at rows, wherever batches end."""

    def __init__(self, version: str, step: str) -> None:
        self.version, self.step = version, step
        #: The first row that it counts, and the newest: rows of the join's numbers.
        self.since = self.newest = 0
        self.window = TruthWindow()
        self.last: TruthWindow | None = None
        self.findings: list[Finding] = []
        self.total = Performance()
        self.slice_totals: dict[Slice, Performance] = {}
        self.concept = ConceptWatch()
        self.scale = ErrorScale()
        #: The same for scores that labels carry.
        self.scores = ScoreWatches()
        #: What answers cost nothing would have been worth, trained beside.
        self.trivial: TrivialClassifier | TrivialRegressor | None = None
        #: (end, errors) of the last windows.
        self.history: list[tuple[float, int]] = []
        #: What readers see of the last window, and of the total, until it changes.
        self.shown_window: ShownWindow | None = None
        self.shown_total: PerformanceView | None = None

    def take(
        self,
        task: Task,
        batch: Batch,
        *,
        least: float,
        needed: int,
        wanted: Wanted,
        scores: Mapping[str, Better],
        alpha: float,
        settles_after: float,
    ) -> Iterator[Closed]:
        """Take rows; yield each window that ``needed`` labelled rows and ``least`` seconds fill."""
        scored = batch.scored
        start = done = 0
        while start < len(batch.times):
            stop, full = self._until_full(batch, start, done, least=least, needed=needed)
            until = int(np.searchsorted(scored.rows, stop))
            part = scored.part(slice(done, until))
            self._count(task, batch, part, start, stop, wanted)
            carried = sorted(row for row in batch.extras if start <= row < stop)
            told = ((float(batch.times[row]), batch.extras[row][0]) for row in carried)
            self.scores.feed(told, scores, wanted)
            start, done = stop, until
            if full:
                yield self._close(stop - 1, alpha=alpha, settles_after=settles_after, needed=needed)

    def _until_full(
        self, batch: Batch, start: int, done: int, *, least: float, needed: int
    ) -> tuple[int, bool]:
        """The row behind the one that fills the window, and whether there is one."""
        window, rows = self.window, batch.scored.rows
        begun = float(batch.times[start]) if window.start is None else window.start
        missing = needed - window.rows
        if missing > 0:
            if len(rows) - done < missing:
                return len(batch.times), False
            first = int(rows[done + missing - 1])
        else:
            first = start
        long = max(window.end, float(batch.times[start : first + 1].max())) - begun >= least
        if not long:
            late = np.flatnonzero(batch.times[first + 1 :] - begun >= least)
            if not len(late):
                return len(batch.times), False
            first += 1 + int(late[0])
        return first + 1, True

    def _count(
        self, task: Task, batch: Batch, scored: Scored, start: int, stop: int, wanted: Wanted
    ) -> None:
        window = self.window
        times = batch.times[start:stop]
        if window.start is None:
            window.start, window.first_offset = float(times[0]), int(batch.offsets[start])
        window.end = max(window.end, float(times.max()))
        window.last_offset = int(batch.offsets[stop - 1])
        window.rows += len(scored)
        self.shown_total = None
        for each in (window.whole, self.total):
            self._add(each, task, batch, scored, start, stop)
        self._slice(task, batch, scored, start, stop)
        self._beside(task, scored)
        if len(scored) and task != "scores":
            first, errors = self.scale.errors(task, scored)
            kept = scored.rows[first:]
            self.concept.feed(errors, batch.times[kept], wanted)
            window.errors += int(errors.sum())
            window.judged += len(errors)
            if len(errors):
                tags = [batch.tags[row] for row in kept.tolist()]
                window.tags.update(tags, errors > 0, scored.weight[first:])

    def _beside(self, task: Task, scored: Scored) -> None:
        """Let the trivial answers answer, and learn."""
        if not len(scored) or task == "scores":
            return
        if self.trivial is None:
            self.trivial = TrivialRegressor() if task == "regression" else TrivialClassifier()
        if isinstance(self.trivial, TrivialRegressor):
            self.trivial.update(scored.true_value, scored.weight)
        else:
            self.trivial.update(scored.truth, scored.weight)

    @staticmethod
    def _add(
        to: Performance, task: Task, batch: Batch, scored: Scored, start: int, stop: int
    ) -> None:
        to.count(batch.weights[start:stop])
        to.take(task, scored)
        if batch.extras:
            to.take_extras(each for row, each in batch.extras.items() if start <= row < stop)

    def _slice(self, task: Task, batch: Batch, scored: Scored, start: int, stop: int) -> None:
        by_slice: dict[Slice, list[int]] = {}
        for place, row in enumerate(scored.rows.tolist() if any(batch.slices) else ()):
            for of in batch.slices[row]:
                by_slice.setdefault(of, []).append(place)
        for of, places in sorted(by_slice.items()):
            part = scored.part(np.array(places, dtype=np.intp))
            total = self.slice_totals.setdefault(of, Performance())
            for to in (self.window.slice(of), total):
                to.count(part.weight)
                to.take(task, part)
        carried: dict[Slice, list[tuple[Extras, float]]] = {}
        for row, each in batch.extras.items():
            if start <= row < stop:
                for of in batch.slices[row]:
                    carried.setdefault(of, []).append(each)
        for of, extras in sorted(carried.items(), key=itemgetter(0)):
            for to in (self.window.slice(of), self.slice_totals.setdefault(of, Performance())):
                to.take_extras(extras)

    def amend(self, task: Task, before: Batch, after: Batch) -> None:
        """Take a row back as it was, and take it as it is: totals only, windows are closed."""
        self.shown_total = None
        own, part = Performance(), Performance()
        self._add(own, task, before, before.scored, 0, len(before.times))
        self.total.take_out(own)
        self._add(self.total, task, after, after.scored, 0, len(after.times))
        if before.slices[0]:
            _amend(part, task, before)
        for of in before.slices[0]:
            if len(before.scored) or before.extras:
                self.slice_totals[of].take_out(part)
            if len(after.scored) or after.extras:
                _amend(self.slice_totals.setdefault(of, Performance()), task, after)

    def _close(self, row: int, *, alpha: float, settles_after: float, needed: int) -> Closed:
        window, self.window = self.window, TruthWindow()
        assert window.start is not None
        if self.trivial is not None:
            window.trivial = self.trivial.get()
            self.trivial.restart()
        self.last, self.shown_window = window, None
        end = window.end
        self.findings = self.concept.judge(
            window.errors,
            window.judged,
            end=end,
            alpha=alpha,
            settles_after=settles_after,
            needed=needed,
        )
        self.findings += self.scores.judge(
            end=end, alpha=alpha, settles_after=settles_after, needed=needed
        )
        self.history = [*self.history, (window.end, window.errors)][-REMEMBERED:]
        span = Span(
            window.start,
            window.end,
            window.rows,
            window.first_offset,
            window.last_offset,
            self.version,
            self.step,
        )
        watches = {each.target: each.concept for each in self.scores.by_name.values()}
        watches["errors"] = self.concept
        heard = {
            target: sorted(at for each in watch.times.values() for at in each)
            for target, watch in watches.items()
        }
        usual = max(watch.usual.seen for watch in watches.values())
        return Closed(row, window, self.findings, span, usual, heard)

    def errors_since(self, since: float, until: float) -> int:
        """Wrong answers in the windows that ended after one time and by another (since 1970)."""
        return sum(errors for end, errors in self.history if since < end <= until)

    def state(self) -> list[Any]:
        return [
            self.window.state(),
            self.last.state() if self.last is not None else None,
            [each.stored() for each in self.findings],
            self.total.state(),
            [[*of, each.state()] for of, each in sorted(self.slice_totals.items())],
            self.concept.state(),
            self.scale.state(),
            [type(self.trivial).__name__, self.trivial.state()] if self.trivial else None,
            np.array([end for end, _ in self.history]),
            np.array([errors for _, errors in self.history], dtype=np.int64),
            [self.since, self.newest],
            self.scores.state(),
        ]

    @classmethod
    def from_state(cls, version: str, step: str, state: list[Any]) -> TruthSeries:
        made = cls(version, step)
        window, last, findings, total, slices, concept, scale, trivial, *history = state
        ends, errors, (made.since, made.newest), *watched = history
        # States of before they were listened to end here.
        made.scores = ScoreWatches.from_state(watched[0] if watched else [])
        made.window = TruthWindow.from_state(window)
        made.last = TruthWindow.from_state(last) if last is not None else None
        made.findings = [Finding.from_stored(each) for each in findings]
        made.total = Performance.from_state(total)
        made.slice_totals = {(n, v): Performance.from_state(each) for n, v, each in slices}
        made.concept = ConceptWatch.from_state(concept)
        made.scale.restore(scale)
        if trivial is not None:
            kind, inside = trivial
            own = TrivialRegressor if kind == "TrivialRegressor" else TrivialClassifier
            made.trivial = own.from_state(inside)
        made.history = list(zip(ends.tolist(), errors.tolist(), strict=True))
        return made


def _amend(to: Performance, task: Task, batch: Batch) -> None:
    """Take the one row of an amendment, as slices do."""
    to.count(batch.scored.weight)
    to.take(task, batch.scored)
    to.take_extras(batch.extras.values())
