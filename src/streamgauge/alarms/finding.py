"""A finding: one judgement of one target over one window, before any policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from streamgauge_client.events import Histogram

State = Literal["ok", "exceeding", "warming", "too_few", "no_data", "inhibited"]
Direction = Literal["up", "down", "changed"]


@dataclass(frozen=True, slots=True)
class Span:
    """The window that was judged: event time in seconds, its events, where in the log it lies."""

    start: float
    end: float
    n: int
    first_offset: int
    last_offset: int
    version: str
    step: str


# Not frozen: that would cost sixteen calls for each of the forty findings of a window.
@dataclass(slots=True)
class Finding:
    """What one rule says of one target. Nobody changes one.

    ``severity`` is ``value ÷ threshold``, above 1 exactly when it exceeds; None where the rule
    could not judge, and ``reason`` says why.
    """

    target: str
    kind: str
    rule: str
    state: State
    value: float | None = None
    threshold: float | None = None
    severity: float | None = None
    n: int = 0
    needed: int = 0
    change: str = ""
    direction: Direction = "changed"
    reason: str = ""
    mild: bool = False
    others: Mapping[str, float] = field(default_factory=dict)
    histogram: Histogram | None = None

    @property
    def exceeds(self) -> bool:
        return self.state == "exceeding"

    def inhibit(self, reason: str) -> Finding:
        """Return this finding as one that does not speak, because another explains it."""
        return replace(self, state="inhibited", reason=reason)

    def plain(self) -> dict[str, Any]:
        """Plain values, as a view's judgement and as evidence that waits in the state."""
        return {
            "target": self.target,
            "detector": self.rule,
            "kind": self.kind,
            "state": {"exceeding": "pending", "inhibited": "ok"}.get(self.state, self.state),
            "value": self.value,
            "threshold": self.threshold,
            "severity": self.severity,
            "others": dict(self.others),
            "n": self.n,
            "needed": self.needed,
            "reason": self.reason,
        }

    def stored(self) -> list[Any]:
        """All but the picture, which the counts can draw again."""
        values = [getattr(self, name) for name in self.__slots__ if name != "histogram"]
        return [dict(value) if isinstance(value, Mapping) else value for value in values]

    @classmethod
    def from_stored(cls, stored: list[Any]) -> Finding:
        names = [name for name in cls.__slots__ if name != "histogram"]
        return cls(**dict(zip(names, stored, strict=True)))
