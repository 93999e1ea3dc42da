"""What a model may learn while it serves, who learns beside it, and when one takes over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.claims import Expression
from streamgauge.specs.features import Ratio
from streamgauge.specs.scalars import (
    Category,
    Date,
    Duration,
    Integer,
    Name,
    Number,
    Size,
    Text,
    between,
    day_start,
    refuse,
)

_YEARS = 10 * 365 * 86_400.0
_AGE = between(1.0, _YEARS, "a duration from 1s to ten years")
_PAUSE = between(0.0, _YEARS, "a duration of at most ten years")
_COUNT = between(1, 1e9, "a whole number from 1 to 1e9")
_SHARE = between(1e-6, 1.0, "a ratio above 0 and up to 1")
LEARNED_TASKS = ("binary", "multiclass", "regression")
#: What a baseline beside is called where nothing else learns, and where the spec says so.
_LINEAR = ("linear baseline", ("learning", "baseline"))


@dataclass(frozen=True, slots=True)
class LearnerCatalogue:
    """The estimators that there are. Specs are the bottom layer, so whoever reads them brings it.

    ``tasks`` are the tasks that each estimator fits, ``parameters`` its parameters with what each
    takes in words. ``takes`` tells whether an estimator's parameter takes a value, ``misfit`` what
    about (task, encoding, imbalance) does not go together, or nothing.
    """

    tasks: Mapping[str, Collection[str]]
    parameters: Mapping[str, Mapping[str, str]]
    takes: Callable[[str, str, object], bool]
    misfit: Callable[[str, str, str], str] = lambda task, encoding, imbalance: ""


class FrozenSpec(SpecPart):
    """Days in which nothing is learned, both included, in UTC."""

    from_: Date = Field(alias="from", description="First day.")
    to: Date = Field(description="Last day.")
    reason: Text | None = Field(None, description="Why, like `holidays`.")

    def holds(self, time: float) -> bool:
        """Whether a time (seconds since 1970) is in it."""
        return day_start(self.from_) <= time < day_start(self.to) + 86_400.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.from_ > self.to:
            raise refuse(f"a day not before `from` ({self.from_})", at=("to",))
        return self


def _parse_parameter(value: object) -> int | float | str | bool:
    if not isinstance(value, int | float | str):
        raise refuse("a number, a word, true or false")
    return value


Parameter = Annotated[
    Any,
    BeforeValidator(_parse_parameter),
    WithJsonSchema({"type": ["number", "string", "boolean"]}),
]


class ChallengerSpec(SpecPart):
    """A pipeline that learns from the same events as the champion, and may take its place.

    With a ``LearnerCatalogue`` as ``learners`` in the validation context, the estimator and its
    parameters are checked against what there is.
    """

    estimator: Name = Field(description="Like `logistic_regression`; from a list of those allowed.")
    parameters: Annotated[dict[Name, Parameter], Field(max_length=50)] = Field(
        default_factory=dict, description="The estimator's hyperparameters."
    )
    scaling: Literal["standard", "min_max", "none"] = Field(
        "standard", description="Of numeric features, by running statistics."
    )
    encoding: Literal["one_hot", "ordinal", "target", "none"] = Field(
        "one_hot", description="Of categorical features; none leaves them out."
    )
    imbalance: Literal["none", "under_sampling", "over_sampling", "hard_sampling"] = Field(
        "none", description="What is done about rare classes or hard examples."
    )
    desired: (
        Annotated[dict[Category, Annotated[Number, _SHARE]], Field(min_length=2, max_length=100)]
        | None
    ) = Field(None, description="Shares of the classes that sampling aims at; else equal.")
    features: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Features to learn from; all without it."
    )

    @model_validator(mode="after")
    def _fitting(self, info: ValidationInfo) -> Self:
        if self.desired is not None:
            if self.imbalance not in ("under_sampling", "over_sampling"):
                expected = "no `desired` without under_sampling or over_sampling"
                raise refuse(expected, at=("desired",))
            total = sum(self.desired.values())
            if not 0.999 <= total <= 1.001:
                raise refuse(f"shares that add up to 1 (not {total:g})", at=("desired",))
        known: LearnerCatalogue | None = (info.context or {}).get("learners")
        if known is None:
            return self
        if self.estimator not in known.tasks:
            names = list(known.tasks)
            expected = f"an estimator: {', '.join(names)}"
            raise refuse(expected, at=("estimator",), allowed=names)
        takes = known.parameters[self.estimator]
        for key, value in self.parameters.items():
            if key not in takes:
                there = ", ".join(takes) or "none"
                expected = f"a parameter of {self.estimator}: {there}"
                raise refuse(expected, at=("parameters", key), allowed=takes, key=True)
            if not known.takes(self.estimator, key, value):
                raise refuse(takes[key], at=("parameters", key))
        return self


class PromotionSpec(SpecPart):
    """When a challenger takes over."""

    mode: Literal["automatic", "approval", "manual"] = Field(
        "approval", description="By itself, after somebody's yes, or by hand only."
    )
    min_labels: Annotated[Integer, _COUNT] = Field(200, description="Labels before any decision.")
    cooldown_seconds: Annotated[Duration, _PAUSE] = Field(
        3600.0, alias="cooldown", description="Time between two promotions."
    )
    alpha: Annotated[Number, between(1e-9, 0.5, "a number above 0 and up to 0.5")] = Field(
        0.05, description="Chance of any false promotion in the model's life."
    )
    min_effect: Ratio = Field(0.0, description="How much better in mean loss it must be, at least.")
    period_seconds: Annotated[Duration, _PAUSE] = Field(
        86_400.0,
        alias="period",
        description="A round: a challenger must win several. At least the longest cycle of errors "
        "and of the arrival of labels; 0 for rounds of 30 labels.",
    )
    give_up_after_seconds: Annotated[Duration, _AGE] = Field(
        30 * 86_400.0, alias="give_up_after", description="When a challenger counts as failed."
    )


class SnapshotSpec(SpecPart):
    """How often what was learned is put into the registry."""

    every_seconds: Annotated[Duration, between(1.0, 86_400.0, "a duration from 1s to 24h")] = Field(
        60.0, alias="every", description="Time between two snapshots."
    )


class RetrainingSpec(SpecPart):
    """When a retraining is asked for."""

    on_drift: bool = Field(False, description="When an alarm says that the concept changed.")
    below: Expression | None = Field(None, description="A claim; when it fails: `recall >= 0.7`.")
    max_age_seconds: Annotated[Duration, _AGE] | None = Field(
        None, alias="max_age", description="When the champion is older."
    )
    every_seconds: Annotated[Duration, _AGE] | None = Field(
        None, alias="every", description="By the calendar."
    )
    min_labels: Annotated[Integer, _COUNT] = Field(
        1000, description="New labels that must be there."
    )
    cooldown_seconds: Annotated[Duration, _PAUSE] = Field(
        86_400.0, alias="cooldown", description="Time between two requests."
    )


class LearningSpec(SpecPart):
    """What the model may learn while it serves, and what guards it."""

    allowed: bool = Field(True, description="Whether it may learn online at all.")
    frozen_fields: Annotated[tuple[Name, ...], Field(max_length=1000)] = Field(
        (), description="Features that must not be learned from."
    )
    max_step: Annotated[Number, between(1e-12, 1e12, "a number above 0")] | None = Field(
        None, description="Largest change of a weight in one step; of linear models only."
    )
    frozen: Annotated[tuple[FrozenSpec, ...], Field(max_length=100)] = Field(
        (), description="Periods in which nothing is learned."
    )
    challengers: Annotated[dict[Name, ChallengerSpec], Field(max_length=10)] = Field(
        default_factory=dict, description="Pipelines that learn beside the champion, by name."
    )
    baseline: Literal["linear", "none"] | None = Field(
        None,
        description="A plain linear model that learns beside and never serves: how much better "
        "yours is. Without a word where there are challengers; `linear` without them too.",
    )
    quality_policy: Literal["wait", "discard"] = Field(
        "wait", description="Examples that come while a data-quality alarm is open."
    )
    clip: Annotated[Number, between(1.0, 1000.0, "a number from 1 to 1000")] | None = Field(
        6.0, description="Inputs beyond so many standard deviations are clipped; null for never."
    )
    quota: Annotated[Number, _SHARE] = Field(
        1.0, description="Largest share of examples that one source of labels may teach."
    )
    on_concept_drift: Literal["keep", "reset", "challenger"] = Field(
        "keep", description="Go on, start afresh, or start a challenger that may win."
    )
    promotion: PromotionSpec = PromotionSpec()
    snapshot: SnapshotSpec = SnapshotSpec()
    max_bytes: Annotated[Size, between(10_000, 2**30, "a size from 10 kB to 1 GiB")] = Field(
        16_000_000, description="A model that grows beyond it stops learning."
    )
    retraining: RetrainingSpec = RetrainingSpec()

    @property
    def measured(self) -> bool:
        """Whether a plain linear model learns beside."""
        return self.baseline == "linear" or (self.baseline is None and bool(self.challengers))

    @property
    def learns(self) -> bool:
        """Whether there is anything that learns."""
        return bool(self.challengers) or self.measured


def check_task(learning: LearningSpec, task: str | None, known: LearnerCatalogue | None) -> None:
    """Whether what learns can learn the task. Raises the specs' own error."""
    if not learning.learns:
        return
    at: tuple[str, ...] = ("learning", "challengers")
    if task not in LEARNED_TASKS:
        words = "binary, multiclass or regression"
        what, at = ("challengers", at) if learning.challengers else _LINEAR
        raise refuse(f"no {what} unless `task` is {words}; nothing else is learned", at=at)
    for name, each in learning.challengers.items():
        if known is None or each.estimator not in known.tasks:
            continue
        if task not in known.tasks[each.estimator]:
            fitting = [one for one, tasks in known.tasks.items() if task in tasks]
            expected = f"an estimator for {task}: {', '.join(fitting)}"
            raise refuse(expected, at=(*at, name, "estimator"), allowed=fitting)
        if problem := known.misfit(task, each.encoding, each.imbalance):
            key = problem.split()[0]
            raise refuse(f"what fits {task} ({problem})", at=(*at, name, key))
