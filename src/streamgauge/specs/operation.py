"""How a model is run: where it serves, and the conditions it was made for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.scalars import Category, Name, Number, Text, refuse

AutomationLevel = Literal["human", "shadow", "assist", "partial", "full"]


class ServingSpec(SpecPart):
    """How predictions are asked for, and where the model runs."""

    mode: Literal["realtime", "streaming", "batch", "edge", "browser"] | None = Field(
        None, description="How predictions are asked for."
    )
    location: Text | None = Field(None, description="Like a region, a cluster, a kind of device.")


class FactorSpec(SpecPart):
    """The values of one generative factor that the model was made for."""

    range: tuple[Number, Number] | None = Field(None, description="[lowest, highest], of a number.")
    allowed: Annotated[tuple[Category, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The categories, of all else."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.range is None) == (self.allowed is None):
            raise refuse("either `range: [lowest, highest]` or `allowed: [...]`")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise refuse("[lowest, highest], the lower number first", at=("range",))
        return self


Factors = Annotated[dict[Name, FactorSpec], Field(max_length=1000)]


class EnvelopeSpec(SpecPart):
    """The conditions that the model was made for; outside of them it promises nothing.

    ``joint`` lists combinations of factors that must occur together in its data.
    """

    factors: Factors = Field(
        default_factory=dict, description="The values of each factor that the model was made for."
    )
    joint: Annotated[tuple[Factors, ...], Field(max_length=100)] = Field(
        (), description="Combinations of factors that must occur together in its data."
    )
