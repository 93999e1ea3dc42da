"""Specs and profiles: in force from one record on, the same in every replay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.references import ReferenceProfile
from streamgauge.references.build import build_profile
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import AlarmEvent, Event
from tests.monitor.generate import between, stream
from tests.monitor.streams import QUICK, START, Book, drive, monitor


def spec(**document: Any) -> ModelSpec:
    return ModelSpec.from_document({"model": "fraud", **document}).over(QUICK)


def training(n: int = 20_000, *, seed: int = 1) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 4))
    colours = rng.choice(["red", "green", "blue"], p=[0.6, 0.3, 0.1], size=n)
    return [
        {f"x{j}": float(v) for j, v in enumerate(row)} | {"colour": str(colour)}
        for row, colour in zip(values, colours, strict=True)
    ]


@pytest.fixture(scope="module")
def profile() -> ReferenceProfile:
    return build_profile(training(), model="fraud", ordered=True)


def profiled(profile: ReferenceProfile, **document: Any) -> Configuration:
    chosen = spec(reference={"kind": "profile", "id": profile.id}, **document)
    return Configuration(chosen, number=1, effective_at=0.0, profile=profile)


def firing(events: list[Event]) -> list[AlarmEvent]:
    return [e for e in events if isinstance(e, AlarmEvent) and e.status == "firing"]


def test_with_a_profile_the_first_windows_are_judged(profile: ReferenceProfile) -> None:
    # Given a profile of the training data, and serving that differs from the first event on
    def skew(features: dict[str, Any]) -> None:
        features["x1"] += 1.5

    subject = monitor(profiled(profile))
    # When three windows pass
    alarms = firing(drive(subject, stream(3_200, fault=between(0, 3_200, skew))).events)
    # Then the skew is told, against that profile
    assert [alarm.feature for alarm in alarms] == ["x1"]
    assert alarms[0].reference is not None and alarms[0].reference.id == profile.id


def test_a_profile_without_order_waits_for_live_windows() -> None:
    unordered = build_profile(training(), model="fraud")

    def shift(features: dict[str, Any]) -> None:
        features["x1"] += 1.5

    def to_percent(features: dict[str, Any]) -> None:
        features["x1"] = 100 + 100 * features["x1"]

    # A moderate shift must not be told before windows have shown how they differ by themselves.
    early = stream(3_200, fault=between(0, 3_200, shift))
    assert firing(drive(monitor(profiled(unordered)), early).events) == []
    # One that nothing could explain is told at once.
    gross = stream(3_200, fault=between(0, 3_200, to_percent))
    assert [a.feature for a in firing(drive(monitor(profiled(unordered)), gross).events)] == ["x1"]


@pytest.mark.parametrize("cuts", [(), range(1, 6_000, 7)], ids=["whole", "in pieces"])
def test_a_spec_takes_effect_at_the_first_record_that_reaches_it(cuts: range) -> None:
    # Given a spec that allows x0 from 0 to 1 only, effective 15 seconds in
    strict = Configuration(
        spec(features={"x0": {"type": "numeric", "range": [-1.0, 1.0]}}),
        number=1,
        effective_at=START + 15.0,
    )
    subject = monitor(strict)
    # When the log is processed, however cut
    alarms = firing(drive(subject, stream(6_000), cuts).events)
    # Then hard rules begin to count there: 32 % of a normal lie outside
    (alarm,) = alarms
    assert (alarm.kind, alarm.feature, alarm.rule) == ("data_quality", "x0", "out_of_range")
    assert alarm.starts_at == START + 15
    view = subject.dirty().views
    assert b'"spec_version":1' in next(iter(view.values()))


def test_missing_max_of_a_spec_is_the_threshold(profile: ReferenceProfile) -> None:
    def lose(features: dict[str, Any]) -> None:
        if features["x3"] > 1.5:
            features["x3"] = None

    records = stream(4_000, fault=between(0, 4_000, lose))
    # Seven in a hundred are missing: too many for this owner …
    strict = profiled(profile, features={"x3": {"missing_max": 0.01}})
    found = [a for a in firing(drive(monitor(strict), records).events) if a.kind == "data_quality"]
    assert [(a.feature, a.threshold) for a in found] == [("x3", 0.01)]
    # … and not for that one.
    lax = profiled(profile, features={"x3": {"missing_max": 0.2}})
    again = [a for a in firing(drive(monitor(lax), records).events) if a.kind == "data_quality"]
    assert again == []


def test_an_ignored_feature_is_not_judged(profile: ReferenceProfile) -> None:
    def shift(features: dict[str, Any]) -> None:
        features["x1"] += 3

    quiet = profiled(profile, features={"x1": {"ignore": True}})
    records = stream(4_000, fault=between(0, 4_000, shift))
    assert all(a.kind != "feature_drift" for a in firing(drive(monitor(quiet), records).events))


def test_a_category_that_the_spec_does_not_allow_is_told(profile: ReferenceProfile) -> None:
    def recolour(features: dict[str, Any]) -> None:
        if features["colour"] == "blue":
            features["colour"] = "violet"

    strict = profiled(profile, features={"colour": {"allowed": ["red", "green", "blue"]}})
    records = stream(6_000, fault=between(2_000, 6_000, recolour))
    alarms = [a for a in firing(drive(monitor(strict), records).events) if a.kind == "data_quality"]
    assert [(a.feature, a.rule) for a in alarms] == [("colour", "new_category")]


def test_state_survives_a_spec_that_is_gone(profile: ReferenceProfile) -> None:
    subject = monitor(profiled(profile))
    drive(subject, stream(2_000))
    orphan = PartitionMonitor(0, book=Book())
    orphan.restore(subject.dirty().blobs)
    assert drive(orphan, stream(2_000, first=2_000, start=START + 10)).counts == {
        ("prediction", "ok"): 2_000
    }
