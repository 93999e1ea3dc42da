"""The spec's other half: what it is for, who answers, when it is good enough, what may be kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streamgauge.monitor.contingency import contingency_for
from streamgauge.specs import Mistake, ModelSpec, SpecInvalid, SpecVersion
from streamgauge.specs.claims import parse_claim
from streamgauge.specs.completeness import score
from streamgauge.specs.criteria import every_criterion
from streamgauge.specs.effective import effective_settings
from streamgauge.specs.json_schema import spec_schema
from streamgauge.specs.lint import lint
from streamgauge.specs.measures import MEASURES, measure
from streamgauge.specs.scalars import day_start
from streamgauge.specs.yaml_source import load_spec, located_remarks
from streamgauge_client.privacy import PrivacyPolicy

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy/specs/fraud.yaml"


def example() -> ModelSpec:
    return load_spec(EXAMPLE.read_bytes(), name="fraud.yaml")


def mistakes(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(SpecInvalid) as caught:
        load_spec(f"model: m\n{text}\n".encode(), name="f.yaml")
    return caught.value.mistakes


class TestTheExample:
    def test_it_says_everything_that_a_spec_may_say(self) -> None:
        spec = example()
        assert spec.model_fields_set == set(ModelSpec.model_fields)
        assert score(spec).missing == ()

    def test_nothing_about_it_is_odd_but_that_truth_comes_later(self) -> None:
        told = located_remarks(
            EXAMPLE.read_bytes(), lint(example(), today=day_start("2026-11-20")), name="fraud.yaml"
        )
        assert {each.message for each in told} == {
            "recall needs labels: UNDECIDED until a window of them is settled"
        }

    def test_the_schema_knows_all_of_it(self) -> None:
        validator = Draft202012Validator(spec_schema())
        validator.validate(example().document())

    def test_it_survives_the_store_and_a_process_defaults(self) -> None:
        version = SpecVersion(1, 2.0, example(), "ann", 0.0)
        assert SpecVersion.from_bytes(version.to_bytes()) == version
        over = example().over({"defaults": {"pane": 5.0}})
        assert over.owners == example().owners and over.privacy == example().privacy

    def test_service_levels_are_criteria_too(self) -> None:
        found = {each.name: (each.kind, each.expr) for each in every_criterion(example())}
        assert found["slo.p95_latency_ms"] == ("software", "p95_latency_ms <= 120")
        assert found["slo.error_rate"] == ("software", "error_ratio <= 0.005")
        assert found["compute.memory_bytes"] == ("software", "memory_bytes <= 2e+09")
        assert found["acceptance 2"] == ("acceptance", "recall >= 0.7")
        assert found["customers stay"] == ("business", "abandon_ratio <= 3 %")

    def test_what_is_known_of_labels_is_shown(self) -> None:
        shown = {s.name: (s.value, s.origin) for s in effective_settings(example(), model="fraud")}
        assert shown["label_delay.max"] == ("30d", "spec")
        assert shown["labels.implicit_negative_after"] == ("30d", "spec")
        assert shown["learning.frozen_fields"] == ("age", "spec")
        of_age = effective_settings(example(), model="fraud", feature="age")
        assert ("privacy.age", "bucket 10", "spec") in of_age
        of_country = effective_settings(example(), model="fraud", feature="country")
        assert ("privacy.country", "keep", "spec") in of_country


def test_the_readme_s_example_is_right() -> None:
    (block,) = re.findall(
        r"```yaml\n(model: fraud\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    spec = load_spec(block.encode(), name="README.md")
    assert lint(spec, today=day_start("2026-11-20")) == []
    names = [each.name for each in every_criterion(spec)]
    assert names == ["amounts are there", "customers stay", "slo.p95_latency_ms", "slo.error_rate"]
    planned = contingency_for(spec, "feature_drift", "js", "amount")
    assert planned == "Switch the client to the rules, tell its team."


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("criteria: [{name: a, expr: 'x'}]", 2, 28, ["found x", "a claim like"]),
        ("criteria: [{name: a, expr: error_ratio == 1}]", 2, 28, ["one of < <= > >="]),
        ("criteria: [{name: a, expr: error_ratio < many}]", 2, 28, ["a number"]),
        ("criteria: [{name: a, expr: error_ratio(x) < 1}]", 2, 28, ["of the whole model"]),
        ("criteria: [{name: a, expr: missing_ratio < 1}]", 2, 28, ["like missing_ratio(amount)"]),
        ("criteria: [{name: a}]", 2, 12, ["`expr` is missing in `criteria.0`"]),
        (
            "criteria: [{name: a, expr: qps < 1}, {name: a, expr: qps > 1}]",
            2,
            45,
            ["another name than 'a', which is taken"],
        ),
        (
            "criteria: [{name: a, kind: busines, expr: qps < 1}]",
            2,
            28,
            ["did you mean `business`?"],
        ),
        ("slo: {p95: 1}", 2, 7, ["unknown key `p95`", "p95_latency_ms"]),
        ("slo: {error_rate: 2}", 2, 19, ["a ratio from 0 to 1"]),
        ("slo: {qps: 0}", 2, 12, ["a number above 0"]),
        ("owners: [{role: data}]", 2, 10, ["a team or a contact beside the role"]),
        ("owners: [{role: r, team: t, from: 2026-02-30}]", 2, 35, ["a day like 2026-03-01"]),
        (
            "owners: [{role: r, team: t, from: 2026-02-02, to: 2026-02-01}]",
            2,
            51,
            ["a day not before `from` (2026-02-02)"],
        ),
        ("risks: [{id: r}]", 2, 9, ["`failure` is missing in `risks.0`"]),
        ("risks: [{id: r, failure: f, metric: 9}]", 2, 37, ["a figure like error_ratio"]),
        ("risks: [{id: r, failure: f, severity: loud}]", 2, 39, ["one of info, warning, critical"]),
        (
            "baselines: [{kind: hlp, metric: recall, value: 1, ci: [0, 0.5]}]",
            2,
            55,
            ["around the value 1"],
        ),
        ("baselines: [{kind: human, metric: recall, value: 1}]", 2, 20, ["one of hlp, previous"]),
        ("label_delay: {expected: 2d, max: 1d}", 2, 34, ["expected (2d) or more"]),
        ("labels: {coverage: 97}", 2, 20, ["a ratio from 0 to 1"]),
        ("serving: {mode: clowd}", 2, 17, ["one of realtime"]),
        ("automation_level: ful", 2, 19, ["did you mean `full`?"]),
        ("learning: {max_step: 0}", 2, 22, ["a number above 0"]),
        ("learning: {frozen_feilds: [a]}", 2, 12, ["did you mean `frozen_fields`?"]),
        ("approvals: [{action: promote, by: []}]", 2, 35, ["at least 1 entries"]),
        ("project: {objective: ''}", 2, 22, ["found empty text"]),
        ("project: {objectiv: x}", 2, 11, ["did you mean `objective`?"]),
        ("objective: x", 2, 1, ["it belongs in `project`"]),
        ("project: {milestones: [{name: go, due: soon}]}", 2, 40, ["a day like"]),
        ("operating_envelope: {factors: {t: {range: [3, 1]}}}", 2, 43, ["the lower number first"]),
        ("operating_envelope: {factors: {t: {}}}", 2, 35, ["either `range"]),
        ("privacy: {a: hsh}", 2, 14, ["did you mean `hash`?"]),
        ("privacy: {a: {buckets: 3}}", 2, 15, ["did you mean `bucket`?"]),
        ("privacy: {a: {bucket: 0}}", 2, 23, ["a width above 0"]),
        ("privacy: {a: {bucket: [3, 3]}}", 2, 23, ["edges that rise"]),
        ("privacy: {a: {bucket: []}}", 2, 23, ["edges that rise"]),
        ("privacy: {a: {bucket: [1, x]}}", 2, 27, ["found x", "a number"]),
        ("privacy: {a: {}}", 2, 14, ["keep, drop, hash"]),
        ("privacy: {a: true}", 2, 14, ["keep, drop, hash"]),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, line: int, column: int, words: list[str]
) -> None:
    (mistake,) = mistakes(text)
    assert (mistake.line, mistake.column) == (line, column), mistake.headline()
    for word in words:
        assert word in mistake.headline()


@pytest.mark.parametrize(
    ("text", "figure", "comparison", "bound"),
    [
        ("error_ratio<=0.01", "error_ratio", "<=", 0.01),
        (" error_rate  ≤ 1 % ", "error_ratio", "<=", 0.01),
        ("recall >= .8", "recall", ">=", 0.8),
        ("auc ≥ 85%", "roc_auc", ">=", 0.85),
        ("missing_ratio( a feature (x) ) < 1e-3", "missing_ratio(a feature (x))", "<", 0.001),
        ("custom:refund_ratio > -1", "custom:refund_ratio", ">", -1.0),
        ("drift_severity(a<b) < 1", "drift_severity(a<b)", "<", 1.0),
    ],
)
def test_claims(text: str, figure: str, comparison: str, bound: float) -> None:
    claim = parse_claim(text)
    assert (claim.figure, claim.comparison, claim.bound) == (figure, comparison, bound)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader_of_claims(text: str) -> None:
    try:
        claim = parse_claim(text)
    except ValueError as error:
        assert str(error).startswith("expected ")
    else:
        assert claim.bound == claim.bound


def test_every_figure_can_be_claimed_by_its_name() -> None:
    for name, each in MEASURES.items():
        of = "(a)" if each.feature == "required" else ""
        assert measure(parse_claim(f"{name}{of} < 1").name) is each


POLICIES = st.one_of(
    st.sampled_from(["keep", "drop", "hash"]),
    st.builds(lambda w: {"bucket": w}, st.floats(1e-3, 1e6)),
    st.builds(
        lambda edges: {"bucket": sorted(edges)},
        st.sets(st.integers(-1000, 1000), min_size=1, max_size=20),
    ),
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=5), POLICIES, max_size=5))
def test_what_a_spec_says_of_privacy_the_client_can_do(policies: dict[str, Any]) -> None:
    # Given a spec as the store gives it back
    spec = ModelSpec.from_document({"model": "m", "privacy": policies})
    again = ModelSpec.from_document(spec.document())
    # Then it is the policy that it was
    features = {name: 12.5 for name in policies} | {"other": 1.0}
    said = PrivacyPolicy.of(policies, key=b"k").apply(features)
    assert PrivacyPolicy.of(again.privacy, key=b"k").apply(features) == said


def test_editors_can_say_what_each_part_is() -> None:
    schema = spec_schema()
    parts = {name: part for name, part in schema["$defs"].items() if part["type"] == "object"}
    assert {"ProjectSpec", "CriterionSpec", "RiskSpec", "OwnerSpec"} <= parts.keys()
    assert [name for name, part in parts.items() if not part.get("description")] == []
