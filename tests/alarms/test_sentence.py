"""The sentences of alarms, as a person reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.alarms import sentence
from streamgauge.alarms.finding import Finding

MakeFinding = Callable[..., Finding]


@pytest.mark.parametrize(
    ("kind", "findings", "expected"),
    [
        (
            "feature_drift",
            [{"target": "sensor_3", "value": 0.914, "change": "mean 44 → 111, +8.1 σ"}],
            "fraud: sensor_3 moved away from its reference: mean 44 → 111, +8.1 σ "
            "(distance 0.91, threshold 0.20)",
        ),
        (
            "feature_drift",
            [{"target": "a", "value": 0.5}, {"target": "b", "value": 0.4}],
            "fraud: a moved away from its reference (distance 0.50, threshold 0.20) "
            "(and 1 more feature)",
        ),
        (
            "feature_drift",
            [{"target": name, "value": 0.5, "change": "x"} for name in "abcd"],
            "fraud: a moved away from its reference: x (distance 0.50, threshold 0.20) "
            "(and 3 more features)",
        ),
        (
            "prediction_drift",
            [{"target": "output.score", "value": 0.31, "change": "mean 0.1 → 0.3, ×3"}],
            "fraud: the score moved away from its reference: mean 0.1 → 0.3, ×3 "
            "(distance 0.31, threshold 0.20)",
        ),
        (
            "prediction_drift",
            [{"target": "output.label", "value": 0.4}, {"target": "output.score", "value": 0.3}],
            "fraud: the predicted class moved away from its reference "
            "(distance 0.40, threshold 0.20) (and 1 more output)",
        ),
        (
            "data_quality",
            [{"target": "age", "rule": "missing", "value": 0.413, "change": "usually 0.2 %"}],
            "fraud: age is missing in 41 % of predictions (usually 0.2 %)",
        ),
        (
            "data_quality",
            [{"target": "age", "rule": "wrong_type", "value": 0.0042, "change": "at most 0 %"}],
            "fraud: age has values of another type in 0.42 % of predictions (at most 0 %)",
        ),
        (
            "data_quality",
            [{"target": "age", "rule": "out_of_range", "value": 1.0, "change": "usually 0 %"}],
            "fraud: age is out of its range in 100 % of predictions (usually 0 %)",
        ),
        (
            "data_quality",
            [{"target": "city", "rule": "new_category", "value": 0.2, "change": "usually 0 %"}],
            "fraud: city has categories never seen before in 20 % of predictions (usually 0 %)",
        ),
        (
            "data_quality",
            [
                {
                    "target": "age",
                    "rule": "scale",
                    "value": 1000.0,
                    "change": "changed its scale: typical size 0.5 → 500",
                }
            ],
            "fraud: age changed its scale: typical size 0.5 → 500",
        ),
        (
            "data_quality",
            # Two rules of one feature are one feature.
            [
                {"target": "age", "rule": "missing", "value": 0.5, "change": "usually 0 %"},
                {"target": "age", "rule": "wrong_type", "value": 0.4, "change": "usually 0 %"},
            ],
            "fraud: age is missing in 50 % of predictions (usually 0 %)",
        ),
        (
            "traffic",
            [{"target": "errors", "value": 0.25, "change": "usually 1 %"}],
            "fraud: 25 % of predictions end in an error (usually 1 %)",
        ),
        (
            "latency",
            [{"target": "output.latency", "value": 0.4, "change": "p95 12 ms → 400 ms"}],
            "fraud: predictions take longer: p95 12 ms → 400 ms",
        ),
    ],
)
def test_what_began(
    finding: MakeFinding, kind: str, findings: list[dict[str, Any]], expected: str
) -> None:
    made = [finding(kind=kind, **each) for each in findings]
    assert sentence.firing("fraud", kind, made) == expected


@pytest.mark.parametrize(
    ("kind", "lead", "seconds", "expected"),
    [
        ("feature_drift", "sensor_3", 90.0, "fraud: sensor_3 is back to normal after 90 s"),
        ("data_quality", "age", 600.0, "fraud: age is back to normal after 10 min"),
        (
            "prediction_drift",
            "output.score",
            7200.0,
            "fraud: the score is back to normal after 2.0 h",
        ),
        ("latency", "output.latency", 30.0, "fraud: latency is back to normal after 30 s"),
        ("traffic", "errors", 30.0, "fraud: the error ratio is back to normal after 30 s"),
    ],
)
def test_what_ended(kind: str, lead: str, seconds: float, expected: str) -> None:
    assert sentence.resolved("fraud", kind, lead, seconds) == expected


def test_what_went_away() -> None:
    text = sentence.resolved("fraud", "feature_drift", "age", 600.0, gone=True)
    assert text == "fraud: age is no longer there to judge after 10 min"


@pytest.mark.parametrize(
    ("before", "after", "std", "expected"),
    [
        (10.0, 1000.0, 2.0, ("mean 10 → 1000, ×100", "up")),
        (10.0, 0.1, 2.0, ("mean 10 → 0.1, ÷100", "down")),
        (10.0, 12.0, 2.0, ("mean 10 → 12, +1.0 σ", "up")),
        (10.0, 8.0, 2.0, ("mean 10 → 8, -1.0 σ", "down")),
        (10.0, 10.1, 2.0, ("the shape changed, the mean stayed at 10.1", "changed")),
        (-10.0, -100.0, 2.0, ("mean -10 → -100, ×10", "down")),
        (10.0, -10.0, 2.0, ("mean 10 → -10, -10.0 σ", "down")),
        (0.0, 1.0, 2.0, ("mean 0 → 1, +0.5 σ", "up")),
        # Many times nothing is not a figure.
        (1e-17, 0.5, 1.0, ("mean 1e-17 → 0.5, +0.5 σ", "up")),
        (0.001, 0.003, 1.0, ("the shape changed, the mean stayed at 0.003", "changed")),
        # A feature that was constant.
        (5.0, 7.0, 0.0, ("mean 5 → 7", "up")),
        (5.0, 50.0, 0.0, ("mean 5 → 50, ×10", "up")),
        (0.0, -3.0, 0.0, ("mean 0 → -3", "down")),
        (5.0, 5.0, 0.0, ("the shape changed, the mean stayed at 5", "changed")),
        (None, 5.0, 1.0, ("", "changed")),
        (5.0, None, 1.0, ("", "changed")),
    ],
)
def test_change_of_a_mean(
    before: float | None, after: float | None, std: float | None, expected: tuple[str, str]
) -> None:
    assert sentence.mean_change(before, after, std) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (3600.0, "60 min"),
        (7200.0, "2.0 h"),
        (86_400.0, "24.0 h"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    assert sentence.duration(seconds) == expected
