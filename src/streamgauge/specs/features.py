"""What a spec says of one feature, and the detectors that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.scalars import Category, Number, between, refuse
from streamgauge.specs.sections import Severity

_NAME = re.compile(r"[a-z][a-z0-9_]*")
Ratio = Annotated[Number, between(0.0, 1.0, "a ratio from 0 to 1")]


@dataclass(frozen=True, slots=True)
class DetectorCatalogue:
    """The detectors that there are. Specs are the bottom layer, so whoever reads them brings it.

    ``parameters`` are their parameters' names by detector. ``trial`` makes one and says what is
    wrong with these parameters, or nothing: better here than in every worker. ``of_errors`` are
    those, with their parameters, that take errors (0 or 1) alone, and no feature's values.
    """

    parameters: Mapping[str, Collection[str]]
    trial: Callable[[str, Mapping[str, int | float]], str] = lambda name, params: ""
    of_errors: Mapping[str, Collection[str]] = field(default_factory=dict)


class DetectorSpec(SpecPart):
    """An online detector on one feature: its name, what it is fed, its own parameters.

    ``feed: panes`` gives it the mean rank of each pane, ``events`` every event. All other keys are
    the detector's parameters.

    With a ``DetectorCatalogue`` as ``detectors`` in the validation context, names and parameters
    are checked against what there is.
    """

    model_config = ConfigDict(extra="allow")

    name: str = Field(description="One of those in detectors.md.")
    feed: Literal["panes", "events"] = Field(
        "panes", description="The mean rank of each pane, or every event's."
    )

    __pydantic_extra__: dict[str, Number]

    @property
    def params(self) -> dict[str, int | float]:
        """The detector's own parameters, ready for ``Detector.create``."""
        return {
            key: int(value) if value.is_integer() else value
            for key, value in self.__pydantic_extra__.items()
        }

    @field_validator("name")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        known = _detectors(info)
        if known is not None and name not in known.parameters:
            names = sorted(known.parameters)
            why = f" ({name} takes errors, 0 or 1, only)" if name in known.of_errors else ""
            raise refuse(f"a detector: {', '.join(names)}{why}", allowed=names)
        if not _NAME.fullmatch(name):
            raise refuse("a detector's name, like adwin")
        return name

    @model_validator(mode="after")
    def _fitting(self, info: ValidationInfo) -> Self:
        known = _detectors(info)
        if known is None:
            return self
        keys = ["feed", *sorted(known.parameters[self.name])]
        for key in self.params:
            if key not in keys:
                expected = f"a parameter of {self.name}: {', '.join(keys)}"
                raise refuse(expected, at=(key,), allowed=keys, key=True)
        if problem := known.trial(self.name, self.params):
            raise refuse(f"parameters that {self.name} can work with ({problem})")
        return self


def _detectors(info: ValidationInfo) -> DetectorCatalogue | None:
    return (info.context or {}).get("detectors")


class FeatureSpec(SpecPart):
    """What is known of one feature. All of it is optional; without a type it is inferred.

    ``range`` and ``allowed`` say which values are right, ``missing_max`` how many may be missing,
    ``new_category`` how loud an unknown category is, ``min_effect`` the least Jensen-Shannon
    divergence that is worth an alarm. An ignored feature is neither counted nor judged.
    """

    type: Literal["numeric", "categorical"] | None = Field(
        None,
        description="Else inferred from the values, or from `range`, `allowed` or `new_category`.",
    )
    range: tuple[Number, Number] | None = Field(
        None,
        description="[lowest, highest]; values outside are counted and judged. Numeric alone.",
    )
    missing_max: Ratio | None = Field(
        None, description="Share of predictions in which it may be missing, 0 to 1; else learned."
    )
    allowed: Annotated[tuple[Category, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The categories that are right. Categorical features alone."
    )
    new_category: Severity | None = Field(None, description="How loud an unknown category is.")
    ignore: bool = Field(False, description="Neither count nor judge it.")
    min_effect: Ratio | None = Field(
        None, description="The least Jensen-Shannon divergence that is worth an alarm, 0 to 1."
    )
    detectors: Annotated[tuple[DetectorSpec, ...], Field(max_length=8)] = Field(
        (), description="Online detectors on it, besides the windows."
    )

    @property
    def declared_type(self) -> Literal["numeric", "categorical"] | None:
        """The type that the spec states, also by giving a range or categories; else None."""
        if self.type is not None:
            return self.type
        if self.range is not None:
            return "numeric"
        if self.allowed is not None or self.new_category is not None:
            return "categorical"
        return None

    @field_validator("range")
    @classmethod
    def _rising(cls, range: tuple[float, float] | None) -> tuple[float, float] | None:
        if range is not None and range[0] >= range[1]:
            raise refuse("[lowest, highest], the lower number first")
        return range

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.range is not None and (self.type == "categorical" or self.allowed is not None):
            raise refuse("no range on a categorical feature; use `allowed`", at=("range",))
        if self.type == "numeric":
            for key in ("allowed", "new_category"):
                if getattr(self, key) is not None:
                    raise refuse(f"no `{key}` on a numeric feature; use `range`", at=(key,))
        if self.ignore and self.detectors:
            raise refuse("no detectors on an ignored feature", at=("detectors",))
        return self
