"""What is remarked on in a valid spec, where, and how much of a project a spec tells."""

from __future__ import annotations

import pytest

from streamgauge.specs import Mistake
from streamgauge.specs.completeness import POINTS, score
from streamgauge.specs.lint import lint
from streamgauge.specs.scalars import day_start
from streamgauge.specs.yaml_source import load_spec, located_remarks

TODAY = day_start("2026-11-20")
#: Enough that nothing is remarked on.
WHOLE = """\
model: m
owner: risk
project: {objective: less fraud}
slo: {error_rate: 0.01}
"""


def remarks(text: str) -> tuple[Mistake, ...]:
    data = text.encode()
    return located_remarks(data, lint(load_spec(data, name="f"), today=TODAY), name="f.yaml")


def test_a_spec_that_says_enough_is_left_alone() -> None:
    assert remarks(WHOLE) == ()


def test_what_is_empty_is_told_at_the_top() -> None:
    told = remarks("# a comment\nmodel: m\n")
    assert [(each.line, each.column) for each in told] == [(2, 1)] * 3
    assert [each.message.split(":")[0] for each in told] == [
        "no objective",
        "no owner",
        "no criteria",
    ]


@pytest.mark.parametrize(
    ("more", "line", "column", "words"),
    [
        (
            "criteria: [{name: a, expr: eror_ratio < 1}]",
            5,
            28,
            ["no figure is called eror_ratio", "did you mean `error_ratio`?"],
        ),
        ("criteria: [{name: a, expr: joy > 1}]", 5, 28, ["no figure is called joy"]),
        (
            "criteria: [{name: a, expr: auc >= 0.8}]",
            5,
            28,
            ["auc needs labels", "say when they come: `label_delay`"],
        ),
        (
            "baselines: [{kind: hlp, metric: acuracy, value: 1}]",
            5,
            33,
            ["did you mean `accuracy`?"],
        ),
        ("risks: [{id: r, failure: f, contingency: c}]", 5, 14, ["nothing tells of the risk 'r'"]),
        (
            "risks: [{id: r, failure: f, contingency: c, monitor: latensy}]",
            5,
            54,
            ["no rule and no kind of alarm is called latensy", "did you mean `latency`?"],
        ),
        (
            "risks: [{id: r, failure: f, contingency: c, metric: rdo_ratio}]",
            5,
            53,
            ["did you mean `redo_ratio`?"],
        ),
        (
            "risks: [{id: r, failure: f, metric: error_ratio}]",
            5,
            14,
            ["no contingency", "add `contingency`"],
        ),
        (
            "features: {amount: {}}\nprivacy: {amuont: drop}",
            6,
            11,
            ["amuont occurs nowhere else", "did you mean `amount`?"],
        ),
        (
            "features: {amount: {}}\nlearning: {frozen_fields: [amount, zip]}",
            6,
            36,
            ["zip occurs nowhere else", "declare it"],
        ),
        (
            "features: {amount: {}}\ncriteria: [{name: a, expr: missing_ratio(amont) < 1 %}]",
            6,
            28,
            ["amont occurs nowhere else", "`amount`"],
        ),
        # Without declared features only what looks like another name is remarked on.
        (
            "privacy: {amount: keep}\nlearning: {frozen_fields: [amount, amont]}",
            6,
            36,
            ["amont occurs nowhere else"],
        ),
        (
            "features: {a: {range: [0, 1]}}\nprivacy: {a: hash}",
            6,
            14,
            ["a comes as words", "says that it is numeric"],
        ),
        (
            "features: {a: {range: [0, 1]}}\nprivacy: {a: {bucket: [0, 1]}}",
            6,
            14,
            ["a comes as words"],
        ),
        ("features: {a: {allowed: [x]}}\nprivacy: {a: hash}", 6, 14, ["a comes hashed: none of"]),
        ("features: {a: {}}\nprivacy: {a: drop}", 6, 14, ["a is dropped before it is counted"]),
        (
            "owners: [{role: data, team: t, to: 2026-11-19}]",
            5,
            1,
            ["nobody holds a role today"],
        ),
    ],
)  # fmt: skip
def test_a_remark_is_told_with_its_place(
    more: str, line: int, column: int, words: list[str]
) -> None:
    (told,) = remarks(WHOLE + more + "\n")
    assert (told.line, told.column) == (line, column), told.headline()
    for word in words:
        assert word in told.headline()


def test_what_is_overdue_is_said_from_the_day_after() -> None:
    text = "model: m\nowner: o\nslo: {qps: 1}\nproject:\n  objective: o\n  milestones:\n"
    due = "    - {name: pilot, due: 2026-11-19}\n    - {name: launch, due: 2026-11-20}\n"
    (told,) = remarks(text + due)
    assert told.headline().startswith("f.yaml:7:26: 'pilot' was due on 2026-11-19")
    assert remarks(text + due.replace("19}", "19, done: true}")) == ()


@pytest.mark.parametrize(
    "more",
    [
        "features: {a: {range: [0, 1]}}\nprivacy: {a: {bucket: 10}, '*': drop}",
        "features: {a: {ignore: true}}\nprivacy: {a: drop}",
        "privacy: {a: drop, b: hash}",
        "risks: [{id: r, failure: f, contingency: c, monitor: data_quality}]",
        "criteria: [{name: s, expr: drift_severity(output.score) < 1}]\nfeatures: {a: {}}",
        "criteria: [{name: r, expr: 'custom:refund_ratio < 0.1'}]",
        "owners: [{role: data, team: t, to: 2026-11-20}]",
    ],
)
def test_what_is_right_is_left_alone(more: str) -> None:
    assert remarks(WHOLE + more + "\n") == ()


def test_an_empty_spec_scores_nothing() -> None:
    found = score(load_spec(b"model: m", name="f"))
    assert found.points == 0
    assert found.missing == tuple(name for name, _ in POINTS)
    assert found.sentence().startswith(f"0 of {len(POINTS)} points: missing objective, problem")


def test_every_section_is_a_point() -> None:
    found = score(load_spec((WHOLE + "learning: {allowed: false}").encode(), name="f"))
    assert found.points == 3
    assert "learning" not in found.missing and "objective" not in found.missing


def test_a_rule_is_a_monitor_and_names_features() -> None:
    rules = "features: {amount: {}}\nrules: [{name: limit, check: amount <= limt}]\n"
    risk = "risks: [{id: r, failure: f, contingency: c, monitor: limit}]\n"
    (told,) = remarks(WHOLE + rules + risk)
    assert told.message == "the feature limt occurs nowhere else in the spec"
    assert (told.line, told.column) == (6, 30)
