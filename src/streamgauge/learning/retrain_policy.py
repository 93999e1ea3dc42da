"""When a model is to be trained anew, and on which data: what is asked for, and the request."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from streamgauge.plugins import did_you_mean

Reason = Literal["drift", "performance", "staleness", "calendar", "by hand"]
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainPolicy:
    """Raises ``ValueError`` where a value makes no sense.

    Parameters
    ----------
    on_drift
        Whether an alarm for drift asks for it.
    goal, higher_is_better
        The figure that a settled performance should reach; None: not judged.
    max_age_seconds
        Oldest champion, in log time since it was promoted; None: it may grow old.
    every_seconds
        Calendar: once in each such span of log time, counted from 0 (86,400: with the first record
        after midnight UTC); None: no calendar.
    min_labels
        Labels that the data must hold before a request goes out.
    cooldown_seconds
        Least log time between two requests.
    lookback_seconds
        How far back the data go where no change point is known.
    """

    on_drift: bool = True
    goal: float | None = None
    higher_is_better: bool = True
    max_age_seconds: float | None = None
    every_seconds: float | None = None
    min_labels: int = 1000
    cooldown_seconds: float = DAY
    lookback_seconds: float = 30 * DAY

    def __post_init__(self) -> None:
        for name in ("max_age_seconds", "every_seconds", "lookback_seconds"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} is a finite number above 0, not {value!r}")
        if not 0.0 <= self.cooldown_seconds < math.inf:
            raise ValueError(f"cooldown_seconds is 0 or more, not {self.cooldown_seconds!r}")
        if self.min_labels < 0:
            raise ValueError(f"min_labels is 0 or more, not {self.min_labels!r}")
        if self.goal is not None and not math.isfinite(self.goal):
            raise ValueError(f"goal is a finite number, not {self.goal!r}")

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A policy by names from outside. Raises ``ValueError`` for one that there is not."""
        known = [each.name for each in fields(cls)]
        for name in values:
            if name not in known:
                raise ValueError(
                    f"a retraining policy has no {name!r}{did_you_mean(name, known)} "
                    f"(there are: {', '.join(known)})"
                )
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a model should be trained anew. ``key`` is what it fires once for."""

    reason: Reason
    key: str
    time: float
    #: The change point, log time in seconds; None where none is known.
    onset: float | None = None
    #: Slices in which it shows, like "country=DE"; empty means the whole model.
    slices: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuery:
    """Which data to train on: offsets (first, end exclusive) by topic and partition.

    ``clean_from`` is the log time from which on they are of the world as it is now: the latest
    change point, else as far back as the policy looks. ``labels`` is how many labels they hold.
    """

    positions: dict[str, dict[int, tuple[int, int]]]
    slices: tuple[str, ...]
    clean_from: float
    labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRequest:
    """One request, for all causes that wait; ``reason`` is that of the first."""

    model: str
    reason: Reason
    causes: tuple[Cause, ...]
    time: float
    query: DataQuery

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a ``ModelEvent`` ``retrain_requested``."""
        return asdict(self)
