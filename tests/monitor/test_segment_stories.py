"""Segments: counted by their values, bounded, and named where a change shows in them."""

from __future__ import annotations

from typing import Any

import pytest

from streamgauge.state.keys import model_id
from tests.monitor.generate import stream
from tests.monitor.streams import drive, monitor
from tests.monitor.telling import alarms, headed, series, spec, told

COUNTRIES = ["SE", "DK"]


def in_countries(moving: str | None = None) -> Any:
    """Half of the events in each country; from 60 s on one of them moves by four σ."""

    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        country = COUNTRIES[i % 2]
        fields["features"]["x0"] += 2 * COUNTRIES.index(country)
        if country == moving and i >= 12_000:
            fields["features"]["x2"] += 4
        return {"segment": {"country": country, "channel": "web"}}

    return fault


def test_when_one_country_moves_the_alarm_names_it_first() -> None:
    subject = monitor(spec(segments={"country": {}, "channel": {}}))
    log = stream(20_000, fault=in_countries("DK"))
    fired = alarms(drive(subject, log, range(0, 20_000, 1_000)).events)[0]
    assert fired.kind == "feature_drift"
    first, *others = fired.evidence.slices
    assert (first.segment, first.value, first.feature) == ("country", "DK", "x2")
    assert first.severity_ratio is not None and first.severity_ratio > 2
    # And the countries that did not move are none of the evidence
    assert {each.value for each in others} <= {"web"}


def test_countries_that_differ_by_nature_are_no_finding() -> None:
    subject = monitor(spec(segments={"country": {}}))
    log = stream(20_000, fault=in_countries())
    assert told(drive(subject, log, range(0, 20_000, 1_000)).events) == []
    shown = series(subject).slices
    assert {each.value for each in shown} == set(COUNTRIES)
    assert all(each.severity is not None and each.severity <= 1 for each in shown)


def test_values_beyond_the_declared_number_share_one_slice() -> None:
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"segment": {"user": f"u{i}"}, "status": "error" if i % 10 == 0 else "ok"}

    subject = monitor(spec(segments={"user": {"max_values": 5}}))
    drive(subject, stream(4_000, fault=fault, features=2), range(0, 4_000, 500))
    changes = subject.dirty()
    assert len(changes.blobs[model_id("fraud")]) < 60_000
    subject = monitor(spec(segments={"user": {"max_values": 5}}))
    drive(subject, stream(4_000, fault=fault, features=2))
    shown = series(subject).slices
    (other,) = [each for each in shown if each.value == "_other"]
    assert other.n >= 495 and other.error_ratio == pytest.approx(0.1, abs=0.01)
    assert len(shown) <= 6


def test_events_without_the_segment_are_in_no_slice() -> None:
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"segment": {"country": "SE"}} if i % 2 else {}

    subject = monitor(spec(segments={"country": {}}))
    drive(subject, stream(3_000, fault=fault, features=2))
    found = series(subject)
    (shown,) = found.slices
    assert shown.n == found.window_n // 2


def test_slices_of_a_sampled_model_are_judged_by_what_was_seen() -> None:
    # Given a client that sends one event in a hundred: 200 of a window are in a small country
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"segment": {"country": "SE" if i % 5 else "DK"}}

    log = [headed(record, sampledrate="100") for record in stream(12_000, fault=fault, features=2)]
    subject = monitor(spec(segments={"country": {}}))
    drive(subject, log)
    shown = {each.value: each for each in series(subject).slices}
    # Then it is counted as what it stands for, and too small to be judged
    assert shown["DK"].n == pytest.approx(20_000, rel=0.05)
    assert shown["DK"].severity is None
    assert shown["SE"].severity is not None and shown["SE"].severity <= 1
