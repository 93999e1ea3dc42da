"""Traps of judgement: each of these once kept the monitor silent, or made it speak wrongly."""

from __future__ import annotations

import math
from typing import Any

import pytest

from streamgauge.monitor import Configuration
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.keys import model_id
from streamgauge.state.views import ModelView, SeriesView
from streamgauge_client.events import AlarmEvent, Event
from tests.monitor.generate import between, stream
from tests.monitor.streams import QUICK, START, drive, monitor


def told(events: list[Event]) -> list[tuple[str, str, str | None]]:
    return [(e.kind, e.status, e.feature) for e in events if isinstance(e, AlarmEvent)]


def version(number: int, at: float, **document: Any) -> Configuration:
    spec = ModelSpec.from_document({"model": "fraud", **document}).over(QUICK)
    return Configuration(spec, number=number, effective_at=at)


def view(subject: Any) -> ModelView:
    return ModelView.model_validate_json(subject.dirty().views[model_id("fraud")])


def only(subject: Any) -> SeriesView:
    (series,) = view(subject).series
    return series


def test_after_many_deploys_a_model_is_still_watched_and_nothing_is_lost_from_the_sum() -> None:
    # Given thirty deploys, a second apart, and then a version that stays
    records = stream(16_000, version=lambda i: f"v{min(i // 200, 30)}")
    subject = monitor()
    # When all of it has passed
    drive(subject, records, range(0, 16_000, 1_000))
    # Then the last version is watched, and every prediction is in some count
    found = view(subject)
    last = next(series for series in found.series if series.version == "v30")
    assert last.state == "ok"
    assert sum(series.counts["ok"] for series in found.series) == 16_000


