"""What holds for a model or a feature, and who said so: the spec, the process, or nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.setting_words import setting_words

_FEATURE_KEYS = ("type", "range", "missing_max", "allowed", "new_category", "min_effect", "ignore")
#: Sections that nobody but the spec fills in.
_SAID_ONLY = ("label_delay", "labels", "serving", "learning")
#: Targets that are no features: the keys of ``output`` and of ``watch`` that they go by.
_OUTPUTS: Mapping[str, tuple[Collection[str], Collection[str]]] = {
    "output": (("null_max",), ()),
    "output.score": (("range", "min_effect"), ()),
    "output.label": (("allowed", "min_effect"), ()),
    "output.latency": ((), ()),
    "output.confidence": (("low_confidence", "low_confidence_max", "min_effect"), ("certainty",)),
    "output.margin": ((), ("certainty",)),
    "output.entropy": ((), ("certainty",)),
    "input.anomaly": ((), ("anomaly",)),
    "prediction_id": ((), ("lint",)),
    "timestamp": ((), ()),
    "errors": ((), ()),
}
#: How targets begin that are a rule of the spec, a kind of feedback, and a score of labels.
RULE, FEEDBACK, SCORE = "rule ", "feedback ", "score "


class Setting(NamedTuple):
    """One effective value in words. ``origin`` is spec, process or default."""

    name: str
    value: str
    origin: Literal["spec", "process", "default"]


def effective_settings(
    spec: ModelSpec | None,
    *,
    model: str,
    overrides: Mapping[str, Any] | None = None,
    feature: str | None = None,
) -> list[Setting]:
    """The settings of a model, or of one of its features, in the order of the spec's keys.

    A ``feature`` may be any target: ``output.score``, ``rule limit-holds``, ``feedback redo``.
    """
    own = spec or ModelSpec(model=model)
    listed = _Listing(own.over(overrides or {}), ModelSpec(model=model), own.document())
    if feature is None:
        for key in ("task", "owner", "runbook_url", "shards"):
            listed.key(key)
    elif feature in _OUTPUTS:
        outputs, switches = _OUTPUTS[feature]
        listed.section("output", only=outputs)
        listed.section("watch", only=switches)
    elif feature.startswith(RULE):
        listed.rules(only=feature.removeprefix(RULE))
    elif feature.startswith(FEEDBACK):
        listed.behaviour(only=feature.removeprefix(FEEDBACK))
    elif feature.startswith(SCORE):
        listed.section("labels", only=("detectors", "scores"))
    else:
        listed.feature(feature)
    listed.key("false_alarms_per_month")
    listed.section("defaults")
    listed.reference()
    if feature is not None:
        listed.privacy(feature)
        return listed.settings
    listed.section("output")
    listed.rules()
    listed.segments()
    listed.key("steps")
    listed.behaviour()
    listed.key("silence_after")
    listed.section("watch")
    for section in _SAID_ONLY:
        listed.section(section, said_only=True)
    if listed.whole.automation_level is not None:
        listed.key("automation_level")
    return listed.settings


class _Listing:
    """Settings one after the other, each with where it comes from."""

    def __init__(self, whole: ModelSpec, plain: ModelSpec, said: Mapping[str, Any]) -> None:
        self.whole = whole
        self.settings: list[Setting] = []
        self._plain, self._said = plain, said

    def key(self, key: str) -> None:
        self._add(key, getattr(self.whole, key), getattr(self._plain, key), key in self._said)

    def section(
        self, section: str, *, only: Collection[str] | None = None, said_only: bool = False
    ) -> None:
        part, base = getattr(self.whole, section), getattr(self._plain, section)
        for field, info in type(part).model_fields.items():
            key = info.alias or field
            said = key in self._said.get(section, {})
            if (only is None or key in only) and (said or not said_only):
                self._add(f"{section}.{key}", getattr(part, field), getattr(base, field), said)

    def reference(self) -> None:
        """What a learned reference waits for, or which profile it is, and who accepted it."""
        keys = {"kind", "min_events", "min_duration"}
        if self.whole.reference.kind == "profile":
            keys = {"kind", "id"}
        self.section("reference", only=keys | self._said.get("reference", {}).keys())

    def feature(self, name: str) -> None:
        part = self.whole.feature(name)
        said = self._said.get("features", {}).get(name, {})
        for key in _FEATURE_KEYS:
            self._add(f"features.{name}.{key}", getattr(part, key), None, key in said, own=True)
        detectors = [f"{each.name} on {each.feed}" for each in part.detectors]
        self._add(f"features.{name}.detectors", detectors, None, bool(detectors), own=True)

    def rules(self, *, only: str | None = None) -> None:
        found = [rule for rule in self.whole.rules if only in (None, rule.name)]
        for rule in found:
            self._add(f"rules.{rule.name}", rule, None, True)
        if not found:
            self._add("rules", None, None, False)

    def segments(self) -> None:
        said = self._said.get("segments", {})
        for name, part in self.whole.segments.items():
            spoken = "max_values" in said.get(name, {})
            self._add(f"segments.{name}.max_values", part.max_values, None, spoken, own=True)
        if not self.whole.segments:
            self._add("segments", None, None, False)

    def behaviour(self, *, only: str | None = None) -> None:
        said = {k: v for k, v in self.whole.behaviour.items() if only in (None, k)}
        for kind, part in said.items():
            self._add(f"behaviour.{kind}.max_ratio", part.max_ratio, None, True)
        if not said:
            self._add("behaviour", None, None, False)

    def privacy(self, feature: str) -> None:
        if policy := self.whole.privacy.get(feature, self.whole.privacy.get("*")):
            self._add(f"privacy.{feature}", policy, None, True)

    def _add(
        self, name: str, value: object, default: object, said: bool, *, own: bool = False
    ) -> None:
        """``own`` says that no process can fill it in."""
        origin: Literal["spec", "process", "default"] = "default"
        if said:
            origin = "spec"
        elif not own and value != default:
            origin = "process"
        self.settings.append(Setting(name, setting_words(name, value), origin))
