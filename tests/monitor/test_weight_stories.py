"""Clients that send one event in ten: counts are of all events, thresholds of what was seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.processing import LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.telling import alarms, headed, series, told

N = 60_000


def sampled(*, shift_from: int = N, fail_from: int = N, rate: float = 1_000.0) -> list[LogRecord]:
    """A thousand events a second, 5 % of them errors; one in ten of the others is sent."""
    rng = np.random.default_rng(6)
    records: list[LogRecord] = []
    for i in range(N):
        failed = rng.random() < (0.2 if i >= fail_from else 0.05)
        x = float(rng.normal()) + (2.0 if i >= shift_from else 0.0)
        if i % 10 and not failed:
            continue
        fields: dict[str, Any] = {
            "output": None if failed else {"label": "ok", "score": 0.5 + x / 100},
            "status": "error" if failed else "ok",
            "latency_ms": float(rng.gamma(2.0, 2.0)),
        }
        record = prediction(
            len(records), START + i / rate, {"x": x, "y": x + rng.normal()}, **fields
        )
        records.append(record if failed else headed(record, sampledrate="10"))
    return records


def test_counts_ratios_and_histograms_are_those_of_all_events() -> None:
    subject = monitor()
    assert told(drive(subject, sampled(), range(0, 9_000, 500)).events) == [], "and nobody is woken"
    found = series(subject)
    assert sum(found.counts.values()) == pytest.approx(N, rel=0.03)
    assert found.error_ratio == pytest.approx(0.05, abs=0.01)
    assert found.counts["error"] / sum(found.counts.values()) == pytest.approx(0.05, abs=0.004)
    x = next(feature for feature in found.features if feature.name == "x")
    assert x.mean == pytest.approx(0.0, abs=0.12) and x.std == pytest.approx(1.0, abs=0.12)
    assert found.latency_sum / sum(found.counts.values()) == pytest.approx(0.004, rel=0.05)


def test_a_shift_of_a_sampled_model_is_told() -> None:
    log = sampled(shift_from=40_000)
    (fired,) = [a for a in alarms(drive(monitor(), log).events) if a.kind == "feature_drift"]
    assert fired.starts_at == pytest.approx(START + 40, abs=5)


def test_more_errors_of_a_sampled_model_are_told_by_their_true_share() -> None:
    log = sampled(fail_from=40_000)
    fired = next(a for a in alarms(drive(monitor(), log).events) if a.kind == "traffic")
    assert fired.value == pytest.approx(0.2, abs=0.08)


def verdicts(log: list[LogRecord]) -> tuple[Any, list[float]]:
    """A window's size and state, and every value and threshold of its features."""
    subject = monitor()
    assert told(drive(subject, log).events) == []
    found = series(subject)
    judgements = [judgement for feature in found.features for judgement in feature.judgements]
    figures = [figure or 0.0 for j in judgements for figure in (j.value, j.threshold)]
    return (found.window_n, found.state, [j.state for j in judgements]), figures


@pytest.fixture(scope="module")
def unsampled() -> tuple[Any, list[float]]:
    return verdicts(stream(8_000, features=2))


@pytest.mark.parametrize("rate", ["2", "100000"])
def test_thresholds_go_by_what_was_seen(rate: str, unsampled: tuple[Any, list[float]]) -> None:
    # Given a stream of which each event stands for many
    log = [headed(record, sampledrate=rate) for record in stream(8_000, features=2)]
    # Then its windows, its references and its thresholds are those of as many single events
    states, figures = verdicts(log)
    assert states == unsampled[0]
    assert figures == pytest.approx(unsampled[1], rel=1e-6)


@pytest.mark.parametrize("rate", ["0", "1", "-5", "1.5", "ten", "", "٣", "9" * 30])
def test_a_rate_that_is_none_counts_as_one(rate: str) -> None:
    subject = monitor()
    drive(subject, [headed(prediction(i, START + i, {}), sampledrate=rate) for i in range(3)])
    assert series(subject).counts["ok"] == 3


def test_no_single_event_speaks_for_a_day() -> None:
    subject = monitor()
    drive(subject, [headed(prediction(0, START, {}), sampledrate="999999")])
    assert series(subject).counts["ok"] == 100_000
