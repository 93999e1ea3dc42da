"""The truth that arrives later: how late, how much of it, and from whom."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.features import DetectorCatalogue, Ratio
from streamgauge.specs.scalars import (
    Category,
    Duration,
    Integer,
    Number,
    Text,
    between,
    refuse,
    show_duration,
)

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


class ErrorDetectorSpec(SpecPart):
    """An online detector on a model's errors, and its own parameters.

    With a ``DetectorCatalogue`` as ``detectors`` in the validation context, names and parameters
    are checked against what there is.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="One of those in detectors.md.")

    __pydantic_extra__: dict[str, Number]

    @property
    def params(self) -> dict[str, int | float]:
        """The detector's own parameters, ready for ``Detector.create``."""
        return {
            key: int(value) if value.is_integer() else value
            for key, value in self.__pydantic_extra__.items()
        }

    @model_validator(mode="after")
    def _fitting(self, info: ValidationInfo) -> Self:
        known: DetectorCatalogue | None = (info.context or {}).get("detectors")
        if known is None:
            return self
        parameters = {**known.parameters, **known.of_errors}
        if self.name not in parameters:
            names = sorted(parameters)
            raise refuse(f"a detector: {', '.join(names)}", at=("name",), allowed=names)
        keys = sorted(parameters[self.name])
        for key in self.params:
            if key not in keys:
                expected = f"a parameter of {self.name}: {', '.join(keys)}"
                raise refuse(expected, at=(key,), allowed=keys, key=True)
        if problem := known.trial(self.name, self.params):
            raise refuse(f"parameters that {self.name} can work with ({problem})")
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
    positive: Category | None = Field(
        None, description="The class that a binary model looks for, like `fraud`."
    )
    threshold: Ratio = Field(
        0.5, description="A binary model's bare score of so much or more means the positive class."
    )
    pending_max: Annotated[
        Integer, between(1_000, 20_000_000, "a whole number from 1000 to 20000000")
    ] = Field(
        100_000,
        description="Predictions that wait for labels; where more come, a sample of them waits.",
    )
    detectors: Annotated[tuple[ErrorDetectorSpec, ...], Field(max_length=8)] | None = Field(
        None, description="Detectors of concept drift on the errors; else chosen by the task."
    )
    scores: Annotated[dict[Category, Literal["higher", "lower"]], Field(max_length=20)] = Field(
        default_factory=dict,
        description="Which way a score is better that labels carry: `{ndcg: higher, wer: lower}`; "
        "then it alarms where it gets worse. One with a horizon is called `mae@24h`.",
    )
    values: Annotated[dict[Category, dict[Category, Number]], Field(max_length=100)] | None = Field(
        None,
        description="What a decision is worth, by predicted class and true class, like "
        "`{fraud: {fraud: 100, ok: -5}}`.",
    )
