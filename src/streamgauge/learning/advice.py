"""When a batch trainer is to be asked for a new model, by the spec and by what happens."""

from __future__ import annotations

from typing import Any

import orjson

from streamgauge.learning.retrain_policy import RetrainPolicy, RetrainRequest
from streamgauge.learning.retraining import Retraining
from streamgauge.learning.told import Told
from streamgauge.specs.claims import Claim, parse_claim
from streamgauge.specs.learning import RetrainingSpec
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import ModelEvent

#: Who asks, in model events.
ACTOR = "learner"


class RetrainAdvice:
    """The retraining policy of one model; nothing at all where its spec asks for none."""

    def __init__(self, spec: ModelSpec) -> None:
        self._model = spec.model
        self._asked = spec.learning.retraining
        self._claim = _claim(self._asked)
        self._retraining: Retraining | None = None

    @property
    def wanted(self) -> bool:
        """Whether the spec names any cause."""
        asked = self._asked
        return bool(asked.on_drift or asked.below or asked.max_age_seconds or asked.every_seconds)

    def configure(self, spec: ModelSpec) -> None:
        """Go by another spec; what was observed stays."""
        self._asked = spec.learning.retraining
        self._claim = _claim(self._asked)
        if self._retraining is not None:
            self._retraining.policy = self._policy()

    def _policy(self) -> RetrainPolicy:
        asked, claim = self._asked, self._claim
        return RetrainPolicy(
            on_drift=asked.on_drift,
            goal=claim.bound if claim is not None else None,
            higher_is_better=claim is None or not claim.upper,
            max_age_seconds=asked.max_age_seconds,
            every_seconds=asked.every_seconds,
            min_labels=asked.min_labels,
            cooldown_seconds=asked.cooldown_seconds,
        )

    def _at(self, time: float) -> Retraining:
        if self._retraining is None:
            policy = self._policy()
            self._retraining = Retraining(model=self._model, policy=policy, champion_since=time)
        return self._retraining

    def observe(
        self, time: float, topic: str, partition: int, offset: int, *, labels: int = 0
    ) -> list[ModelEvent]:
        """Take a record in log order; ``labels`` is how many labels it brought."""
        if not self.wanted:
            return []
        return _events(self._at(time).observe(time, topic, partition, offset, labels=labels))

    def alarm(self, told: Told, time: float) -> list[ModelEvent]:
        """Take an edge of an alarm, at a log time."""
        if not self.wanted:
            return []
        retraining = self._at(time)
        if told.kind == "data_quality":
            return _events(retraining.data_quality(time, told.firing))
        if told.kind == "concept_drift" and told.firing:
            onset = told.onset if told.onset is not None else time
            return _events(
                retraining.drift(time, told.fingerprint, onset=onset, slices=told.slices)
            )
        if told.kind == "concept_drift":
            return _events(retraining.resolved(time, told.fingerprint))
        claim = self._claim
        if (
            told.kind == "performance"
            and claim is not None
            and told.feature == claim.figure
            and told.value is not None
        ):
            return _events(retraining.performance(time, told.value, onset=told.onset))
        return []

    def by_hand(self, time: float, by: str) -> list[ModelEvent]:
        """A person asks, whatever the spec says."""
        return _events(self._at(time).by_hand(time, by))

    def promoted(self, time: float) -> list[ModelEvent]:
        """There is a new champion."""
        return _events(self._at(time).promoted(time)) if self.wanted else []

    def state(self) -> dict[str, Any] | None:
        return self._retraining.state() if self._retraining is not None else None

    def restore(self, state: dict[str, Any] | None) -> None:
        self._retraining = Retraining.from_state(state) if state is not None else None


def _claim(asked: RetrainingSpec) -> Claim | None:
    return parse_claim(asked.below) if asked.below is not None else None


def _events(requests: list[RetrainRequest]) -> list[ModelEvent]:
    return [
        ModelEvent.model_validate(
            {
                "model": each.model,
                "version": "next",
                "action": "retrain_requested",
                "timestamp": each.time,
                "actor": ACTOR,
                "reason": each.reason,
                "data": _plain(each.as_dict()),
            }
        )
        for each in requests
    ]


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it: partitions as texts, tuples as lists."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    return plain
