"""The truth that arrives later: how late, how much of it, and from whom."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.features import Ratio
from streamgauge.specs.scalars import Duration, Text, between, refuse, show_duration

_YEARS = 10 * 365 * 86_400.0
_DELAY = between(0.0, _YEARS, "a duration of at most ten years")


class LabelDelaySpec(SpecPart):
    """How long after a prediction its label comes."""

    expected_seconds: Annotated[Duration, _DELAY] | None = Field(
        None, alias="expected", description="When most labels are there."
    )
    max_seconds: Annotated[Duration, _DELAY] | None = Field(
        None, alias="max", description="When a window is settled, whatever is still missing."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.expected_seconds, self.max_seconds
        if low is not None and high is not None and low > high:
            raise refuse(f"a duration of expected ({show_duration(low)}) or more", at=("max",))
        return self


class LabelsSpec(SpecPart):
    """Which predictions ever get a label."""

    access: Text | None = Field(None, description="Where labels come from, and who may see them.")
    coverage: Ratio | None = Field(
        None, description="Share of predictions that get a label at all, 0 to 1."
    )
    implicit_negative_after_seconds: Annotated[Duration, _DELAY] | None = Field(
        None,
        alias="implicit_negative_after",
        description="Without a label after so long, the truth is the negative class.",
    )
