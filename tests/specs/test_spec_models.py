"""What a spec says, what it leaves open, and how it meets a process' own defaults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from streamgauge.specs import ModelSpec, SpecVersion, process_defaults
from streamgauge.specs.effective import effective_settings
from streamgauge.specs.json_schema import spec_schema
from streamgauge.specs.scalars import parse_category, parse_duration, parse_number, show_duration

FULL: dict[str, Any] = {
    "version": 1,
    "model": "fraud",
    "task": "binary",
    "owner": "risk-ml",
    "runbook_url": "https://wiki.example/fraud",
    "shards": 2,
    "false_alarms_per_month": 0.5,
    "defaults": {
        "pane": "10s",
        "min_duration": "60s",
        "min_events": 500,
        "max_duration": "24h",
        "grace": "30s",
        "severity": "critical",
    },
    "reference": {"kind": "profile", "id": "abc.1"},
    "features": {
        "amount": {
            "type": "numeric",
            "range": [0, "1e6"],
            "missing_max": 0.01,
            "min_effect": 0.1,
            "detectors": [{"name": "adwin", "feed": "events", "delta": "1e-3", "clock": 16}],
        },
        "country": {"type": "categorical", "allowed": ["SE", "NO"], "new_category": "info"},
        "id": {"ignore": True},
    },
}


def test_a_model_nobody_configured_has_the_designs_defaults() -> None:
    spec = ModelSpec.default("fraud")
    assert spec.false_alarms_per_month == 1
    assert spec.shards == 1
    d = spec.defaults
    assert (d.pane_seconds, d.min_duration_seconds, d.min_events) == (10.0, 60.0, 500)
    assert (d.max_duration_seconds, d.grace_seconds, d.severity) == (86_400.0, 30.0, "warning")
    reference = spec.reference
    assert (reference.kind, reference.id) == ("learned", None)
    assert (reference.min_events, reference.min_duration_seconds) == (1000, 86_400.0)
    assert spec.feature("anything").declared_type is None


def test_a_full_spec_is_read() -> None:
    spec = ModelSpec.from_document(FULL)
    assert spec.features["amount"].range == (0.0, 1e6)
    (detector,) = spec.features["amount"].detectors
    assert (detector.name, detector.feed) == ("adwin", "events")
    assert detector.params == {"delta": 0.001, "clock": 16}
    assert isinstance(detector.params["clock"], int)
    assert spec.features["country"].allowed == ("SE", "NO")
    assert spec.features["id"].ignore


def test_specs_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ModelSpec.default("fraud").shards = 3  # type: ignore[misc]


@pytest.mark.parametrize("document", [FULL, {"model": "fraud"}], ids=["full", "empty"])
def test_a_document_survives_the_store(document: dict[str, Any]) -> None:
    spec = ModelSpec.from_document(document)
    version = SpecVersion(3, 12.5, spec, "ann", 10.5)
    again = SpecVersion.from_bytes(version.to_bytes())
    assert again == version
    assert again.spec.document() == spec.document()


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"number": 1}', b'{"spec": {"model": ""}}'], ids=repr
)
def test_what_is_no_version_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        SpecVersion.from_bytes(data)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("5m", 300), ("24h", 86_400), ("30d", 2_592_000), ("1w", 604_800)]
    + [("1h30m", 5400), ("250ms", 0.25), ("1.5h", 5400), ("90", 90), (90, 90), ("1e2", 100)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "10 s", "10x", "1h-3m", "-5s", None, True, [1], "nan"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration like"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**9))
def test_a_shown_duration_reads_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration(show_duration(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["inf", float("nan"), "1e999", True, None, "ten", [1]])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="a number"):
        parse_number(value)


def test_categories_are_written_as_the_stream_writes_them() -> None:
    assert [parse_category(v) for v in (True, False, 3, 3.0, 0.5, "x")] == [
        "true",
        "false",
        "3",
        "3",
        "0.5",
        "x",
    ]


@pytest.mark.parametrize(
    ("feature", "declared"),
    [
        ({}, None),
        ({"type": "numeric"}, "numeric"),
        ({"range": [0, 1]}, "numeric"),
        ({"allowed": ["a"]}, "categorical"),
        ({"new_category": "info"}, "categorical"),
    ],
)
def test_what_is_said_of_a_feature_tells_its_type(
    feature: dict[str, Any], declared: str | None
) -> None:
    spec = ModelSpec.from_document({"model": "m", "features": {"f": feature}})
    assert spec.feature("f").declared_type == declared


class TestProcessDefaults:
    DEMO = process_defaults(
        pane_seconds=1.0,
        min_duration_seconds=5.0,
        min_events=100,
        max_duration_seconds=60.0,
        grace_seconds=0.0,
        reference_min_events=300,
        reference_min_seconds=10.0,
    )

    def test_they_hold_for_models_without_a_spec(self) -> None:
        spec = ModelSpec.default("m", overrides=self.DEMO)
        assert spec.defaults.pane_seconds == 1.0
        assert spec.defaults.grace_seconds == 0.0
        assert spec.reference.min_events == 300
        assert spec.defaults.severity == "warning"

    def test_a_spec_wins_where_it_says_something(self) -> None:
        own = ModelSpec.from_document({"model": "m", "defaults": {"pane": "2s"}, "owner": "me"})
        spec = own.over(self.DEMO)
        assert spec.defaults.pane_seconds == 2.0
        assert spec.defaults.min_events == 100
        assert spec.owner == "me"

    def test_a_profile_needs_no_minimums(self) -> None:
        document = {"model": "m", "reference": {"kind": "profile", "id": "r"}}
        spec = ModelSpec.from_document(document).over(self.DEMO)
        assert (spec.reference.kind, spec.reference.id) == ("profile", "r")

    @pytest.mark.parametrize(
        "own",
        [
            {"min_duration": "1h"},
            {"max_duration": "2s"},
            {"pane": "5m"},
            {"pane": "1h", "max_duration": "1h"},
            {"pane": "10m", "min_duration": "1h"},
            {"min_duration": "500ms"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("overrides", [{}, DEMO], ids=["none", "demo"])
    def test_they_never_make_a_valid_spec_fail(
        self, own: dict[str, str], overrides: dict[str, Any]
    ) -> None:
        spec = ModelSpec.from_document({"model": "m", "defaults": own}).over(overrides)
        d = spec.defaults
        assert d.pane_seconds <= d.min_duration_seconds <= d.max_duration_seconds
        for key, text in own.items():
            assert getattr(d, f"{key}_seconds") == parse_duration(text)


def test_effective_settings_say_who_said_so() -> None:
    own = ModelSpec.from_document({"model": "m", "defaults": {"min_events": 50}})
    found = {
        s.name: (s.value, s.origin)
        for s in effective_settings(own, model="m", overrides={"defaults": {"grace": 0}})
    }
    assert found["defaults.min_events"] == ("50", "spec")
    assert found["defaults.grace"] == ("0s", "process")
    assert found["defaults.pane"] == ("10s", "default")
    assert found["reference.min_duration"] == ("24h", "default")
    assert "reference.id" not in found


def test_the_schema_takes_what_specs_take_and_refuses_a_slip() -> None:
    schema = spec_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    validator.validate(FULL)
    for slip in ({"modell": "x"}, {"model": "x", "defaults": {"pain": 1}}, {"model": "x", "a": 1}):
        assert list(validator.iter_errors(slip))
    assert list(validator.iter_errors({"model": "x", "defaults": {"pane": "10 parsecs"}}))


ACCEPTED = {"at": 1_700_000_000.5, "by": "ann", "reason": "tariff", "features": ["amount"]}


def test_what_was_accepted_survives_the_store_and_a_process_defaults() -> None:
    spec = ModelSpec.from_document({"model": "m", "reference": {"accepted": ACCEPTED}})
    assert spec.document()["reference"] == {"accepted": ACCEPTED}
    again = SpecVersion.from_bytes(SpecVersion(1, 2.0, spec, "ann", 0.0).to_bytes())
    assert again.spec == spec
    whole = spec.over({"reference": {"min_events": 7}})
    assert whole.reference.min_events == 7
    assert whole.reference.accepted == spec.reference.accepted
    settings = {s.name: s for s in effective_settings(spec, model="m")}
    assert settings["reference.accepted"].value.startswith("by ann at 2023-11-14 22:13:20 UTC")
    assert settings["reference.accepted"].origin == "spec"
    assert "reference.accepted" not in {s.name for s in effective_settings(None, model="m")}


@pytest.mark.parametrize(
    "reference",
    [
        {"accepted": {"by": "ann"}},
        {"accepted": {"at": 1.0}},
        {"accepted": {"at": "soon", "by": "ann"}},
        {"accepted": {"at": -1, "by": "ann"}},
        {"accepted": {"at": 1e300, "by": "ann"}},
        {"accepted": {"at": 1.0, "by": ""}},
        {"accepted": {"at": 1.0, "by": "ann", "features": []}},
        {"accepted": {"at": 1.0, "by": "ann", "model": "m"}},
        {"kind": "profile", "id": "r", "accepted": ACCEPTED},
    ],
)
def test_what_is_no_decision(reference: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelSpec.from_document({"model": "m", "reference": reference})
