"""What a model's owner may ask for: the spec, its versions, and how a YAML file is read."""

from __future__ import annotations

from streamgauge.specs.features import DetectorSpec, FeatureSpec
from streamgauge.specs.mistakes import Mistake, SpecInvalid
from streamgauge.specs.model_spec import ModelSpec, process_defaults
from streamgauge.specs.sections import DefaultsSpec, ReferenceSpec
from streamgauge.specs.version import SpecVersion

__all__ = [
    "DefaultsSpec",
    "DetectorSpec",
    "FeatureSpec",
    "Mistake",
    "ModelSpec",
    "ReferenceSpec",
    "SpecInvalid",
    "SpecVersion",
    "process_defaults",
]
