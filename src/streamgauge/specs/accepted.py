"""The section ``reference.accepted``: who made the present the new normal, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from streamgauge.specs.base import SpecPart
from streamgauge.specs.scalars import Name, Number, between

#: Up to the year 5138, which every platform can write.
_SINCE_1970 = between(0.0, 1e11, "seconds since 1970")


class AcceptedSpec(SpecPart):
    """A decision that a person made, and signs: what the stream shows now is how it should be.

    ``streamgauge reference accept`` writes it; ``at`` is its clock in seconds since 1970. A worker
    that meets a new ``at`` takes each target's last windows as its reference. Without ``step`` all
    steps are meant, without ``features`` all features and outputs.
    """

    at: Annotated[Number, _SINCE_1970] = Field(
        description="When it was decided, in seconds since 1970."
    )
    by: Annotated[str, Field(min_length=1, max_length=256)] = Field(description="Who decided.")
    reason: Annotated[str, Field(max_length=1000)] | None = Field(
        None, description="Why, for whoever asks later."
    )
    step: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="The pipeline step that is meant; all without it."
    )
    features: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The features and outputs that are meant; all without it."
    )

    def means(self, target: str, *, step: str) -> bool:
        """Whether the decision is about this target (a feature's name, ``output.score``)."""
        return self.step in (None, step) and (self.features is None or target in self.features)

    def words(self) -> str:
        """The decision on one line, for people.

        >>> AcceptedSpec(at=0, by="ann", reason="new tariff", features=("amount",)).words()
        'by ann at 1970-01-01 00:00:00 UTC, for amount: new tariff'
        """
        at = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        step = f", for step {self.step}" if self.step is not None else ""
        features = f", for {', '.join(self.features)}" if self.features else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"by {self.by} at {at} UTC{step}{features}{reason}"