def test_a_deploy_that_fails_at_every_call_is_told() -> None:
    def fail(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error", "output": None} if i >= 3_000 else {}

    records = stream(5_000, fault=fail, version=lambda i: "1" if i < 3_000 else "2")
    assert ("traffic", "firing", "errors") in told(drive(monitor(), records).events)


def test_a_model_that_fails_from_its_first_event_on_is_told() -> None:
    def fail(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error", "output": None}

    found = told(drive(monitor(), stream(2_000, fault=fail)).events)
    assert found == [("traffic", "firing", "errors")]


@pytest.mark.parametrize(
    ("rule", "feature", "name"),
    [
        ({"range": [100.0, 200.0]}, "x0", "out_of_range"),
        ({"allowed": ["violet"]}, "colour", "new_category"),
    ],
    ids=["range", "allowed"],
)
def test_what_a_spec_forbids_is_never_usual(rule: Any, feature: str, name: str) -> None:
    # Given values that are wrong from the very first event on
    subject = monitor(version(1, 0.0, features={feature: rule}))
    events = drive(subject, stream(2_000)).events
    (alarm,) = [e for e in events if isinstance(e, AlarmEvent)]
    assert (alarm.kind, alarm.feature, alarm.rule) == ("data_quality", feature, name)


def test_a_spec_that_changes_nothing_of_it_leaves_an_open_alarm_and_its_reference_alone() -> None:
    # Given a model that has become slow, and a spec that only names its owner while it is
    def slow(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"latency_ms": fields["latency_ms"] * (30 if i >= 8_000 else 1)}

    subject = monitor(version(1, START + 55, owner="risk"))
    # When it stays slow for a long time
    events = drive(subject, stream(24_000, fault=slow)).events
    # Then the alarm stays open: an incident never becomes the new normal
    assert told(events) == [("latency", "firing", "output.latency")]
    assert view(subject).owner == "risk"


def test_a_profile_that_is_taken_back_judges_no_more() -> None:
    from streamgauge.references.build import build_profile
    from tests.monitor.test_configuration import training

    profile = build_profile(training(), model="fraud", ordered=True)
    judged = version(1, 0.0, reference={"kind": "profile", "id": profile.id})
    versions = (
        Configuration(judged.spec, number=1, effective_at=0.0, profile=profile),
        version(2, START + 10, owner="risk"),
    )
    subject = monitor(*versions)
    drive(subject, stream(3_200))
    assert only(subject).reference_kind == "none"


def test_a_canary_with_one_more_feature_does_not_make_the_others_miss_it() -> None:
    def add(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if i >= 8_000 and i % 3 == 0:
            fields["features"]["brand_new"] = 1.0
        return {}

    records = stream(16_000, fault=add, version=lambda i: "2" if i >= 8_000 and i % 3 == 0 else "1")
    assert told(drive(monitor(), records).events) == []


def test_a_deploy_that_loses_a_feature_is_told() -> None:
    def lose(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if i >= 8_000:
            del fields["features"]["x2"]
        return {}

    records = stream(12_000, fault=lose, version=lambda i: "2" if i >= 8_000 else "1")
    assert ("data_quality", "firing", "x2") in told(drive(monitor(), records).events)


def test_one_odd_value_at_the_start_does_not_decide_the_type() -> None:
    def odd(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if i == 0:
            fields["features"]["x0"] = "N/A"
        if i >= 12_000:
            fields["features"]["x0"] += 8
        return {}

    found = told(drive(monitor(), stream(16_000, fault=odd)).events)
    assert found == [("feature_drift", "firing", "x0")]


def test_a_broken_feature_does_not_keep_the_others_from_a_reference() -> None:
    # Given a feature that breaks for good while references are learned
    def broken(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if i >= 2_000:
            fields["features"]["x0"] = None
        if i >= 16_000:
            fields["features"]["x3"] += 5
        return {}

    # When another one moves later
    found = told(drive(monitor(), stream(20_000, fault=broken)).events)
    # Then that is told too
    assert ("feature_drift", "firing", "x3") in found


def test_a_season_longer_than_a_window_is_said_to_hide_changes() -> None:
    # Given a season of a minute, seen through windows of five seconds
    def season(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        phase = math.sin(2 * math.pi * i / 12_000)
        fields["features"]["x0"] = fields["features"]["x0"] / 10 + 3 * phase
        return {}

    overrides = {**QUICK, "reference": {"min_events": 1_000, "min_duration": 120.0}}
    subject = monitor(overrides=overrides)
    events = drive(subject, stream(40_000, fault=season), range(0, 40_000, 2_000)).events
    # When it is judged
    x0 = next(f for f in only(subject).features if f.name == "x0")
    (drift,) = [j for j in x0.judgements if j.detector == "js"]
    # Then nobody is woken, and it does not look healthy either
    assert told(events) == []
    assert drift.state == "warming" and "differ by themselves" in drift.reason


def test_a_feature_that_is_gone_is_not_said_to_be_learning() -> None:
    def lose(features: dict[str, Any]) -> None:
        features["x1"] = None

    subject = monitor()
    drive(subject, stream(16_000, fault=between(12_000, 16_000, lose)))
    x1 = next(f for f in only(subject).features if f.name == "x1")
    assert {j.detector: j.state for j in x1.judgements}["js"] == "too_few"


def test_the_same_cause_on_two_partitions_is_two_alarms() -> None:
    def shift(features: dict[str, Any]) -> None:
        features["x2"] += 5

    records = stream(16_000, fault=between(12_000, 16_000, shift))
    from streamgauge.monitor import PartitionMonitor
    from tests.monitor.streams import Book

    fired = []
    for partition in (0, 1):
        subject = PartitionMonitor(partition, book=Book())
        moved = [each._replace(partition=partition) for each in records]
        fired += [e for e in drive(subject, moved).events if isinstance(e, AlarmEvent)]
    assert len({alarm.fingerprint for alarm in fired}) == 2


def test_positions_lead_to_the_onset() -> None:
    def shift(features: dict[str, Any]) -> None:
        features["x2"] += 5

    records = stream(16_000, fault=between(12_000, 16_000, shift))
    (fired,) = [e for e in drive(monitor(), records).events if isinstance(e, AlarmEvent)]
    assert fired.evidence.positions[0].offset == 12_000


def test_an_alarm_ends_as_loud_as_it_began() -> None:
    # Given a moderate shift against a young reference, which is worth an "info"
    def shift(features: dict[str, Any]) -> None:
        features["x2"] += 0.9

    records = stream(22_000, fault=between(12_000, 16_000, shift))
    fired, resolved = [e for e in drive(monitor(), records).events if isinstance(e, AlarmEvent)]
    assert (fired.severity, resolved.severity) == ("info", "info")


def test_a_spec_that_keeps_its_profile_keeps_what_was_learned_beside_it() -> None:
    # Given a profile without order in time, calibrated by the first live windows
    from streamgauge.references import ReferenceProfile
    from streamgauge.references.build import build_profile
    from tests.monitor.test_configuration import training

    profile = build_profile(training(), model="fraud")
    again = ReferenceProfile.from_bytes(profile.to_bytes())
    reference = {"kind": "profile", "id": profile.id}
    first = version(1, 0.0, reference=reference)
    second = version(2, START + 40, reference=reference, owner="risk")
    subject = monitor(
        Configuration(first.spec, number=1, effective_at=0.0, profile=profile),
        Configuration(second.spec, number=2, effective_at=START + 40, profile=again),
    )
    # When the spec gets an owner, and its copy of the profile is read anew
    drive(subject, stream(9_200))
    # Then nothing is calibrated a second time
    found = view(subject)
    assert (found.spec_version, found.series[0].state) == (2, "ok")


def test_another_profile_does_not_leave_the_old_one_judging_what_it_lacks() -> None:
    from streamgauge.references.build import build_profile
    from tests.monitor.test_configuration import training

    whole = build_profile(training(), model="fraud", ordered=True)
    part = build_profile([{"x0": row["x0"]} for row in training()], model="fraud", ordered=True)
    specs = [
        version(n, START + 10 * (n - 1), reference={"kind": "profile", "id": p.id})
        for n, p in ((1, whole), (2, part))
    ]
    subject = monitor(
        Configuration(specs[0].spec, number=1, effective_at=START, profile=whole),
        Configuration(specs[1].spec, number=2, effective_at=START + 10, profile=part),
    )
    drive(subject, stream(4_200))
    states = {f.name: f.judgements[0].state for f in only(subject).features if f.judgements}
    assert states["x0"] == "ok" and states["x1"] == "warming"
