"""One model on one partition: observe a batch, close what time has passed, raise what is found."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.alarms.finding import Finding, Span
from streamgauge.alarms.policy import AlarmPolicy, Edge
from streamgauge.batch.columns import EventBatch
from streamgauge.monitor.acts import Act, panes_of
from streamgauge.monitor.behaviour import Behaviour
from streamgauge.monitor.catalogue import Catalogue
from streamgauge.monitor.clients import Clients
from streamgauge.monitor.configuration import Configuration
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.feature_budget import FeatureBudget
from streamgauge.monitor.hearing import Heard, Hearing
from streamgauge.monitor.judge import alpha
from streamgauge.monitor.lateness import Lateness
from streamgauge.monitor.series import RULE_EVENTS, Judged, Series
from streamgauge.monitor.shown_alarms import ShownAlarms
from streamgauge.monitor.step import Step
from streamgauge.monitor.truth.feed import TruthFeed
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.monitor.truth.say import truth_event
from streamgauge.monitor.voice import edge_event, silence_edge
from streamgauge.monitor.waiting_events import ENOUGH, WaitingEvents
from streamgauge.windows.watermark import Watermark
from streamgauge_client.events import AlarmEvent


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
        self.catalogue = Catalogue(configuration, budget if budget is not None else FeatureBudget())
        self.policy = AlarmPolicy()
        self.alarms = ShownAlarms()
        self.clients = Clients()
        self.behaviour = Behaviour()
        self.hearing = Hearing()
        self.lateness = Lateness()
        self.labels = 0
        self.feedback: dict[str, int] = {}
        self.configuration = configuration
        self.watermark = self._watermark()
        self.truth = TruthFeed(ModelTruth(configuration.spec, partial(truth_event, self)))
        self._waiting = WaitingEvents()
        #: Event time up to which panes are closed; within a batch it moves at record positions.
        self._closed = -math.inf

    @property
    def steps(self) -> Mapping[str, Step]:
        """The steps that are monitored, in the order in which they first came."""
        return self.catalogue.steps

    @property
    def series(self) -> Mapping[tuple[str, str], Series]:
        """What is monitored of each version and step."""
        return self.catalogue.series

    def configure(self, configuration: Configuration) -> list[AlarmEvent]:
        """Go by another version of the spec from here on; open alarms stay open.

        Only those of what is watched no more, or was accepted, are resolved: nothing else would
        end them.
        """
        self.settle()
        events = self._unwatch(configuration) + self._accept(configuration)
        self.truth.configure(configuration.spec)
        old, self.configuration = self.watermark, configuration
        self.watermark = self._watermark()
        for field in ("value", "settled", "event_max", "recorded_at"):
            setattr(self.watermark, field, getattr(old, field))
        if old.pane != self.watermark.pane:
            self.behaviour.panes, self.behaviour.window = {}, None
        self.catalogue.configure(configuration)
        return events

    def _accept(self, configuration: Configuration) -> list[AlarmEvent]:
        """End the alarms on what somebody took for the new normal."""
        accepted = configuration.newly_accepted(self.configuration)
        events: list[AlarmEvent] = []
        for name, step in self.steps.items() if accepted is not None else ():
            assert accepted is not None
            members = {v: series for (v, of), series in self.series.items() if of == name}
            known = {*step.watched, *(n for series in members.values() for n in series.outputs)}
            targets = [each for each in sorted(known) if accepted.means(each, step=name)]
            edges = self.policy.accept(self._now(name), targets, members, by=accepted.by)
            events += [self._event(edge, None) for edge in edges]
        return events

    def _now(self, step: str) -> Span:
        """The moment up to which panes are closed, as a span without events."""
        end = (self.watermark.tick + 1) * self.watermark.pane
        return Span(end, end, 0, -1, -1, "", step)

    def _unwatch(self, configuration: Configuration) -> list[AlarmEvent]:
        """Let go of what another spec does not watch."""
        events = []
        watch = configuration.spec.watch
        if not watch.silence:
            events += [self._tell(heard) for heard in self.hearing.stop()]
        if not watch.behaviour:
            edge = self.policy.end("feedback", self._now(""))
            if edge is not None:
                events.append(self._event(edge, None))
            self.behaviour = Behaviour()
        return events

    def observe(self, batch: EventBatch, log_before: NDArray[np.float64]) -> list[AlarmEvent]:
        """Take predictions in log order.

        ``log_before`` (n,) is the running maximum of the log's time before each record, in seconds.
        """
        progress = self.watermark.observe(batch.timestamp, batch.record_timestamp, log_before)
        panes = np.floor(batch.timestamp / self.watermark.pane).astype(np.int64)
        logged = np.fmax(log_before, batch.record_timestamp)
        events: list[AlarmEvent] = []
        turns = np.flatnonzero(progress.ticks[1:] != progress.ticks[:-1]) + 1
        for start, end in itertools.pairwise([0, *turns.tolist(), len(batch)]):
            events += self._close(int(progress.ticks[start]))
            events += self._hear(batch, start, end, log_before)
            rows = np.arange(start, end)
            kept = rows[~progress.late[start:end]]
            self.lateness.take(len(rows), len(rows) - len(kept))
            if len(kept):
                part = _part(batch, start, end, kept)
                self._take(part, panes[kept])
                self.truth.take(part, logged[kept])
        return events + self._close(self.watermark.tick)

    def _take(self, batch: EventBatch, panes: NDArray[np.int64]) -> None:
        """Count events of open panes; a few that bring nothing new wait for more."""
        if len(batch) >= ENOUGH or not self._may_wait(batch):
            self.settle()
            self._count(batch, panes)
            return
        self._waiting.add(batch, panes)
        if self._waiting.rows >= ENOUGH:
            self.settle()

    def _may_wait(self, batch: EventBatch) -> bool:
        """Whether counting the events would make nothing that others compete for."""
        return batch.kind == "prediction" and self.catalogue.knows(batch)

    def settle(self) -> None:
        """Count what waits: before anything is closed, changed or told."""
        if self._waiting.rows:
            self._count(*self._waiting.take())

    def advance(self, log_time: float) -> list[AlarmEvent] | None:
        """Let the log run on to ``log_time`` (seconds) without a record of this model.

        None where nothing came of it, so nothing changed that must be kept.
        """
        self.watermark.advance(log_time)
        tick = self.watermark.tick
        due = self._waiting.first_pane <= tick or self.behaviour.due(tick)
        due = due or bool(self.catalogue.due(tick))
        events = self._close(tick) if due else None
        watched = self.configuration.spec.watch.silence
        silent = [self._tell(heard) for heard in self.hearing.notice(log_time) if watched]
        return [*(events or []), *silent] if silent else events

    def act(
        self, acts: Sequence[Act], batches: Sequence[EventBatch], log_before: NDArray[np.float64]
    ) -> None:
        """Take what users did, before the predictions of the same records are observed.

        ``log_before`` (records,) is that of every record of the chunk.
        """
        spec = self.configuration.spec
        # Names of one's own are the user's, and there may be any number of them.
        acts = [
            act if act.kind in spec.behaviour else act._replace(kind=act.kind.partition(":")[0])
            for act in acts
        ]
        for act in acts:
            self.feedback[act.kind] = self.feedback.get(act.kind, 0) + 1
        if not spec.watch.behaviour:
            return
        if not math.isfinite(self.watermark.event_max):
            # As long as nothing was predicted there is nothing to have a share of.
            first = min((int(batch.row[0]) for batch in batches), default=math.inf)
            self.behaviour.orphans += sum(act.interaction for act in acts if act.row < first)
            acts = [act for act in acts if act.row >= first]
        if not acts:
            return
        self.settle()
        panes = panes_of(acts, batches, self.watermark, log_before)
        for act, pane in zip(acts, panes, strict=True):
            self.behaviour.pane(pane).acted(act.kind, act.subject, interaction=act.interaction)

    def retire(self, version: str) -> list[AlarmEvent]:
        """Somebody took a version out of service: where it spoke last, silence is no news."""
        self.settle()
        newest = {name: self.catalogue.spoke_last(name) for name in self.steps}
        gone = [name for name, series in newest.items() if series and series.version == version]
        return [self._tell(heard) for heard in self.hearing.stop(gone)]

    def _watermark(self) -> Watermark:
        defaults = self.configuration.spec.defaults
        return Watermark(pane=defaults.pane_seconds, grace=defaults.grace_seconds)

    def _count(self, batch: EventBatch, panes: NDArray[np.int64]) -> None:
        if self.configuration.spec.watch.behaviour:
            self._count_interactions(batch, panes)
        self.catalogue.count(batch, panes, closed=self._closed)

    def _count_interactions(self, batch: EventBatch, panes: NDArray[np.int64]) -> None:
        ids, weights = batch.interaction_id, batch.weight.tolist()
        if panes.min() == panes.max():
            self.behaviour.pane(int(panes[0])).predicted(ids, weights)
            return
        for pane in np.unique(panes).tolist():
            rows = np.flatnonzero(panes == pane).tolist()
            self.behaviour.pane(pane).predicted(
                [ids[row] for row in rows], [weights[row] for row in rows]
            )

    def _due(self, tick: int) -> list[tuple[int, tuple[str, str] | None]]:
        """Panes to be closed by ``tick``, and whose they are; None is for what users did."""
        due: list[tuple[int, tuple[str, str] | None]] = [*self.catalogue.due(tick)]
        # What users did is judged behind the predictions of the same pane.
        due += [(pane, None) for pane in self.behaviour.panes if pane <= tick]
        due.sort(key=lambda item: (item[0], item[1] is None))
        return due

    def _close(self, tick: int) -> list[AlarmEvent]:
        """Close all panes up to ``tick``, in order of time and then of versions."""
        self._closed = max(self._closed, (tick + 1) * self.watermark.pane)
        due = self._due(tick)
        if due or self._waiting.first_pane <= tick:
            self.settle()
            due = self._due(tick)
        events: list[AlarmEvent] = []
        for pane, key in due:
            self.watermark.settle(pane)
            if key is None:
                events += self._close_behaviour(pane)
                continue
            series = self.series[key]
            for judged in series.close(pane):
                events += self._raise(series, judged)
                if judged.fullness == "full":
                    firing = self.policy.is_firing(series.step.name, but="data_quality")
                    series.learn(firing=firing, broken=partial(self._is_broken, series))
                if judged.fullness is not None:
                    self.catalogue.part_with_rival(series)
        return events

    def _close_behaviour(self, pane: int) -> Iterator[AlarmEvent]:
        spec = self.configuration.spec
        closed = self.behaviour.close(pane, self.watermark.pane, self.configuration.window)
        if closed is None:
            return
        window, fullness = closed
        findings = self.behaviour.judge(
            window,
            fullness,
            declared={kind: said.max_ratio for kind, said in spec.behaviour.items()},
            needed=spec.defaults.min_events,
            settles_after=spec.reference.min_duration_seconds,
            alpha=alpha(
                spec.false_alarms_per_month,
                targets=len(self.behaviour.usual),
                duration=window.end - window.start,
            ),
        )
        span = Span(window.start, window.end, window.contents.interactions, -1, -1, "", "")
        edge = self.policy.judge("feedback", span, findings)
        if edge is not None:
            yield self._event(edge, None)

    def _hear(
        self, batch: EventBatch, start: int, end: int, log_before: NDArray[np.float64]
    ) -> Iterator[AlarmEvent]:
        spec = self.configuration.spec
        if spec.watch.silence:
            # The log's time and not the event's: a backfill of old events is no silence.
            times = np.maximum(log_before[start:end], batch.record_timestamp[start:end])
            for heard in self.hearing.hear(batch.step[start:end], times, spec):
                yield self._tell(heard)

    def _tell(self, heard: Heard) -> AlarmEvent:
        return self._say(silence_edge(self, heard.step, heard.gap, ended=heard.ended))

    def _raise(self, series: Series, judged: Judged) -> Iterator[AlarmEvent]:
        by_kind: dict[str, list[Finding]] = {}
        found = judged.findings
        if judged.fullness is None:
            settles_after = self.configuration.spec.reference.min_duration_seconds
            found = [
                *found,
                *self.lateness.judge(
                    least=RULE_EVENTS, at=judged.span.end, settles_after=settles_after
                ),
            ]
        findings = [self._inhibited(each, judged) if each.exceeds else each for each in found]
        series.remember(judged, findings)
        for finding in findings:
            by_kind.setdefault(finding.kind, []).append(finding)
        for kind, findings in sorted(by_kind.items()):
            edge = self.policy.judge(kind, judged.span, findings)
            if edge is not None:
                yield self._event(edge, series, judged.contents)

    def _is_broken(self, series: Series, target: str) -> bool:
        return self.policy.is_active("data_quality", series.step.name, series.version, target)

    def _inhibited(self, finding: Finding, judged: Judged) -> Finding:
        """A broken feed explains its own drift: one cause, one alarm."""
        span = judged.span
        if finding.kind == "data_quality":
            return finding
        if self.policy.is_active("data_quality", span.step, span.version, finding.target):
            return finding.inhibit("its data-quality alarm explains it")
        return finding

    def _event(
        self, edge: Edge, series: Series | None, contents: SeriesCounts | None = None
    ) -> AlarmEvent:
        return self._say(edge_event(self, edge, series, contents))

    def _say(self, event: AlarmEvent) -> AlarmEvent:
        self.alarms.take(event)
        return event

    def state(self) -> list[Any]:
        """Plain values for ``from_state``; the same log gives the same state."""
        self.settle()
        mark = self.watermark
        steps, series, others = self.catalogue.state()
        return [
            self.model,
            self.configuration.number,
            [mark.settled, mark.event_max, mark.recorded_at],
            steps,
            series,
            self.policy.state(),
            self.alarms.state(),
            [self.labels, dict(sorted(self.feedback.items()))],
            others,
            self.clients.state(),
            self.behaviour.state(),
            self.hearing.state(),
            self.lateness.state(),
        ]

    @property
    def slow_changed(self) -> bool:
        """Whether the slow part of the state is to be written."""
        return self.catalogue.slow_changed

    def slow_state(self) -> list[Any]:
        """The part that changes by the hour; whoever asks writes it, so it is unchanged now."""
        return self.catalogue.slow_state()

    @classmethod
    def from_state(
        cls,
        state: list[Any],
        slow: list[Any] | None,
        configuration_of: Callable[[str, int], Configuration],
        *,
        topic: str,
        partition: int,
        budget: FeatureBudget,
    ) -> ModelMonitor:
        """Return the monitor described by ``state`` and the last ``slow_state``."""
        model, number, mark, steps, series, policy, alarms, counts, others = state[:9]
        clients, behaviour, hearing, lateness = state[9:]
        made = cls(
            model, configuration_of(model, number), topic=topic, partition=partition, budget=budget
        )
        made.watermark.settled, made.watermark.event_max, made.watermark.recorded_at = mark
        made.watermark.value = made.watermark.settled
        made.catalogue.restore([steps, series, others], slow)
        made.policy.restore(policy)
        made.alarms = ShownAlarms.from_state(alarms)
        made.labels, made.feedback = counts
        made.clients = Clients.from_state(clients)
        made.behaviour = Behaviour.from_state(behaviour)
        made.hearing = Hearing.from_state(hearing)
        made.lateness = Lateness.from_state(lateness)
        return made


def _part(batch: EventBatch, start: int, end: int, kept: NDArray[np.intp]) -> EventBatch:
    """The kept rows of a span of a batch: nearly always all of them, and often the whole batch."""
    if len(kept) == len(batch):
        return batch
    return batch.slice(start, end) if len(kept) == end - start else batch.take(kept)
