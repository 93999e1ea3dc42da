"""What is found, how fast; and what is not said when nothing happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.monitor.judge import alpha
from streamgauge_client.events import AlarmEvent
from tests.monitor.generate import between, stream
from tests.monitor.streams import START, drive, monitor

HOURLY = {
    "defaults": {
        "pane": 10.0,
        "min_duration": 60.0,
        "min_events": 500,
        "max_duration": 86400.0,
        "grace": 0.0,
    },
    "reference": {"min_events": 1000, "min_duration": 1800.0},
}


def test_one_sigma_in_one_of_twenty_features_is_found_within_five_windows() -> None:
    # Given ten models, each with twenty features, one of which moves by 1 σ at 35 s
    def move(features: dict[str, Any]) -> None:
        features["x7"] += 1.0

    found = 0
    for seed in range(10):
        records = stream(
            12_000, features=20, seed=seed, fault=between(7_000, 12_000, move), rate=200.0
        )
        # When five windows of five seconds pass
        events = drive(monitor(), records).events
        drifts = [e for e in events if isinstance(e, AlarmEvent) and e.kind == "feature_drift"]
        found += any(drift.feature == "x7" for drift in drifts)
        assert all(drift.starts_at == START + 35 for drift in drifts), "and nothing else is said"
    # Then all of them are found
    assert found == 10


@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.99], ids=lambda c: f"AR {c}")
def test_hours_of_nothing_raise_nothing(correlation: float) -> None:
    # Given a model of eight features with the default windows, ten events a second, two hours
    for seed in range(1):
        records = stream(45_000, rate=10.0, features=8, seed=seed, correlation=correlation)
        # When they are judged against what the first half hour showed
        events = drive(monitor(overrides=HOURLY), records, range(0, 45_000, 5_000)).events
        # Then silence
        assert events == []


def test_the_budget_decides_the_level_of_each_test() -> None:
    # One false alarm a month over 20 features and one-minute windows: 864,000 tests.
    assert alpha(1.0, targets=20, duration=60.0) == pytest.approx(1 / 864_000)
    assert alpha(10.0, targets=20, duration=60.0) == pytest.approx(10 / 864_000)


def test_a_constant_feature_that_begins_to_vary_is_found() -> None:
    rng = np.random.default_rng(5)

    def vary(features: dict[str, Any]) -> None:
        features["fixed"] = float(rng.normal())

    def fix(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["fixed"] = 1.0
        return dict(between(12_000, 17_000, vary)(i, fields))

    events = drive(monitor(), stream(17_000, fault=fix)).events
    assert [e.feature for e in events if isinstance(e, AlarmEvent)] == ["fixed"]
