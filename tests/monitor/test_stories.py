"""What the monitor says of ordinary days and of broken ones."""

from __future__ import annotations

from typing import Any

import pytest

from streamgauge_client.events import AlarmEvent, Event
from tests.monitor.generate import between, stream
from tests.monitor.streams import START, drive, monitor


def alarms(events: list[Event]) -> list[AlarmEvent]:
    return [event for event in events if isinstance(event, AlarmEvent)]


def edges(events: list[Event]) -> list[tuple[str, str, str | None]]:
    return [(alarm.kind, alarm.status, alarm.feature) for alarm in alarms(events)]


@pytest.mark.parametrize(
    "nature",
    [
        {},
        {"correlation": 0.9},
        {"season": 1.0},
        {"correlation": 0.9, "season": 0.5},
        {"version": lambda i: "1" if i < 12_000 else "2"},
    ],
    ids=["independent", "autocorrelated", "seasonal", "both", "deploy"],
)
def test_a_quiet_model_stays_silent(nature: dict[str, Any]) -> None:
    # Given a model that nobody configured and that changes in nothing that matters
    records = stream(24_000, **nature)
    # When two minutes of it pass
    effects = drive(monitor(), records, range(0, 24_000, 500))
    # Then no word is said
    assert edges(effects.events) == []


def test_a_changed_unit_fires_within_three_windows_names_the_feature_and_resolves() -> None:
    # Given a model whose reference was learned, and one sensor that turns Fahrenheit for 25 s
    def to_fahrenheit(features: dict[str, Any]) -> None:
        features["x2"] = features["x2"] * 1.8 + 32

    records = stream(24_000, fault=between(12_000, 17_000, to_fahrenheit))
    # When the stream is watched
    fired, resolved = alarms(drive(monitor(), records).events)
    # Then one alarm fires within three windows of five seconds, and names the sensor
    assert (fired.kind, fired.status, fired.feature) == ("feature_drift", "firing", "x2")
    assert fired.window is not None and fired.window.end <= START + 60 + 15
    assert fired.starts_at == START + 60
    assert [each.feature for each in fired.evidence.top_features] == ["x2"]
    assert "x2 moved away from its reference: mean" in fired.summary
    assert fired.evidence.positions and fired.affected == 2000
    drawn = fired.evidence.histograms["x2"]
    assert sum(drawn.reference) == pytest.approx(1, abs=1e-4)
    assert drawn.current[-1] == 1.0, "every value lies above what the reference ever saw"
    # And it resolves, under the same fingerprint, after it healed
    assert (resolved.status, resolved.fingerprint) == ("resolved", fired.fingerprint)
    assert resolved.alarm_id != fired.alarm_id
    assert resolved.ends_at == START + 95


def test_thirty_broken_features_are_one_alarm() -> None:
    def shift(features: dict[str, Any]) -> None:
        for j in range(30):
            features[f"x{j}"] += 3

    effects = drive(monitor(), stream(16_000, features=30, fault=between(12_000, 16_000, shift)))
    drifts = [a for a in alarms(effects.events) if a.kind == "feature_drift"]
    assert len(drifts) == 1
    assert drifts[0].evidence.top_features[0].contribution < 0.1
    assert "29 more features" in drifts[0].summary


def test_missing_values_fire_as_data_quality_and_explain_the_drift_they_cause() -> None:
    # Given a feature of which only the high values arrive: it is missing and it drifts
    def lose(features: dict[str, Any]) -> None:
        if features["x1"] < 0.5:
            del features["x1"]

    effects = drive(monitor(), stream(20_000, fault=between(12_000, 16_000, lose)))
    # When and then: one data-quality alarm, no drift alarm of the same feature
    inputs = [edge for edge in edges(effects.events) if edge[0] != "prediction_drift"]
    assert inputs == [("data_quality", "firing", "x1"), ("data_quality", "resolved", "x1")]
    assert "x1 is missing in" in alarms(effects.events)[0].summary


def test_a_type_that_changes_is_told_while_the_reference_is_still_learned() -> None:
    def to_text(features: dict[str, Any]) -> None:
        features["x0"] = str(features["x0"])

    effects = drive(monitor(), stream(3_000, fault=between(1_500, 3_000, to_text)))
    assert edges(effects.events) == [("data_quality", "firing", "x0")]
    assert "values of another type in 100 % of predictions" in alarms(effects.events)[0].summary


def test_a_jump_of_scale_is_told_while_the_reference_is_still_learned() -> None:
    def to_cents(features: dict[str, Any]) -> None:
        features["x0"] *= 100

    effects = drive(monitor(), stream(5_000, fault=between(2_000, 5_000, to_cents)))
    assert ("data_quality", "firing", "x0") in edges(effects.events)
    assert "changed its scale" in alarms(effects.events)[0].summary


def test_errors_fire_and_say_how_many() -> None:
    def fail(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        broken = 2_000 <= i < 4_000 and i % 3 == 0
        return {"status": "error", "output": None} if broken else {}

    effects = drive(monitor(), stream(6_000, fault=fail))
    assert edges(effects.events) == [
        ("traffic", "firing", "errors"),
        ("traffic", "resolved", "errors"),
    ]
    assert "33 % of predictions end in an error" in alarms(effects.events)[0].summary


def test_slow_predictions_fire_and_fast_ones_do_not() -> None:
    def slow(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        factor = 20 if 12_000 <= i < 15_000 else 0.2 if i >= 18_000 else 1
        return {"latency_ms": fields["latency_ms"] * factor}

    effects = drive(monitor(), stream(24_000, fault=slow))
    kinds = {(alarm.kind, alarm.status) for alarm in alarms(effects.events)}
    assert kinds == {("latency", "firing"), ("latency", "resolved")}
    assert "p95" in alarms(effects.events)[0].summary


def test_an_incident_never_becomes_the_new_normal() -> None:
    # Given a feature that moves for good
    def move(features: dict[str, Any]) -> None:
        features["x3"] += 4

    # When it stays moved for two minutes
    effects = drive(monitor(), stream(36_000, fault=between(12_000, 36_000, move)))
    # Then the alarm stays open
    assert [edge[1] for edge in edges(effects.events)] == ["firing"]


def test_a_deploy_does_not_mute_the_drift_that_came_with_it() -> None:
    def move(features: dict[str, Any]) -> None:
        features["x3"] += 4

    records = stream(
        18_000,
        fault=between(12_000, 18_000, move),
        version=lambda i: "1" if i < 12_000 else "2",
    )
    fired = alarms(drive(monitor(), records).events)[0]
    assert (fired.kind, fired.feature, fired.version) == ("feature_drift", "x3", "2")


def test_two_features_that_break_in_turn_are_one_alarm_until_both_are_well() -> None:
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if 12_000 <= i < 16_000:
            fields["features"]["x0"] += 5
        if 14_000 <= i < 20_000:
            fields["features"]["x3"] += 5
        return {}

    effects = drive(monitor(), stream(26_000, fault=fault))
    fired, resolved = alarms(effects.events)
    assert (fired.status, resolved.status) == ("firing", "resolved")
    assert resolved.ends_at is not None and resolved.ends_at > START + 100
