"""An applied spec: immutable, numbered, and dated by when it takes effect."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from streamgauge.specs.model_spec import ModelSpec

#: Between applying and taking effect, so that every worker has read the version by then.
EFFECTIVE_DELAY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SpecVersion:
    """One version of a model's spec.

    It holds from the first record whose log time reaches ``effective_at`` (seconds since 1970), so
    that a replay repeats the change at the same record.
    """

    number: int
    effective_at: float
    spec: ModelSpec
    applied_by: str
    applied_at: float

    def to_bytes(self) -> bytes:
        """The version as JSON."""
        return orjson.dumps(
            {
                "number": self.number,
                "effective_at": self.effective_at,
                "applied_by": self.applied_by,
                "applied_at": self.applied_at,
                "spec": self.spec.document(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> SpecVersion:
        """The version that ``to_bytes`` wrote. Raises ``ValueError`` for anything else."""
        try:
            document = orjson.loads(data)
            return cls(
                number=int(document["number"]),
                effective_at=float(document["effective_at"]),
                spec=ModelSpec.from_document(document["spec"]),
                applied_by=str(document["applied_by"]),
                applied_at=float(document["applied_at"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a spec version: {error!r}") from error
