"""What the registry keeps of each version, each decision, and of who is champion."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from streamgauge.registry.rejected import Rejected, require_key

Status = Literal["registered", "challenger", "champion", "failed", "retired", "rolled_back"]
#: Where a version may go from where. ``champion`` is entered by ``promote`` and ``rollback``.
STEPS: dict[Status, tuple[Status, ...]] = {
    "registered": ("challenger", "champion", "failed", "retired"),
    "challenger": ("champion", "failed", "retired"),
    "champion": ("retired", "rolled_back"),
    "failed": (),
    "retired": ("challenger", "champion"),
    "rolled_back": ("champion", "retired"),
}


class ModelRecord(BaseModel):
    """One version of a model. Never deleted, also where it failed or its artefact is gone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    version: int
    status: Status = "registered"
    #: Why it has that status.
    reason: str = ""
    #: The header's facts: pipeline, parent, positions, libraries, metrics.
    lineage: dict[str, Any] = {}
    sha256: str = ""
    size_bytes: int = 0
    registered_at: float = 0.0
    changed_at: float = 0.0
    #: Who was champion before this one became it: where a rollback leads.
    succeeded: int | None = None
    #: A decision made it champion, or ended its time: it can be gone back to.
    milestone: bool = False

    @property
    def pipeline(self) -> str:
        """The pipeline whose snapshot it is."""
        return str(self.lineage.get("pipeline", ""))


class Decision(BaseModel):
    """One line of a model's history, which only grows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: float
    model: str
    version: int
    status: Status
    action: str
    actor: str
    reason: str
    previous_version: int | None = None
    evidence: dict[str, Any] = {}


class Champion(BaseModel):
    """The pointer to the version that serves. ``turn`` grows with each change of it.

    It is signed as the artefacts are: who can write to Redis, but has no key, can neither make an
    old version serve nor a turn come again.

    ``decision`` is the learner's last decision that was carried out. ``chosen_at`` is when a person
    chose this version, None where the learner did. What a person chose stays (it is pinned) until
    the learner decides anew, after that time; with ``follow``, newer snapshots of the same pipeline
    take its place until then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: int
    turn: int
    sha256: str
    at: float
    decision: str | None = None
    chosen_at: float | None = None
    follow: bool = False

    @property
    def pinned(self) -> bool:
        """Whether a person wants this version and no newer snapshot."""
        return self.chosen_at is not None and not self.follow

    def to_bytes(self, *, key: bytes) -> bytes:
        """Signed JSON."""
        require_key(key)
        body = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return _signature(body, key) + body

    @classmethod
    def from_bytes(cls, data: bytes, *, key: bytes, model: str) -> Champion:
        """Raises ``Rejected`` for one that is not ours, or another model's."""
        require_key(key)
        body = data[64:]
        if not hmac.compare_digest(data[:64], _signature(body, key)):
            raise Rejected(
                "signature",
                f"the pointer to the champion of {model} was not signed with this key; promote a"
                " version anew, or give every process the same STREAMGAUGE_STATE__KEY",
            )
        try:
            found = cls.model_validate_json(body)
        except ValidationError as error:
            raise Rejected(
                "format", f"the pointer to the champion is unreadable: {error}"
            ) from None
        if found.model != model:
            raise Rejected("mismatch", f"the pointer is {found.model}'s, not {model}'s")
        return found


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"champion:" + body, hashlib.sha256).hexdigest().encode()
