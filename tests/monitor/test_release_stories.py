"""A new version beside or behind the old one: told when it answers otherwise, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamgauge.monitor import Configuration
from streamgauge.references.build import build_profile
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.generate import stream
from tests.monitor.streams import QUICK, START, drive, monitor
from tests.monitor.telling import alarms, series, told, view

Version = Callable[[int], str]
#: From 60 s on the new version takes its part of the traffic, at 200 events a second.
SINCE = 12_000


def half(i: int) -> str:
    return "2" if i >= SINCE and i % 2 else "1"


def replacing(i: int) -> str:
    return "2" if i >= SINCE else "1"


def canary(i: int) -> str:
    return "2" if i >= SINCE and i % 20 == 0 else "1"


def lenient(version: Version) -> Callable[[int, dict[str, Any]], dict[str, Any]]:
    """The new version gives higher scores to the same inputs."""

    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        if version(i) == "1":
            return {}
        score = fields["output"]["score"]
        return {"output": {"label": "ok", "score": score**0.2}}

    return fault


def test_a_version_that_scores_otherwise_on_the_same_traffic_is_told_with_its_rivals_name() -> None:
    log = stream(16_000, version=half, fault=lenient(half), features=2)
    found = alarms(drive(monitor(), log, range(0, 16_000, 1_000)).events)
    (fired,) = [alarm for alarm in found if alarm.kind == "release"]
    assert (fired.version, fired.feature, fired.status) == ("2", "output.score", "firing")
    assert fired.window is not None and fired.window.end <= START + 60 + 3 * 5.5
    assert "fraud 2: the score is distributed otherwise than with version 1" in fired.summary
    assert "on the same traffic" in fired.summary
    # And the old version, which is as it was, is not accused
    assert {alarm.version for alarm in found} == {"2"}


def test_a_deploy_that_replaces_is_held_against_what_the_old_version_used_to_say() -> None:
    log = stream(16_000, version=replacing, fault=lenient(replacing), features=2)
    found = alarms(drive(monitor(), log, range(0, 16_000, 1_000)).events)
    (fired,) = [alarm for alarm in found if alarm.kind == "release"]
    assert (fired.version, fired.feature) == ("2", "output.score")
    assert "version 1" in fired.summary


def test_a_canary_of_one_in_twenty_is_told_once_its_window_is_full() -> None:
    # Given a canary that sees ten events a second: its window of 500 takes 50 s
    log = stream(32_500, version=canary, fault=lenient(canary), features=2)
    found = alarms(drive(monitor(), log, range(0, 32_500, 1_000)).events)
    (fired,) = [alarm for alarm in found if alarm.kind == "release"]
    assert fired.version == "2"
    assert fired.window is not None and fired.window.end <= START + 60 + 105


def test_a_version_that_fails_more_often_is_told() -> None:
    def failing(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error", "output": None} if half(i) == "2" and i % 11 == 1 else {}

    log = stream(16_000, version=half, fault=failing, features=2)
    found = alarms(drive(monitor(), log, range(0, 16_000, 1_000)).events)
    fired = next(alarm for alarm in found if alarm.kind == "release")
    assert (fired.version, fired.feature, fired.rule) == ("2", "errors", "error_ratio")
    assert "more than with version 1" in fired.summary


@pytest.mark.parametrize("version", [half, replacing, canary], ids=["half", "replacing", "canary"])
def test_a_version_that_answers_as_the_one_before_it_is_not_told(version: Version) -> None:
    # Given neighbours in time that are alike, as they are in life
    log = stream(18_000, version=version, features=2, correlation=0.9)
    subject = monitor()
    assert told(drive(subject, log, range(0, 18_000, 1_000)).events) == []
    assert series(subject, "2").rival in ("1", None)


def test_two_canaries_at_once_are_both_held_against_what_came_before() -> None:
    def three(i: int) -> str:
        return "123"[i % 3] if i >= SINCE else "1"

    log = stream(18_000, version=three, features=2)
    subject = monitor()
    assert told(drive(subject, log, range(0, 18_000, 1_000)).events) == []
    rivals = {each.version: each.rival for each in view(subject).series}
    assert rivals["1"] is None and rivals["2"] == "1" and rivals["3"] in ("1", "2")


def test_a_profile_that_comes_in_the_middle_of_a_release_does_no_harm() -> None:
    # Given two versions side by side, and a profile of the outputs that takes effect then
    rows = [{"x0": i / 400, "output.score": i / 500} for i in range(400)]
    profile = build_profile(rows, model="fraud", ordered=True)
    document = {"model": "fraud", "reference": {"kind": "profile", "id": profile.id}}
    made = ModelSpec.from_document(document).over(QUICK)
    at = START + 71.3
    newer = Configuration(made, number=1, effective_at=at, profile=profile)
    log = stream(16_000, version=half, features=2)
    subject = monitor(newer)
    drive(subject, log, range(0, 16_000, 1_000))
    # Then both go on to be counted, in the bins of the profile
    found = view(subject)
    assert found.spec_version == 1
    assert sum(series.counts["ok"] for series in found.series) == 16_000
