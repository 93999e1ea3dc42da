"""Who answers for a model: its service's own answers, or a candidate that won."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from streamgauge.learning.candidate import Candidate
from streamgauge.learning.contest import Contest
from streamgauge.learning.promotion import Decision, Guards, PromotionPolicy
from streamgauge.specs.model_spec import ModelSpec

#: The champion as long as no candidate won: whatever the model's service answers with.
PUBLISHED = "published"
#: Decisions that are remembered.
REMEMBERED = 50


class Championship:
    """The contests of all candidates of a model with the answers that are published.

    Each comparison spends its part of the chance of a false promotion, whatever became of the ones
    before it. One that wins ends the others: they were held against a champion that is no more.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self.champion = PUBLISHED
        self.since: float | None = None
        #: Comparisons begun, over the model's life.
        self.comparisons = 0
        self.decisions: list[dict[str, Any]] = []
        self.guards = Guards()

    def score(
        self,
        candidates: Mapping[str, Candidate],
        spec: ModelSpec,
        at: float,
        champion: float,
        losses: Mapping[str, float | None],
        bound: float | None,
    ) -> list[Decision]:
        """Take one released row, answered at log time ``at``: the losses of all who answered it."""
        told: list[Decision] = []
        if bound is None:
            return told
        for name, candidate in candidates.items():
            own = losses[name]
            if own is None or name == self.champion or candidate.failed:
                continue
            contest = candidate.contest
            if contest is None:
                contest = candidate.contest = self._begin(name, spec, at, bound)
            for decision in contest.observe_one(at, champion, own):
                told.append(self._noted(decision))
                if decision.after == "failed":
                    candidate.failed = True
                elif decision.after == "promoted":
                    return [*told, *self._promoted(name, candidates, at)]
        return told

    def _begin(self, name: str, spec: ModelSpec, at: float, bound: float) -> Contest:
        asked = spec.learning.promotion
        self.comparisons += 1
        contest = Contest(
            model=self._model,
            champion=self.champion,
            challenger=name,
            k=self.comparisons,
            started_at=at,
            policy=PromotionPolicy(
                mode=asked.mode,
                rollback_mode=asked.mode,
                alpha=asked.alpha,
                min_labels=asked.min_labels,
                cooldown_seconds=asked.cooldown_seconds,
                minimum_effect=asked.min_effect,
                max_duration_seconds=asked.give_up_after_seconds,
                period_seconds=asked.period_seconds,
                loss_bound=bound,
            ),
            last_promotion_at=self.since,
        )
        contest.guard(at, self.guards)
        return contest

    def _promoted(
        self, name: str, candidates: Mapping[str, Candidate], at: float
    ) -> Iterator[Decision]:
        self.champion, self.since = name, at
        for other, candidate in candidates.items():
            contest, candidate.contest = candidate.contest, None
            if other == name:
                candidate.gate.serve(candidate.pipeline)
            elif contest is not None and not contest.over:
                for decision in contest.abandon(at, f"{name} was promoted"):
                    yield self._noted(decision)

    def begin_anew(
        self, candidates: Mapping[str, Candidate], at: float, reason: str
    ) -> Iterator[Decision]:
        """End all contests, undecided; the next released row begins others."""
        for candidate in candidates.values():
            contest, candidate.contest, candidate.failed = candidate.contest, None, False
            if contest is not None and not contest.over:
                for decision in contest.abandon(at, reason):
                    yield self._noted(decision)

    def drop(
        self, names: Collection[str], candidates: Mapping[str, Candidate], at: float
    ) -> Iterator[Decision]:
        """The spec has them no more: their contests end, and nobody is champion among them.

        The registry keeps the snapshot that serves until somebody else is promoted.
        """
        for name in sorted(names):
            contest = candidates[name].contest
            if contest is not None and not contest.over:
                for decision in contest.abandon(at, f"the spec has no challenger {name} any more"):
                    yield self._noted(decision)
        if self.champion in names:
            self.champion, self.since = PUBLISHED, at

    def reconfigured(self, candidate: Candidate, spec: ModelSpec, at: float) -> Iterator[Decision]:
        """Let a candidate go by another spec; one that starts afresh is another challenger."""
        contest = candidate.contest
        if candidate.configure(spec) and contest is not None and not contest.over:
            for decision in contest.abandon(at, "its pipeline was changed by the spec"):
                yield self._noted(decision)

    def _noted(self, decision: Decision) -> Decision:
        self.decisions = [*self.decisions, decision.as_dict()][-REMEMBERED:]
        return decision

    def guard(
        self, candidates: Mapping[str, Candidate], at: float, guards: Guards
    ) -> Iterator[Decision]:
        """Close or open what holds promotions back."""
        self.guards = guards
        for name, candidate in candidates.items():
            if candidate.contest is not None:
                for decision in candidate.contest.guard(at, guards):
                    yield self._noted(decision)
                    if decision.after == "promoted":
                        yield from self._promoted(name, candidates, at)
                        return

    def by_hand(
        self, name: str, candidates: Mapping[str, Candidate], at: float, by: str
    ) -> Iterator[Decision]:
        """A person made a candidate, or the published answers, champion."""
        name = name if name in candidates else PUBLISHED
        if name == self.champion:
            return
        contest = candidates[name].contest if name in candidates else None
        if contest is not None:
            ask = contest.approve if contest.status == "proposed" else contest.promote
            for decision in ask(at, by):
                yield self._noted(decision)
        yield from self._promoted(name, candidates, at)

    def state(self) -> list[Any]:
        guards = [self.guards.data_quality_alarm, self.guards.learning_frozen]
        return [self.champion, self.since, self.comparisons, list(self.decisions), guards]

    def restore(self, state: list[Any]) -> None:
        self.champion, self.since, self.comparisons, self.decisions, guards = state
        self.guards = Guards(data_quality_alarm=guards[0], learning_frozen=guards[1])
