"""What the registrar did for a model, in plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: ``snapshot``: a newer snapshot of its own pipeline took the champion's place. ``pinned``: not
#: done, because a person chose otherwise. ``refused``: not done, and ``reason`` says why.
Action = Literal["registered", "snapshot", "promoted", "rolled_back", "failed", "pinned", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the registrar did, or did not, in plain values; ``at`` is log time in seconds."""

    action: Action
    model: str
    pipeline: str
    at: float
    reason: str
    version: int | None = None
    previous_version: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told_as(self) -> str | None:
        """The action of the ``ModelEvent`` that tells it; None where nothing was done."""
        if self.action in ("pinned", "refused"):
            return None
        return "retired" if self.action == "failed" else self.action
