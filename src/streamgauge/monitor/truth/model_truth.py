"""The truth about one model on one partition: its join, its series, and its alarms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.policy import AlarmPolicy, Edge
from streamgauge.batch.columns import ERROR, EventBatch
from streamgauge.labels import Amendment, JoinRule, LabelJoin, Released, Rows, Truth
from streamgauge.labels.digest import Digests, digests
from streamgauge.labels.names import NONE, Names
from streamgauge.monitor.judge import alpha
from streamgauge.monitor.shown_alarms import ShownAlarms
from streamgauge.monitor.truth.concept import DEFAULT_DETECTORS, Wanted
from streamgauge.monitor.truth.goals import goal_findings
from streamgauge.monitor.truth.groups import Groups
from streamgauge.monitor.truth.provisional import ProvisionalFigures
from streamgauge.monitor.truth.scored import Scored, Scorer, carrying
from streamgauge.monitor.truth.series import Batch, Closed, TruthSeries
from streamgauge.monitor.truth.task import PositiveClass, Task, declared_task, told_task
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import AlarmEvent

#: Versions (of all steps together) whose truth is followed: the newest.
MOST_SERIES = 40
#: Combinations of tags that are told apart.
MOST_TAG_SETS = 1000
#: Predictions of a model that wait while no label of it ever came and its spec speaks of none.
UNASKED = 4_000
#: How long predictions wait where the spec does not say, in seconds.
DEFAULT_HORIZON = 86_400.0
MOST_SCORED_CLASSES = 20

Say = Callable[[Edge, TruthSeries, Closed], AlarmEvent]


def speaks_of_labels(spec: ModelSpec) -> bool:
    """Whether a spec says anything from which labels are to be expected."""
    return bool({"label_delay", "labels", "task"} & spec.model_fields_set)


class ModelTruth:
    """Follows what predictions turned out to be. A pure function of its spec and its records.

    Parameters
    ----------
    spec
        The spec in force.
    say
        Makes an alarm of an edge, and of the window that made it.
    """

    def __init__(self, spec: ModelSpec, say: Say) -> None:
        self._say = say
        self.spec = spec
        self.join = LabelJoin(self._rule(spec, asked=False))
        self.groups = Groups()
        self.tag_sets = Names[tuple[str, ...]](most=MOST_TAG_SETS)
        self.task: Task | None = declared_task(spec)
        self.positive = PositiveClass(spec.labels.positive)
        self.scorer = Scorer(self.positive, spec.labels.threshold)
        self.series: dict[tuple[str, str], TruthSeries] = {}
        self.policy = AlarmPolicy()
        self.alarms = ShownAlarms()
        #: Released labels that fit no answer: of another type, out of 0..1, a vector.
        self.mismatched = 0
        #: Rows below ``_through`` were released, and those below ``_counted_from`` not counted.
        self._through = self._counted_from = 0
        #: Whether a label ever came.
        self.asked = False
        #: Figures of what is not released yet, for readers.
        self.provisional = ProvisionalFigures()
        #: Whether the join, and what was judged of it, are to be written.
        self.changed = self.judged = False

    @staticmethod
    def _rule(spec: ModelSpec, *, asked: bool) -> JoinRule:
        delay, labels = spec.label_delay, spec.labels
        horizon = delay.max_seconds if delay.max_seconds is not None else DEFAULT_HORIZON
        cap = labels.pending_max
        if not (asked or speaks_of_labels(spec)):
            cap = min(UNASKED, cap)
        return JoinRule(horizon, cap, labels.implicit_negative_after_seconds)

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec from here on; what was released stays as it was judged."""
        self.spec = spec
        self.join.set_rule(self._rule(spec, asked=self.asked))
        meant = self.task, self.positive.declared
        self.task = declared_task(spec) or self.task
        self.positive.declared = spec.labels.positive
        if meant != (self.task, self.positive.declared):
            # Figures of two meanings do not add up: it begins anew, and what was released before
            # is amended no more.
            self.series, self._counted_from, self.judged = {}, self._through, True
        self.scorer.threshold = spec.labels.threshold
        self.changed = True

    # -- what comes in -----------------------------------------------------------------------

    def admit(self, batch: EventBatch, log_times: NDArray[np.float64]) -> None:
        """Take predictions in log order; ``log_times`` (n,) is the log's when each came."""
        answered = (batch.status != ERROR) & ~(batch.null_output & np.isnan(batch.score))
        if not answered.all():
            kept = np.flatnonzero(answered)
            if not len(kept):
                return
            batch, log_times = batch.take(kept), log_times[kept]
        logged = np.where(np.isfinite(log_times), log_times, 0.0)
        digest = digests(batch.prediction_id)
        self.join.admit(digest, logged, batch.row, partial(self._rows, batch, digest, logged))
        self.changed = True

    def _rows(
        self,
        batch: EventBatch,
        digest: Digests,
        logged: NDArray[np.float64],
        kept: NDArray[np.intp],
    ) -> tuple[Rows, NDArray[np.float64] | None]:
        """Those of a batch that are let in; what is not costs nothing more than its digest."""
        if len(kept) < len(batch):
            batch, digest, logged = batch.take(kept), digest[kept], logged[kept]
        rows = Rows.empty(len(batch))
        rows.digest[:], rows.logged[:] = digest, logged
        rows.time[:], rows.offset[:] = batch.timestamp, batch.offset
        rows.number[:] = batch.score
        self._name(batch)
        rows.predicted[:] = self.join.said.codes(batch.label)
        declared = {name: each.max_values for name, each in self.spec.segments.items()}
        rows.group[:] = self.groups.of(batch.version, batch.step, batch.segment, declared)
        rows.tags[:] = self._tags(batch.tags)
        rows.weight[:] = batch.weight
        return rows, self._class_scores(batch)

    def _tags(self, tags: Sequence[Mapping[str, str]]) -> NDArray[np.int32]:
        if not any(tags):
            return np.full(len(tags), NONE, dtype=np.int32)
        return self.tag_sets.codes(
            [
                tuple(f"{name}={value}" for name, value in sorted(each.items())) or None
                for each in tags
            ]
        )

    def _name(self, batch: EventBatch) -> None:
        """Give classes their codes event by event: how events come in batches must not show."""
        if batch.class_scores.count(None) == len(batch):
            return
        code = self.join.said.code
        for label, scores in zip(batch.label, batch.class_scores, strict=True):
            if label is not None:
                code(label)
            if scores is not None and len(scores) <= MOST_SCORED_CLASSES:
                for name in scores:
                    code(name)

    def _class_scores(self, batch: EventBatch) -> NDArray[np.float64] | None:
        if batch.class_scores.count(None) == len(batch):
            return None
        listed = [
            (row, self.join.said.code(name), score)
            for row, scores in enumerate(batch.class_scores)
            if scores is not None and len(scores) <= MOST_SCORED_CLASSES
            for name, score in scores.items()
        ]
        matrix = np.full((len(batch), max((code for _, code, _ in listed), default=0) + 1), np.nan)
        for row, code, score in listed:
            # Without its column a row does not add up to 1, so it is not scored.
            if code != NONE:
                matrix[row, code] = score
        return matrix

    def first_due(self, logged: float) -> float:
        """When a prediction that came at a log time must be released at the latest."""
        return logged + self.join.rule.patience

    def label(
        self,
        ids: Sequence[str],
        truths: Sequence[Truth],
        at: Sequence[float],
        records: Sequence[int],
    ) -> None:
        """Take labels in log order, after the predictions of the same chunk; see the join."""
        if not self.asked:
            self.asked = True
            self.join.set_rule(self._rule(self.spec, asked=True))
        self.join.label(digests(ids), truths, at, records)
        self.changed = True

    # -- what comes of it --------------------------------------------------------------------

    def due(self, log_time: float) -> bool:
        return self.join.due(log_time)

    def advance(self, log_time: float) -> list[AlarmEvent]:
        """End a chunk at a log time: judge what is released by now."""
        if self.join.due(log_time):
            self.changed = True
        self.join.run_to(log_time)
        events: list[AlarmEvent] = []
        for each in self.join.take():
            if isinstance(each, Amendment):
                self._amend(each)
            else:
                events += self._release(each)
        return events

    def _release(self, released: Released) -> Iterator[AlarmEvent]:
        self._through = released.first + len(released.rows)
        if self.task is None:
            told = self._tell_task(released)
            self._counted_from = told.first if told is not None else self._through
            if told is None:
                return
            released = told
        self.judged = True
        for part in self._in_room(released):
            yield from self._take(part)

    def _in_room(self, released: Released) -> Iterator[Released]:
        """The same in parts, so that a version that is new takes the place of the oldest by then.

        One part where there is room for all.
        """
        groups, start, n = released.rows.group, 0, len(released.rows)
        while start < n:
            codes, first = np.unique(groups[start:], return_index=True)
            fresh: dict[tuple[str, str], int] = {}
            for at, code in sorted(zip(first.tolist(), codes.tolist(), strict=True)):
                if code != NONE and (key := self.groups.names[code][:2]) not in self.series:
                    fresh.setdefault(key, start + at)
            if len(self.series) + len(fresh) <= MOST_SERIES:
                for key, row in fresh.items():
                    self._begin(key, released.first + row)
                yield _cut(released, start, n)
                return
            (key, row), *_ = fresh.items()
            if row > start:
                yield _cut(released, start, row)
                start = row
                continue
            oldest = min(self.series, key=lambda each: self.series[each].newest)
            if len(self.series) >= MOST_SERIES:
                del self.series[oldest]
            self._begin(key, released.first + row)

    def _begin(self, key: tuple[str, str], row: int) -> None:
        self.series[key] = series = TruthSeries(*key)
        series.since = series.newest = row

    def _take(self, released: Released) -> Iterator[AlarmEvent]:
        """Take released rows of known versions."""
        filled: list[tuple[int, TruthSeries, Closed]] = []
        for (version, step), members, batch in self._batches(released):
            series = self.series[version, step]
            series.newest = released.first + int(members[-1])
            assert self.task is not None
            defaults = self.spec.defaults
            closed = series.take(
                self.task,
                batch,
                least=defaults.min_duration_seconds,
                needed=defaults.min_events,
                wanted=self._wanted(),
                scores=self.spec.labels.scores,
                alpha=alpha(
                    self.spec.false_alarms_per_month,
                    # Each declared score is a test beside that of the errors.
                    targets=max(len(self.series), 1) * (1 + len(self.spec.labels.scores)),
                    duration=defaults.min_duration_seconds,
                ),
                settles_after=self.spec.reference.min_duration_seconds,
            )
            filled += [(int(members[each.row]), series, each) for each in closed]
        # In the order of rows: versions of one step share their alarms.
        for _, series, each in sorted(filled, key=itemgetter(0)):
            yield from self._judge(series, each)

    def _tell_task(self, released: Released) -> Released | None:
        """Find out what the model does from its first label; return the rows from there on."""
        told = self.tell(released)
        if told is None:
            return None
        self.task, row = told
        return _cut(released, row, len(released.rows))

    def tell(self, released: Released) -> tuple[Task, int] | None:
        """The task that the first label of some rows looks like, and its row; None of none."""
        rows, scores = released.rows, released.scores
        for row in np.flatnonzero(rows.state == 1).tolist():
            said, truth = int(rows.predicted[row]), int(rows.truth[row])
            if truth == NONE and math.isnan(rows.truth_number[row]) and not released.extras:
                continue
            task = told_task(
                truth=float(rows.truth_number[row]),
                truth_name=self.join.truths.names[truth] if truth != NONE else None,
                score=float(rows.number[row]),
                said_name=self.join.said.names[said] if said != NONE else None,
                classes=int(np.isfinite(scores[row]).sum()) if scores is not None else 0,
            )
            return task, row
        return None

    def _wanted(self) -> Wanted:
        declared = self.spec.labels.detectors
        if declared is not None:
            return [(each.name, each.params) for each in declared]
        return DEFAULT_DETECTORS

    def _scored(self, released: Released) -> Scored:
        assert self.task is not None
        if self.task == "scores":
            first = released.first
            return carrying(released.rows, {n - first: e for n, e in released.extras.items()})
        return self.scorer.score(
            self.task, released.rows, self.join.said, self.join.truths, released.scores
        )

    def _batches(
        self, released: Released
    ) -> Iterator[tuple[tuple[str, str], NDArray[np.intp], Batch]]:
        """Rows by version and step, with their places among the released."""
        rows = released.rows
        scored = self._scored(released)
        labelled = int((rows.state == 1).sum())
        if self.task != "scores":
            self.mismatched += labelled - int((rows.state[scored.rows] == 1).sum())
        codes, first = np.unique(rows.group, return_index=True)
        by_series: dict[tuple[str, str], list[int]] = {}
        for code in codes[np.argsort(first)].tolist():
            if code == NONE:
                continue
            group = self.groups.names[code]
            by_series.setdefault((group.version, group.step), []).append(code)
        for key, own in by_series.items():
            members = np.flatnonzero(np.isin(rows.group, own))
            yield key, members, self._batch(released, scored, members)

    def _batch(self, released: Released, scored: Scored, members: NDArray[np.intp]) -> Batch:
        rows, first = released.rows, released.first
        places = np.full(len(rows), NONE, dtype=np.intp)
        places[members] = np.arange(len(members))
        own = scored.part(np.flatnonzero(places[scored.rows] != NONE))
        own = replace(own, rows=places[own.rows])
        extras = {
            int(places[number - first]): (
                each,
                float(rows.weight[number - first] * rows.label_weight[number - first]),
            )
            for number, each in released.extras.items()
            if places[number - first] != NONE
        }
        tags = self._tags_of(rows.tags[members])
        groups = rows.group[members]
        slices = {code: self.groups.names[code].slices for code in np.unique(groups).tolist()}
        for place, (each, _) in extras.items():
            tags[place] = (*tags[place], *(f"{name}={value}" for name, value in each.tags))
        return Batch(
            rows.time[members],
            rows.offset[members],
            rows.weight[members].astype(np.float64),
            own,
            [slices[code] for code in groups.tolist()],
            tags,
            extras,
        )

    def _tags_of(self, codes: NDArray[np.int32]) -> list[tuple[str, ...]]:
        if (codes == NONE).all():
            return [()] * len(codes)
        sets = self.tag_sets.names
        return [sets[code] if code != NONE else () for code in codes.tolist()]

    def _amend(self, amendment: Amendment) -> None:
        if self.task is None:
            self._tell_task(amendment.after)
            self._counted_from = self._through
        if self.task is None or amendment.before.first < self._counted_from:
            return
        mismatched = self.mismatched
        found = next(self._batches(amendment.before), None)
        if found is None:
            return
        key, _, before = found
        taken_back, self.mismatched = self.mismatched - mismatched, mismatched
        _, _, after = next(self._batches(amendment.after))
        self.mismatched -= taken_back
        self.judged = True
        series = self.series.get(key)
        if series is not None and amendment.before.first >= series.since:
            series.amend(self.task, before, after)

    def _judge(self, series: TruthSeries, closed: Closed) -> Iterator[AlarmEvent]:
        drift = self.policy.judge("concept_drift", closed.span, closed.findings)
        goals = goal_findings(self.spec, self.task, series, closed.window)
        series.findings = [*closed.findings, *goals]
        for edge in (drift, self.policy.judge("performance", closed.span, goals)):
            if edge is not None:
                event = self._say(edge, series, closed)
                self.alarms.take(event)
                yield event

    # -- state -------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        return [
            self.join.state(),
            self.groups.state(),
            self.tag_sets.state(),
            self.task,
            self.positive.state(),
            self.scorer.classes.state(),
            self.asked,
            [self._through, self._counted_from],
        ]

    def judged_state(self) -> list[Any]:
        """The part that changes only when something is released."""
        return [
            [[*key, series.state()] for key, series in self.series.items()],
            self.policy.state(),
            self.alarms.state(),
            self.mismatched,
        ]

    def restore(
        self, state: list[Any], judged: list[Any] | None, blocks: Mapping[str, Any]
    ) -> None:
        """Become what both states and the blocks of the join described."""
        join, groups, tags, self.task, positive, classes, self.asked, counted = state
        self.join = LabelJoin(self._rule(self.spec, asked=self.asked))
        self.join.restore(join, dict(blocks))
        self.groups.restore(groups)
        self.tag_sets.restore(tags)
        self._through, self._counted_from = counted
        self.positive.restore(positive)
        self.scorer.classes.restore(classes)
        if judged is not None:
            series, policy, alarms, self.mismatched = judged
            self.series = {(v, s): TruthSeries.from_state(v, s, each) for v, s, each in series}
            self.policy.restore(policy)
            self.alarms = ShownAlarms.from_state(alarms)
        self.changed = self.judged = False


def _cut(released: Released, start: int, stop: int) -> Released:
    """Some of the rows, from one place up to another."""
    if stop - start == len(released.rows):
        return released
    first, scores = released.first + start, released.scores
    extras = {n: e for n, e in released.extras.items() if first <= n < released.first + stop}
    part = released.rows.part(start, stop)
    return Released(first, part, scores[start:stop] if scores is not None else None, extras)
