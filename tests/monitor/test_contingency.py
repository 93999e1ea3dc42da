"""Alarms carry what was planned for them, and go to whoever answers at that time."""

from __future__ import annotations

import pytest

from streamgauge.monitor.contingency import contingency_for
from streamgauge.specs import ModelSpec
from streamgauge.specs.owners import owner_at
from streamgauge.specs.scalars import day_start

SPEC = ModelSpec.from_document(
    {
        "model": "fraud",
        "owner": "risk-ml",
        "owners": [
            {"role": "on-call", "team": "spring", "from": "2026-03-01", "to": "2026-05-31"},
            {"role": "data", "contact": "ann@risk", "from": "2026-01-01"},
            {"role": "on-call", "team": "summer", "from": "2026-06-01"},
        ],
        "risks": [
            {"id": "any", "failure": "f", "monitor": "data_quality", "contingency": "ask"},
            {"id": "gone", "failure": "f", "metric": "missing_ratio", "contingency": "fill"},
            {
                "id": "amount",
                "failure": "f",
                "metric": "missing_ratio(amount)",
                "contingency": "rules",
            },
            {"id": "slow", "failure": "f", "metric": "p95_latency_ms", "contingency": "scale out"},
            {"id": "down", "failure": "f", "metric": "error_rate", "contingency": "fall back"},
            {"id": "moved", "failure": "f", "metric": "drift_severity", "contingency": "retrain"},
            {"id": "floor", "failure": "f", "monitor": "auc-floor", "contingency": "roll back"},
            {"id": "redo", "failure": "f", "metric": "redo_ratio", "contingency": "call users"},
            {
                "id": "money",
                "failure": "f",
                "metric": "custom:refund_ratio",
                "contingency": "pay back",
            },
            {"id": "rule", "failure": "f", "monitor": "limit", "contingency": "look at the limits"},
            {"id": "null", "failure": "f", "metric": "null_output_ratio", "contingency": "restart"},
            {
                "id": "unsure",
                "failure": "f",
                "metric": "low_confidence_ratio",
                "contingency": "ask people",
            },
            {"id": "silent", "failure": "f", "metric": "new_category_ratio(country)"},
        ],
    }
)


@pytest.mark.parametrize(
    ("kind", "rule", "target", "planned"),
    [
        ("data_quality", "missing", "amount", "rules"),
        ("data_quality", "missing", "country", "fill"),
        ("data_quality", "wrong_type", "country", "ask"),
        # A risk without a contingency says nothing.
        ("data_quality", "new_category", "country", "ask"),
        ("latency", "p95", "output.latency", "scale out"),
        ("traffic", "error_ratio", "errors", "fall back"),
        ("feature_drift", "js", "amount", "retrain"),
        ("performance", "auc-floor", "roc_auc", "roll back"),
        ("feedback", "rate", "redo", "call users"),
        ("feedback", "rate", "custom:refund", "pay back"),
        ("data_quality", "rule", "rule limit", "look at the limits"),
        ("data_quality", "missing", "output", "restart"),
        ("prediction_drift", "low_confidence", "output.confidence", "ask people"),
        ("staleness", "silence", "", None),
    ],
)
def test_an_alarm_finds_its_contingency(
    kind: str, rule: str, target: str, planned: str | None
) -> None:
    assert contingency_for(SPEC, kind, rule, target) == planned


def test_a_spec_without_risks_plans_nothing() -> None:
    assert contingency_for(ModelSpec.default("m"), "latency", "p95", "output.latency") is None


@pytest.mark.parametrize(
    ("day", "role", "owner"),
    [
        ("2025-12-31", None, "risk-ml"),
        ("2026-01-01", None, "ann@risk"),
        ("2026-03-01", None, "spring"),
        ("2026-05-31", "on-call", "spring"),
        ("2026-06-01", "on-call", "summer"),
        ("2026-06-01", "data", "ann@risk"),
        ("2026-06-01", "product", "ann@risk"),
    ],
)
def test_the_owner_is_who_holds_the_role_that_day(day: str, role: str | None, owner: str) -> None:
    assert owner_at(SPEC, day_start(day) + 86_399.0, role=role) == owner


def test_without_owners_there_is_the_old_one() -> None:
    assert owner_at(ModelSpec.default("m"), 0.0) is None
