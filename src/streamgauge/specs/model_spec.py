"""The spec of one model: everything optional but its name, every default in one place."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from streamgauge.specs.base import SpecPart
from streamgauge.specs.criteria import BaselineSpec, ComputeSpec, CriterionSpec, SloSpec
from streamgauge.specs.features import FeatureSpec
from streamgauge.specs.labels import LabelDelaySpec, LabelsSpec
from streamgauge.specs.learning import LearningSpec, check_task
from streamgauge.specs.operation import AutomationLevel, EnvelopeSpec, ServingSpec
from streamgauge.specs.privacy import FieldPolicy
from streamgauge.specs.project import ApprovalSpec, OwnerSpec, ProjectSpec, RiskSpec
from streamgauge.specs.rules import Rules
from streamgauge.specs.scalars import Integer, Name, Number, Url, between, refuse
from streamgauge.specs.sections import DefaultsSpec, ReferenceSpec
from streamgauge.specs.watching import (
    Behaviours,
    OutputSpec,
    Segments,
    SilenceAfter,
    Steps,
    WatchSpec,
)

_UNSET = FeatureSpec()


def process_defaults(
    *,
    pane_seconds: float,
    min_duration_seconds: float,
    min_events: int,
    max_duration_seconds: float,
    grace_seconds: float,
    reference_min_events: int,
    reference_min_seconds: float,
) -> dict[str, Any]:
    """A process' own defaults as the document that ``ModelSpec.default`` takes as ``overrides``.

    The keywords are the fields of the settings' section ``monitoring``.
    """
    return {
        "defaults": {
            "pane": pane_seconds,
            "min_duration": min_duration_seconds,
            "min_events": min_events,
            "max_duration": max_duration_seconds,
            "grace": grace_seconds,
        },
        "reference": {"min_events": reference_min_events, "min_duration": reference_min_seconds},
    }


class ModelSpec(SpecPart):
    """What the owner of a model asks of its monitoring.

    A model without one is monitored by ``ModelSpec.default(model)``. A spec holds only what it
    says; ``over`` lays it over a process' own defaults.

    Examples
    --------
    >>> spec = ModelSpec.from_document({"model": "fraud", "defaults": {"pane": "5s"}})
    >>> spec.defaults.pane_seconds, spec.defaults.min_events
    (5.0, 500)
    >>> spec.document()
    {'model': 'fraud', 'defaults': {'pane': 5.0}}
    >>> ModelSpec.default("fraud", overrides={"defaults": {"min_events": 50}}).defaults.min_events
    50
    """

    planned = {
        "monitors": "monitors of one's own (rules with thresholds)",
    }

    version: Literal[1] = Field(1, description="Of this format.")
    model: Name = Field(description="The model's name, as its events have it.")
    task: Literal["binary", "multiclass", "regression", "ranking", "generative"] | None = Field(
        None, description="What it predicts; else the first label tells."
    )
    owner: Annotated[str, Field(max_length=256)] | None = Field(
        None, description="Whom alarms go to where nobody holds a role."
    )
    runbook_url: Url | None = Field(None, description="Stands in every alarm.")
    shards: Annotated[Integer, between(1, 1024, "a whole number from 1 to 1024")] = Field(
        1, description="More only where one core is not enough for the model."
    )
    false_alarms_per_month: Annotated[
        Number, between(1e-3, 1e4, "a number from 0.001 to 10000")
    ] = Field(
        1.0, description="The false alarms that are accepted; every threshold follows from it."
    )
    defaults: DefaultsSpec = DefaultsSpec()
    reference: ReferenceSpec = ReferenceSpec()
    features: Annotated[dict[Name, FeatureSpec], Field(max_length=1000)] = Field(
        default_factory=dict,
        description="What is known of features, by name; those not named are watched all the same.",
    )
    output: OutputSpec = OutputSpec()
    rules: Rules = Field((), description="What must hold for each event.")
    segments: Segments = Field(
        default_factory=dict, description="Fields of `segment` that are counted by their values."
    )
    steps: Steps = Field((), description="The pipeline's steps in their order.")
    behaviour: Behaviours = Field(
        default_factory=dict, description="How often users may redo, override, abandon, …"
    )
    silence_after: SilenceAfter | None = Field(
        None, description="How long nothing may come; else learned per hour of the day."
    )
    watch: WatchSpec = WatchSpec()
    project: ProjectSpec = ProjectSpec()
    owners: Annotated[tuple[OwnerSpec, ...], Field(max_length=100)] = Field(
        (), description="Who answers for the model; `owner` where nobody holds a role."
    )
    criteria: Annotated[tuple[CriterionSpec, ...], Field(max_length=100)] = Field(
        (), description="Claims that every judged window is held against."
    )
    slo: SloSpec = SloSpec()
    compute: ComputeSpec = ComputeSpec()
    baselines: Annotated[tuple[BaselineSpec, ...], Field(max_length=100)] = Field(
        (), description="What the model is measured against."
    )
    risks: Annotated[tuple[RiskSpec, ...], Field(max_length=100)] = Field(
        (), description="What may go wrong, and what is done then."
    )
    label_delay: LabelDelaySpec = LabelDelaySpec()
    labels: LabelsSpec = LabelsSpec()
    serving: ServingSpec = ServingSpec()
    learning: LearningSpec = LearningSpec()
    automation_level: AutomationLevel | None = Field(
        None, description="How much is decided without a human."
    )
    privacy: Annotated[dict[Name, FieldPolicy], Field(max_length=1000)] = Field(
        default_factory=dict, description="What may be kept of a feature's values."
    )
    operating_envelope: EnvelopeSpec = EnvelopeSpec()
    approvals: Annotated[tuple[ApprovalSpec, ...], Field(max_length=20)] = Field(
        (), description="Who must say yes before something is done."
    )

    @field_validator("criteria", "risks")
    @classmethod
    def _distinct(cls, parts: tuple[Any, ...]) -> tuple[Any, ...]:
        for key in ("name", "id"):
            names = [getattr(part, key, None) for part in parts]
            for i, name in enumerate(names):
                if name is not None and name in names[:i]:
                    raise refuse(f"another {key} than {name!r}, which is taken", at=(i, key))
        return parts

    @model_validator(mode="after")
    def _learnable(self, info: ValidationInfo) -> Self:
        check_task(self.learning, self.task, (info.context or {}).get("learners"))
        return self

    @classmethod
    def default(cls, model: str, *, overrides: Mapping[str, Any] | None = None) -> Self:
        """The spec of a model that nobody configured."""
        return cls.from_document({**(overrides or {}), "model": model})

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], *, context: Mapping[str, Any] | None = None
    ) -> Self:
        """A spec from its document. Raises ``pydantic.ValidationError``."""
        return cls.model_validate(document, context=dict(context or {}))

    def document(self) -> dict[str, Any]:
        """What the spec itself says, and nothing of the defaults; JSON can hold it."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def feature(self, name: str) -> FeatureSpec:
        """What is said of a feature; the empty spec where nothing is."""
        return self.features.get(name, _UNSET)

    def over(self, overrides: Mapping[str, Any]) -> ModelSpec:
        """The same with a process' defaults for what it leaves open.

        Never raises for a valid spec: a process must not fail because its defaults and a spec that
        was applied elsewhere do not fit. What the spec says wins.
        """
        own = self.document()
        merged = _merged(overrides, own)
        if self.reference.kind == "profile":
            merged["reference"] = own["reference"]
        _fit_windows(merged.get("defaults", {}), own.get("defaults", {}))
        return ModelSpec.from_document(merged)


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(lower))
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = _merged(below, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _fit_windows(merged: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Make pane ≤ min_duration ≤ max_duration, keeping what the spec says."""
    filled = DefaultsSpec().model_dump(by_alias=True) | merged
    pane, low, high = (float(filled[k]) for k in ("pane", "min_duration", "max_duration"))
    if pane > low:
        if "pane" in own:
            merged["min_duration"] = low = pane
        else:
            merged["pane"] = low
    if low > high:
        if "max_duration" in own and "min_duration" not in own:
            merged["min_duration"] = high
            merged["pane"] = min(pane, high)
        else:
            merged["max_duration"] = low
