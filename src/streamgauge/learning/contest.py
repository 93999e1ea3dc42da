"""A challenger against the champion, from the first label to the decision."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamgauge.learning.always_valid import AlwaysValidTest
from streamgauge.learning.comparison import Comparison
from streamgauge.learning.paired import clipped_losses
from streamgauge.learning.promotion import Decision, Guards, Kind, Mode, PromotionPolicy, Status
from streamgauge.learning.spending import spent

FINAL = ("promoted", "failed", "abandoned")

Floats = NDArray[np.float64]


class Contest:
    """The comparison of one challenger with the champion, as a state machine in log time.

    observing → ready → (proposed →) promoted, or failed, or abandoned. *Ready*: the test has
    decided, the effect and the labels suffice, the cool-down is over. It goes back to observing
    when the evidence is gone (e-value below 1). Guards hold a ready one back until they open.

    Losses are best fed in prediction order (judgement.md §8). The evidence is looked at when
    a round ends, when the cool-down ends and when time is up: moments that the log alone
    defines, so that decisions do not depend on how it is cut into calls. Time never runs
    backwards: an earlier time counts as the latest one seen. What comes after the end is ignored.

    A person's request that cannot be met is a decision too: the status stays, the reason begins
    with "refused" and says what to do. A replay meets the same request again and must not stop.

    Parameters
    ----------
    k
        Which comparison of the model this is, from 1, rollbacks included: what it may spend.
    started_at
        Log time, seconds.
    last_promotion_at
        Log time of the model's last promotion; None where there was none.
    kind
        ``rollback`` where the challenger is the champion's predecessor; see ``reversed``.
    """

    def __init__(
        self,
        *,
        model: str,
        champion: str,
        challenger: str,
        k: int,
        started_at: float,
        policy: PromotionPolicy,
        last_promotion_at: float | None = None,
        kind: Kind = "promotion",
    ) -> None:
        self.model, self.champion, self.challenger = model, champion, challenger
        self.k, self.kind, self.policy = k, kind, policy
        self.alpha = spent(policy.alpha, k)
        self.started_at, self.last_promotion_at = started_at, last_promotion_at
        self.status: Status = "observing"
        self.guards = Guards()
        self.comparison = Comparison(policy.loss_bound)
        self.round_end = math.inf
        self.now = started_at
        #: Before this no label ends anything; unknown after each step. Derived, not in the state.
        self._quiet_until = -math.inf

    @property
    def over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL

    @property
    def test(self) -> AlwaysValidTest:
        """The evidence."""
        return self.comparison.test

    @property
    def mode(self) -> Mode:
        """Who decides."""
        return self.policy.mode if self.kind == "promotion" else self.policy.rollback_mode

    @property
    def cool_at(self) -> float:
        """Log time at which the cool-down ends."""
        if self.last_promotion_at is None or self.kind == "rollback":
            return self.started_at
        return self.last_promotion_at + self.policy.cooldown_seconds

    @property
    def deadline(self) -> float:
        """Log time at which an undecided challenger has failed."""
        return self.started_at + self.policy.max_duration_seconds

    def observe_one(
        self, time: float, champion_loss: float, challenger_loss: float
    ) -> list[Decision]:
        """Take one event: the same bytes as ``observe``, in about 3 µs where nothing is decided."""
        if self.now <= time < self._quiet_until and (
            self.policy.period_seconds or self.test.round_n + 1 < self.policy.round_labels
        ):
            self.comparison.add_one(time, champion_loss, challenger_loss)
            self.now = time
            return []
        return self.observe(
            np.array([time]), np.array([champion_loss]), np.array([challenger_loss])
        )

    def observe(
        self, times: Floats, champion_losses: Floats, challenger_losses: Floats
    ) -> list[Decision]:
        """Take events with a label, in order: log times in seconds and both losses, shape (n,)."""
        if not len(times) == len(champion_losses) == len(challenger_losses):
            raise ValueError("times and losses are of the same events: their lengths differ")
        if not np.isfinite(times).all():
            raise ValueError("a log time is a finite number of seconds")
        old = clipped_losses(champion_losses, self.policy.loss_bound)
        new = clipped_losses(challenger_losses, self.policy.loss_bound)
        moments = np.maximum.accumulate(np.maximum(times, self.now))
        decisions: list[Decision] = []
        start = 0
        while start < len(moments):
            decisions += self.advance(float(moments[start]))
            if self.over:
                break
            start = self._take(moments, old, new, start, decisions)
        return decisions

    def _take(
        self, moments: Floats, old: Floats, new: Floats, start: int, decisions: list[Decision]
    ) -> int:
        """Take the events before the next moment of a decision; return where the rest begins."""
        first, period = float(moments[start]), self.policy.period_seconds
        self.round_end = (first // period + 1.0) * period if period else math.inf
        until = min(self.round_end, self._next_moment())
        end = max(int(np.searchsorted(moments, until)), start + 1)
        if not period:
            end = min(end, start + self.policy.round_labels - self.test.round_n)
        self.comparison.add(moments[start:end], old[start:end], new[start:end])
        self.now = float(moments[end - 1])
        self._quiet_until = until
        if not period and self.test.round_n >= self.policy.round_labels:
            self.test.end_round()
            decisions += self._judge()
        return end

    def advance(self, time: float) -> list[Decision]:
        """Let log time pass until ``time``, exclusive of events at it."""
        decisions: list[Decision] = []
        while not self.over and (moment := self._next_moment()) <= time:
            self.now = max(self.now, moment)
            if moment == self.round_end:
                self.test.end_round()
                self.round_end = math.inf
            decisions += self._judge()
        self.now = max(self.now, time)
        return decisions

    def guard(self, time: float, guards: Guards) -> list[Decision]:
        """Close or open the guards; what was held back happens when they open."""
        decisions = self.advance(time)
        self.guards = guards
        return decisions + (self._act() if self.status == "ready" else [])

    def approve(self, time: float, by: str) -> list[Decision]:
        """Promote what is proposed; refused where nothing is, or where a guard is closed."""
        decisions = self.advance(time)
        if self.status != "proposed":
            return [*decisions, self._refused(f"{self.status}, not proposed; see promote", by)]
        if self.guards.closed:
            return [*decisions, self._refused(f"{self.guards.closed}; approve after it", by)]
        return [*decisions, self._move("promoted", "approved", by)]

    def promote(self, time: float, by: str) -> list[Decision]:
        """Promote by hand, whatever the evidence and the guards: they stand in the decision."""
        decisions = self.advance(time)
        if self.over:
            return [*decisions, self._refused(f"{self.status} already; begin a new contest", by)]
        return [*decisions, self._move("promoted", "by hand", by)]

    def abandon(self, time: float, reason: str, by: str | None = None) -> list[Decision]:
        """End it without a verdict: another was promoted, or a person withdrew the challenger."""
        decisions = self.advance(time)
        return decisions if self.over else [*decisions, self._move("abandoned", reason, by)]

    def reversed(self, k: int) -> Contest:
        """After a promotion: the old champion as a shadow, which may win its place back.

        It begins afresh: the data that chose the new champion flatter it. Raises ``ValueError``
        before the promotion.
        """
        if self.status != "promoted":
            raise ValueError(
                f"{self.challenger!r} is {self.status}: no way back before its promotion"
            )
        return Contest(
            model=self.model,
            champion=self.challenger,
            challenger=self.champion,
            k=k,
            started_at=self.now,
            policy=self.policy,
            last_promotion_at=self.now,
            kind="promotion" if self.kind == "rollback" else "rollback",
        )

    def _next_moment(self) -> float:
        """When something is to be decided next, if no label comes before."""
        moments = [math.inf]
        if self.test.round_n >= self.policy.round_labels:
            moments.append(self.round_end)
        if self.status == "observing":
            moments.append(self.deadline)
            if self.cool_at > self.now:
                moments.append(self.cool_at)
        return min(moments)

    def _judge(self) -> list[Decision]:
        """Look at the evidence, and say every step that follows from it."""
        if self.test.worse(self.alpha):
            return [self._move("failed", "worse")]
        gone = self.status != "observing" and self.test.log_e_value() < 0.0
        decisions = [self._move("observing", "the evidence is gone")] if gone else []
        if self.status == "ready":
            return self._act()
        if self.status == "observing" and self._enough:
            decisions.append(self._move("ready", "better"))
            return decisions + self._act()
        lasted = self.now >= self.deadline
        if self.status == "observing" and lasted:
            decisions.append(self._move("failed", "undecided"))
        return decisions

    @property
    def _enough(self) -> bool:
        return (
            self.test.n >= self.policy.min_labels
            and self.now >= self.cool_at
            and self.test.mean >= self.policy.minimum_effect
            and self.test.decided(self.alpha)
        )

    def _act(self) -> list[Decision]:
        """What follows from being ready."""
        if self.guards.closed or self.mode == "manual":
            return []
        if self.mode == "approval":
            return [self._move("proposed", "better")]
        return [self._move("promoted", "better")]

    def _refused(self, why: str, by: str) -> Decision:
        return self._move(self.status, f"refused: {why}", by)

    def _move(self, after: Status, reason: str, by: str | None = None) -> Decision:
        before, self.status = self.status, after
        self._quiet_until = -math.inf
        return Decision(
            model=self.model,
            champion=self.champion,
            challenger=self.challenger,
            kind=self.kind,
            before=before,
            after=after,
            reason=reason,
            time=self.now,
            by=by,
            evidence=self.evidence(),
        )

    def evidence(self) -> dict[str, Any]:
        """What the comparison has found up to now; see ``Decision``."""
        asked = {"k": self.k, "alpha": self.alpha, "started_at": self.started_at}
        return asked | {"guard": self.guards.closed} | self.comparison.evidence(self.alpha)

    _PLAIN = (
        "model",
        "champion",
        "challenger",
        "k",
        "kind",
        "status",
        "started_at",
        "last_promotion_at",
        "round_end",
        "now",
    )

    def state(self) -> dict[str, Any]:
        """Plain values; infinite is written as None."""
        state = {name: getattr(self, name) for name in self._PLAIN}
        state["round_end"] = None if math.isinf(self.round_end) else self.round_end
        state["policy"], state["guards"] = asdict(self.policy), asdict(self.guards)
        return state | {"comparison": self.comparison.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Take up what ``state`` gave. Raises ``ValueError`` for a policy that makes no sense."""
        made = cls(
            model=state["model"],
            champion=state["champion"],
            challenger=state["challenger"],
            k=state["k"],
            started_at=state["started_at"],
            policy=PromotionPolicy.of(**state["policy"]),
        )
        for name in cls._PLAIN:
            setattr(made, name, state[name])
        made.round_end = math.inf if state["round_end"] is None else state["round_end"]
        made.guards = Guards(**state["guards"])
        made.comparison = Comparison.from_state(state["comparison"])
        return made
