"""Pipelines: drift that begins in one step and shows in the next is told with where it began."""

from __future__ import annotations

from typing import Any

from streamgauge.processing import LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import drive, monitor
from tests.monitor.telling import alarms, merged, spec, told


def pipeline(*, first: int, then: int) -> list[LogRecord]:
    """Two steps a request; from row ``first`` on enrich moves, from ``then`` on score does too."""

    def enrich(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["x2"] += 4 * (i >= first)
        return {"step": "enrich", "output": None, "prediction_id": f"e{i}"}

    def score(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["x0"] += 4 * (i >= then)
        return {"step": "score", "prediction_id": f"s{i}"}

    options: dict[str, Any] = {"rate": 100.0, "features": 3}
    return merged(
        stream(6_500, fault=enrich, **options), stream(6_500, fault=score, seed=9, **options)
    )


def test_the_alarm_of_a_later_step_names_the_step_that_moved_first() -> None:
    subject = monitor(spec(steps=["enrich", "score"]))
    found = alarms(drive(subject, pipeline(first=4_500, then=5_000), range(0, 13_000, 900)).events)
    by_step = {alarm.scope["step"]: alarm for alarm in found}
    assert by_step["enrich"].earliest_step == "enrich"
    assert "moved first" not in by_step["enrich"].summary
    assert by_step["score"].earliest_step == "enrich"
    assert by_step["score"].summary.endswith("; step enrich moved first")


def test_without_a_spec_steps_stand_in_the_order_in_which_they_came() -> None:
    found = alarms(drive(monitor(), pipeline(first=4_500, then=5_000)).events)
    assert {alarm.scope["step"]: alarm.earliest_step for alarm in found} == {
        "enrich": "enrich",
        "score": "enrich",
    }


def test_a_step_that_moves_alone_is_its_own_beginning() -> None:
    subject = monitor(spec(steps=["enrich", "score"]))
    (fired,) = alarms(drive(subject, pipeline(first=99_999, then=4_500)).events)
    assert (fired.scope, fired.earliest_step) == ({"step": "score"}, "score")


def test_a_pipeline_that_stays_as_it_is_says_nothing() -> None:
    assert told(drive(monitor(), pipeline(first=99_999, then=99_999)).events) == []
