"""Who decides that a challenger takes over, and what is asked of it before."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from streamgauge.plugins import did_you_mean

Mode = Literal["automatic", "approval", "manual"]
#: Where a challenger stands. The last three are final.
Status = Literal["observing", "ready", "proposed", "promoted", "failed", "abandoned"]
Kind = Literal["promotion", "rollback"]

MODES = ("automatic", "approval", "manual")
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPolicy:
    """What is asked of a challenger. Raises ``ValueError`` where a value makes no sense.

    Parameters
    ----------
    mode
        ``automatic``: promoted when ready. ``approval``: proposed when ready, a person approves.
        ``manual``: nothing happens before a person acts.
    rollback_mode
        The same for the way back, after a promotion.
    alpha
        Probability of a wrong promotion in a model's whole life; see ``spending``.
    min_labels
        Fewest events with a label on which both were scored.
    cooldown_seconds
        Least log time between two promotions of a model. A rollback need not wait for it.
    minimum_effect
        Least mean difference of losses, as a share of the loss bound (0.005 is half a point of
        accuracy): with many labels everything is significant.
    max_duration_seconds
        A challenger that is undecided for so long has failed.
    period_seconds
        Length of a round in log time (see ``AlwaysValidTest``): at least the longest cycle of
        losses and of the arrival of labels, a day by default. Decisions fall when a round ends.
        A challenger must win about eleven rounds, so that a comparison takes two weeks rather than
        an hour. With 0 a round is ``round_labels`` labels, whatever the time.
    round_labels
        A round goes on into the next period until it has so many labels.
    loss_bound
        Losses are clipped to this and divided by it.
    """

    mode: Mode = "approval"
    rollback_mode: Mode = "approval"
    alpha: float = 0.05
    min_labels: int = 500
    cooldown_seconds: float = DAY
    minimum_effect: float = 0.005
    max_duration_seconds: float = 90 * DAY
    period_seconds: float = DAY
    round_labels: int = 30
    loss_bound: float = 1.0

    def __post_init__(self) -> None:
        for name in ("mode", "rollback_mode"):
            value = getattr(self, name)
            if value not in MODES:
                hint = did_you_mean(str(value), MODES)
                raise ValueError(f"{name} is one of {', '.join(MODES)}, not {value!r}{hint}")
        if not 0.0 < self.alpha < 1.0:
            raise ValueError(f"alpha is a probability between 0 and 1, not {self.alpha!r}")
        for name in ("min_labels", "round_labels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1, not {getattr(self, name)!r}")
        for name in ("cooldown_seconds", "period_seconds", "minimum_effect"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(
                    f"{name} is a finite number, 0 or more, not {getattr(self, name)!r}"
                )
        for name in ("max_duration_seconds", "loss_bound"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is a finite number above 0, not {getattr(self, name)!r}")

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A policy by names from outside. Raises ``ValueError`` for one that there is not."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(
                    f"a promotion policy has no {name!r}{did_you_mean(name, known)} "
                    f"(there are: {', '.join(known)})"
                )
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What holds a promotion back, however good the evidence is."""

    data_quality_alarm: bool = False
    learning_frozen: bool = False

    @property
    def closed(self) -> str | None:
        """Why nothing may be promoted now; None where it may."""
        if self.data_quality_alarm:
            return "a data-quality alarm is open"
        return "learning is frozen" if self.learning_frozen else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One step of a comparison, with all that it rests on.

    ``time`` is log time in seconds, ``by`` the person where one decided. ``evidence`` holds plain
    values: ``k``, ``alpha`` (that of the k-th comparison), ``decided``, ``e_value``,
    ``e_value_worse``, ``advantage`` and its ``lower`` and ``upper`` bound (shares of the loss
    bound), ``labels``, ``rounds``, ``champion_loss``, ``challenger_loss``, ``loss_bound`` (in the
    losses' own unit), ``started_at``, ``first_label``, ``last_label`` (log time), and ``guard``:
    why nothing might be promoted, or None. Without labels there are no losses.
    """

    model: str
    champion: str
    challenger: str
    kind: Kind
    before: Status
    after: Status
    reason: str
    time: float
    by: str | None
    evidence: dict[str, Any]

    @property
    def action(self) -> str | None:
        """The ``ModelEvent`` action that this step is; None where it changes no champion."""
        if self.after != "promoted":
            return None
        return "promoted" if self.kind == "promotion" else "rolled_back"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a ``ModelEvent``'s evidence and for the record of failures."""
        return asdict(self)
