"""Asks for a new model when there is a cause, enough clean labels, and nothing against it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Self

from streamgauge.learning.position_marks import PositionMarks
from streamgauge.learning.retrain_policy import Cause, DataQuery, RetrainPolicy, RetrainRequest

#: Open alarms that are remembered so that each asks once; the oldest go first.
MOST = 1000


class Retraining:
    """The retraining policy of one model, as a state machine in log time.

    A cause waits until its data hold enough labels and some that are new, no data-quality alarm is
    open and the cool-down is over; then one request answers all that wait. Each cause asks once:
    an alarm by its id, a performance below its goal until it is reached again, an age once per
    champion, a calendar once in each span. A cause that goes away while it waits asks for
    nothing: drift that healed has left no new world to learn.

    Parameters
    ----------
    champion_since
        Log time at which the champion was promoted, seconds.
    """

    def __init__(self, *, model: str, policy: RetrainPolicy, champion_since: float) -> None:
        self.model, self.policy = model, policy
        self.champion_since = self.now = champion_since
        self.marks = PositionMarks()
        self.alarm_open = False
        self.last_request: float | None = None
        self._waiting: dict[str, Cause] = {}
        #: Causes that are not to ask again, in order.
        self._asked: dict[str, None] = {}
        #: Labels at the last request: the same data would give the same model.
        self._labels_then = 0
        every = policy.every_seconds
        self._calendar_slot = None if every is None else champion_since // every

    @property
    def waiting(self) -> list[Cause]:
        """Causes that have not led to a request yet, the first one first."""
        return list(self._waiting.values())

    def observe(
        self, time: float, topic: str, partition: int, offset: int, *, labels: int = 0
    ) -> list[RetrainRequest]:
        """Take a record in log order; ``labels`` is how many labels were joined by it."""
        # What time alone brings comes before the record.
        requests = self.advance(time)
        self.marks.observe(self.now, topic, partition, offset, labels)
        return requests + self._ask() if labels and self._waiting else requests

    def advance(self, time: float) -> list[RetrainRequest]:
        """Let log time pass, in seconds; it never runs backwards.

        What falls due on the way happens at its own time, so that it does not matter in how many
        steps the time passes.
        """
        requests: list[RetrainRequest] = []
        while (moment := self._next_moment()) <= time:
            self.now = max(self.now, moment)
            self._age()
            self._calendar()
            requests += self._ask()
        self.now = max(self.now, time)
        return requests

    def _next_moment(self) -> float:
        """When time alone changes something next."""
        policy, moment = self.policy, math.inf
        if policy.max_age_seconds is not None and not self._known("staleness"):
            moment = self.champion_since + policy.max_age_seconds
        if policy.every_seconds is not None and self._calendar_slot is not None:
            moment = min(moment, (self._calendar_slot + 1) * policy.every_seconds)
        if self._waiting and self.last_request is not None and self.now < self._cool_at:
            moment = min(moment, self._cool_at)
        return moment

    @property
    def _cool_at(self) -> float:
        return (
            -math.inf
            if self.last_request is None
            else self.last_request + self.policy.cooldown_seconds
        )

    def _known(self, key: str) -> bool:
        return key in self._asked or key in self._waiting

    def drift(
        self, time: float, alarm: str, *, onset: float, slices: tuple[str, ...] = ()
    ) -> list[RetrainRequest]:
        """A drift alarm fires: its id, the change point in log time, where it shows."""
        requests = self.advance(time)
        if self.policy.on_drift:
            key = f"drift:{alarm}"
            self._add(Cause(reason="drift", key=key, time=self.now, onset=onset, slices=slices))
        return requests + self._ask()

    def resolved(self, time: float, alarm: str) -> list[RetrainRequest]:
        """A drift alarm resolves: what still waits for it is dropped."""
        requests = self.advance(time)
        self._waiting.pop(f"drift:{alarm}", None)
        return requests

    def performance(
        self, time: float, value: float, *, onset: float | None = None
    ) -> list[RetrainRequest]:
        """A settled performance; ``onset`` is since when it is what it is, where that is known.

        Raises ``ValueError`` for a value that is no finite number.
        """
        if not math.isfinite(value):
            raise ValueError("a performance is a finite number: an undefined one is left out")
        requests = self.advance(time)
        goal = self.policy.goal
        if goal is None:
            return requests
        if value >= goal if self.policy.higher_is_better else value <= goal:
            self._waiting.pop("performance", None)
            self._asked.pop("performance", None)
            return requests
        evidence = {"value": value, "goal": goal}
        self._add(
            Cause(
                reason="performance",
                key="performance",
                time=self.now,
                onset=onset,
                evidence=evidence,
            )
        )
        return requests + self._ask()

    def by_hand(self, time: float, by: str) -> list[RetrainRequest]:
        """A person asks: neither labels nor cool-down are waited for, an open alarm is."""
        requests = self.advance(time)
        self._waiting["by hand"] = Cause(reason="by hand", key="by hand", time=self.now, by=by)
        return requests + self._ask()

    def data_quality(self, time: float, alarm_open: bool) -> list[RetrainRequest]:
        """A data-quality alarm opens, or the last of them closes."""
        requests = self.advance(time)
        self.alarm_open = alarm_open
        return requests + self._ask()

    def promoted(self, time: float) -> list[RetrainRequest]:
        """There is a new champion: its age begins, and the old one's causes are over."""
        requests = self.advance(time)
        self.champion_since = self.now
        self._waiting.clear()
        for key in ("staleness", "performance"):
            self._asked.pop(key, None)
        return requests

    def _age(self) -> None:
        oldest = self.policy.max_age_seconds
        # The very sum that made the moment: its difference may round to less.
        if oldest is not None and self.now >= (due := self.champion_since + oldest):
            self._add(Cause(reason="staleness", key="staleness", time=due))

    def _calendar(self) -> None:
        every, slot = self.policy.every_seconds, self._calendar_slot
        if every is None or slot is None or self.now < (slot + 1) * every:
            return
        self._calendar_slot = slot + 1
        # A span that still waits is replaced: one request is enough for both.
        time = (slot + 1) * every
        self._waiting["calendar"] = Cause(reason="calendar", key="calendar", time=time)

    def _add(self, cause: Cause) -> None:
        if not self._known(cause.key):
            self._waiting[cause.key] = cause

    def _ask(self) -> list[RetrainRequest]:
        """The request for all that wait, where nothing is against it."""
        if not self._waiting or self.alarm_open:
            return []
        causes = tuple(self._waiting.values())
        onsets = [cause.onset for cause in causes if cause.onset is not None]
        clean_from = max(onsets, default=self.now - self.policy.lookback_seconds)
        labels = self.marks.labels_since(clean_from)
        if "by hand" not in self._waiting and (
            self.now < self._cool_at
            or labels < self.policy.min_labels
            or self.marks.labels == self._labels_then
        ):
            return []
        self._labels_then = self.marks.labels
        self.last_request = self.now
        once = [cause.key for cause in causes if cause.reason not in ("by hand", "calendar")]
        self._asked |= dict.fromkeys(once)
        for key in list(self._asked)[:-MOST]:
            del self._asked[key]
        self._waiting.clear()
        return [
            RetrainRequest(
                model=self.model,
                reason=causes[0].reason,
                causes=causes,
                time=self.now,
                query=self._query(causes, clean_from, labels),
            )
        ]

    def _query(self, causes: tuple[Cause, ...], clean_from: float, labels: int) -> DataQuery:
        # One cause of the whole model makes it the whole model.
        sliced = all(cause.slices for cause in causes)
        slices = {name for cause in causes for name in cause.slices} if sliced else set()
        return DataQuery(
            positions=self.marks.since(clean_from),
            slices=tuple(sorted(slices)),
            clean_from=clean_from,
            labels=labels,
        )

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "policy": asdict(self.policy),
            "champion_since": self.champion_since,
            "now": self.now,
            "marks": self.marks.state(),
            "alarm_open": self.alarm_open,
            "last_request": self.last_request,
            "labels_then": self._labels_then,
            "waiting": [
                asdict(cause) | {"slices": list(cause.slices)} for cause in self._waiting.values()
            ],
            "asked": list(self._asked),
            "calendar_slot": self._calendar_slot,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Take up what ``state`` gave. Raises ``ValueError`` for a policy that makes no sense."""
        made = cls(
            model=state["model"],
            policy=RetrainPolicy.of(**state["policy"]),
            champion_since=state["champion_since"],
        )
        made.now, made.marks = state["now"], PositionMarks.from_state(state["marks"])
        made.alarm_open, made.last_request = state["alarm_open"], state["last_request"]
        made._labels_then = state["labels_then"]
        causes = [Cause(**row | {"slices": tuple(row["slices"])}) for row in state["waiting"]]
        made._waiting = {cause.key: cause for cause in causes}
        made._asked = dict.fromkeys(state["asked"])
        made._calendar_slot = state["calendar_slot"]
        return made
