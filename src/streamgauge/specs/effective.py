"""What holds for a model or a feature, and who said so: the spec, the process, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.scalars import show_duration

_FEATURE_KEYS = ("type", "range", "missing_max", "allowed", "new_category", "min_effect", "ignore")
_DURATIONS = (
    *("pane", "min_duration", "max_duration", "grace"),
    *("expected", "max", "implicit_negative_after"),
)
#: Sections that nobody but the spec fills in.
_SAID_ONLY = ("label_delay", "labels", "serving", "learning")
_OPEN = {"type": "inferred", "min_effect": "half a standard deviation of shift"}


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
    """The settings of a model, or of one of its features, in the order of the spec's keys."""
    own = spec or ModelSpec(model=model)
    whole = own.over(overrides or {})
    plain = ModelSpec(model=model)
    said = own.document()
    settings: list[Setting] = []

    def add(name: str, value: object, default: object, spoken: bool) -> None:
        origin: Literal["spec", "process", "default"] = "default"
        if spoken:
            origin = "spec"
        elif value != default:
            origin = "process"
        settings.append(Setting(name, _words(name, value), origin))

    if feature is not None:
        theirs = whole.feature(feature)
        for key in _FEATURE_KEYS:
            spoken = key in said.get("features", {}).get(feature, {})
            add(f"features.{feature}.{key}", getattr(theirs, key), getattr(theirs, key), spoken)
        detectors = [f"{d.name} on {d.feed}" for d in theirs.detectors]
        add(f"features.{feature}.detectors", detectors, detectors, bool(detectors))
    else:
        for key in ("task", "owner", "runbook_url", "shards"):
            add(key, getattr(whole, key), getattr(plain, key), key in said)
    key = "false_alarms_per_month"
    add(key, getattr(whole, key), getattr(plain, key), key in said)
    unused = ("id",) if whole.reference.kind == "learned" else ("min_events", "min_duration")
    for section in ("defaults", "reference"):
        part, base = getattr(whole, section), getattr(plain, section)
        for field, info in type(part).model_fields.items():
            key = info.alias or field
            if section == "reference" and key in unused:
                continue
            spoken = key in said.get(section, {})
            if key == "accepted" and not spoken:
                continue
            add(f"{section}.{key}", getattr(part, field), getattr(base, field), spoken)
    if feature is not None:
        if policy := whole.privacy.get(feature, whole.privacy.get("*")):
            add(f"privacy.{feature}", policy, policy, True)
        return settings
    # Of what only the spec can say, what it says.
    for section in _SAID_ONLY:
        part = getattr(whole, section)
        for field, info in type(part).model_fields.items():
            key = info.alias or field
            if key in said.get(section, {}):
                add(f"{section}.{key}", getattr(part, field), None, True)
    if whole.automation_level is not None:
        add("automation_level", whole.automation_level, None, True)
    return settings


def _words(name: str, value: object) -> str:
    last = name.rsplit(".", 1)[-1]
    if value is None or value == []:
        return _OPEN.get(last, "none")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if last in _DURATIONS and isinstance(value, float):
        return show_duration(value)
    if isinstance(value, AcceptedSpec):
        return value.words()
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words('', each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words("", item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
