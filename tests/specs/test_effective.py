"""Effective settings: every key that is watched by, and who said so."""

from __future__ import annotations

from typing import Any

import pytest

from streamgauge.specs import ModelSpec
from streamgauge.specs.effective import effective_settings
from streamgauge.specs.watching import OutputSpec, WatchSpec

FULL: dict[str, Any] = {
    "model": "m",
    "output": {"range": [0, 1], "low_confidence_max": 0.2},
    "segments": {"country": {}, "shop.kind": {"max_values": 20}},
    "steps": ["enrich", "score"],
    "behaviour": {"redo": {"max_ratio": 0.05}},
    "silence_after": "15m",
    "watch": {"anomaly": False},
    "rules": [
        {"name": "limit-holds", "check": "amount <= limit", "severity": "critical"},
        {"name": "known", "check": "not missing(country)", "max_ratio": 0.001},
    ],
}


def shown(spec: dict[str, Any] | None, feature: str | None = None) -> dict[str, tuple[str, str]]:
    made = ModelSpec.from_document(spec) if spec is not None else None
    return {
        each.name: (each.value, each.origin)
        for each in effective_settings(made, model="m", feature=feature)
    }


def test_what_is_watched_beside_the_features_is_listed_with_who_said_so() -> None:
    found = shown(FULL)
    assert found["output.range"] == ("0, 1", "spec")
    assert found["output.low_confidence"] == ("0.5", "default")
    assert found["output.low_confidence_max"] == ("0.2", "spec")
    assert found["segments.country.max_values"] == ("50", "default")
    assert found["segments.shop.kind.max_values"] == ("20", "spec")
    assert found["steps"] == ("enrich, score", "spec")
    assert found["behaviour.redo.max_ratio"] == ("0.05", "spec")
    assert found["silence_after"] == ("15m", "spec")
    assert found["watch.anomaly"] == ("no", "spec")
    assert found["watch.lint"] == ("yes", "default")
    assert found["rules.limit-holds"] == ("amount <= limit (always, critical)", "spec")
    known = "not missing(country) (at most 0.1 % break it, warning)"
    assert found["rules.known"] == (known, "spec")


def test_without_a_spec_the_same_keys_say_what_holds() -> None:
    found = shown(None)
    assert {origin for _, origin in found.values()} == {"default"}
    assert found["silence_after"][0] == "learned for each hour of the day"
    assert found["steps"][0] == "in the order in which they come"
    assert found["behaviour"][0] == found["output.null_max"][0] == "what is usual, learned"
    assert found["segments"][0] == found["rules"][0] == "none"


@pytest.mark.parametrize("part", [OutputSpec, WatchSpec])
def test_no_key_of_a_section_is_forgotten(part: type[OutputSpec] | type[WatchSpec]) -> None:
    section = {OutputSpec: "output", WatchSpec: "watch"}[part]
    for key in part.model_fields:
        assert f"{section}.{key}" in shown(None)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("output", {"output.null_max"}),
        ("output.score", {"output.range", "output.min_effect"}),
        (
            "output.confidence",
            {
                "output.low_confidence",
                "output.low_confidence_max",
                "output.min_effect",
                "watch.certainty",
            },
        ),
        ("input.anomaly", {"watch.anomaly"}),
        ("prediction_id", {"watch.lint"}),
        ("rule limit-holds", {"rules.limit-holds"}),
        ("feedback redo", {"behaviour.redo.max_ratio"}),
        ("feedback edit", {"behaviour"}),
    ],
)
def test_a_target_that_is_no_feature_lists_what_it_goes_by(target: str, named: set[str]) -> None:
    found = shown(FULL, target)
    common = ("false_alarms", "defaults.", "reference.")
    assert {name for name in found if not name.startswith(common)} == named


def test_a_derived_feature_is_set_like_any() -> None:
    spec = {"model": "m", "features": {"len(comment)": {"range": [0, 500]}}}
    found = shown(spec, "len(comment)")
    assert found["features.len(comment).range"] == ("0, 500", "spec")
    assert found["features.len(comment).type"] == ("inferred", "default")
