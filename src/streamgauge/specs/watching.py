"""What is watched beside the features: outputs, behaviour, segments, steps, silence."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.features import Ratio
from streamgauge.specs.scalars import Category, Duration, Integer, Name, Number, between, refuse


class SegmentSpec(SpecPart):
    """A field of events' ``segment`` that is counted by its values.

    The first ``max_values`` values that come have counts of their own, the rest share ``_other``.
    """

    max_values: Annotated[Integer, between(1, 200, "a whole number from 1 to 200")] = Field(
        50, description="Values with counts of their own; the rest share `_other`."
    )


class OutputSpec(SpecPart):
    """What is right for the model's answers.

    ``range`` holds scores, ``allowed`` classes, ``null_max`` how many answers may be null.
    ``low_confidence`` is where confidence is low, ``low_confidence_max`` how often it may be.
    """

    range: tuple[Number, Number] | None = Field(None, description="[lowest, highest] of the score.")
    allowed: Annotated[tuple[Category, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The classes that are right."
    )
    null_max: Ratio | None = Field(None, description="Share of answers that may be null, 0 to 1.")
    low_confidence: Ratio = Field(0.5, description="Below it an answer is unsure.")
    low_confidence_max: Ratio | None = Field(
        None, description="Share of answers that may be unsure, 0 to 1."
    )
    min_effect: Ratio | None = Field(
        None, description="The least Jensen-Shannon divergence that is worth an alarm, 0 to 1."
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.range is not None and self.range[0] >= self.range[1]:
            raise refuse("[lowest, highest], the lower number first", at=("range",))
        return self


class BehaviourSpec(SpecPart):
    """How often users may do one thing, as a share of interactions."""

    max_ratio: Ratio = Field(description="Share of interactions in which users may do it, 0 to 1.")


class WatchSpec(SpecPart):
    """Switches. Everything is on unless one says otherwise.

    ``certainty`` is confidence, margin and entropy; ``anomaly`` the score of unusual inputs;
    ``lint`` duplicate ids, sentinel values and hints; ``behaviour`` what users do; ``silence`` a
    model or step of which nothing comes; ``seasons`` the comparison with the same hour of the
    week; ``releases`` that of a new version with the one before it.
    """

    certainty: bool = Field(True, description="Confidence, margin and entropy of answers.")
    anomaly: bool = Field(True, description="Unusual inputs.")
    lint: bool = Field(True, description="Duplicate ids, sentinel values, hints at units.")
    behaviour: bool = Field(True, description="What users do.")
    silence: bool = Field(True, description="A model or a step from which nothing comes.")
    seasons: bool = Field(True, description="The same hour of the week, from the third week on.")
    releases: bool = Field(True, description="A new version beside the one before it.")


def _filled(value: object) -> object:
    # `country:` with nothing behind it is how people write a default.
    if isinstance(value, dict):
        return {key: {} if each is None else each for key, each in value.items()}
    return value


Segments = Annotated[dict[Name, SegmentSpec], Field(max_length=8), BeforeValidator(_filled)]
SilenceAfter = Annotated[Duration, between(1.0, 90 * 86_400.0, "a duration from 1s to 90d")]
Steps = Annotated[tuple[Name, ...], Field(max_length=20)]
Behaviours = Annotated[dict[Name, BehaviourSpec], Field(max_length=20)]
