"""What a learner knows for certain of one model: its candidates, and what it decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pipeline as it was when ``at`` was the log time of its last example, in seconds.

    ``content`` is ``Pipeline.to_bytes()``: bytes, because the pipeline learns on while they are
    registered. They are unpickled, so they must come from the learner's own memory or from a
    checkpoint that was authenticated. ``positions`` are next offsets by "topic:partition".
    ``rows`` are inputs that it saw lately, for the self-test; 20 suffice.
    """

    pipeline: str
    content: bytes
    at: float
    positions: Mapping[str, int] = field(default_factory=dict)
    examples: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    spec_version: int | None = None
    rows: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A decision of the learner about a pipeline, at a log time in seconds.

    ``id`` names it: the same decision, met again in a replay, has the same. ``action`` says how
    people are told of a new champion.
    """

    id: str
    pipeline: str
    at: float
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    action: Literal["promoted", "rolled_back"] = "promoted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All of it: durable facts, so that who is killed finds the same again.

    ``champion`` is the last decision about who is champion, None where there was none yet; it may
    name a pipeline that learns elsewhere. ``failed`` are the verdicts on pipelines that have
    failed and are no challengers for now: nothing of them is registered from then on.
    """

    model: str
    candidates: Sequence[Candidate] = ()
    champion: Verdict | None = None
    failed: Sequence[Verdict] = ()
