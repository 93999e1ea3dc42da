"""What stands around an alarm: whom it concerns, what is at stake, what was planned for it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamgauge.processing import LogRecord
from tests.monitor.generate import between, stream
from tests.monitor.streams import START, drive, monitor
from tests.monitor.telling import PREDICTIONS, alarms, numbers, series, spec

PROJECT: dict[str, Any] = {
    "runbook_url": "https://example.com/runbooks/fraud",
    "owner": "nobody",
    "project": {"objective": "Half as many frauds, no customer refused for nothing"},
    "owners": [
        {"role": "on-call", "team": "old-team", "to": "2026-01-01"},
        {"role": "on-call", "team": "risk-ml", "from": "2026-01-02"},
    ],
    "risks": [
        {
            "id": "cents",
            "failure": "A client sends cents.",
            "metric": "drift_severity(x2)",
            "contingency": "Switch to the rules.",
        },
        {
            "id": "gone",
            "failure": "Nothing comes.",
            "monitor": "staleness",
            "contingency": "Call the payments team.",
        },
        {
            "id": "broken",
            "failure": "A feed is broken.",
            "monitor": "data_quality",
            "contingency": "Serve for an hour without it.",
        },
    ],
}


def test_a_drift_brings_objective_owner_runbook_and_the_plan_for_this_very_risk() -> None:
    def shift(features: dict[str, Any]) -> None:
        features["x2"] += 5

    log = stream(9_600, rate=100.0, features=3, fault=between(6_000, 8_000, shift))
    fired, resolved = alarms(drive(monitor(spec(**PROJECT)), log).events)
    assert fired.objective == PROJECT["project"]["objective"]
    assert fired.owner == "risk-ml", "who holds the role on that day"
    assert fired.runbook_url == PROJECT["runbook_url"]
    assert fired.contingency == "Switch to the rules."
    # What is over needs no plan any more
    assert resolved.contingency is None and resolved.owner == "risk-ml"


def test_a_silence_and_a_broken_feed_have_plans_of_their_own() -> None:
    subject = monitor(spec(silence_after="10s", **PROJECT))
    drive(subject, numbers(START + i for i in range(5)))
    (silent,) = alarms(subject.advance(START + 60).events)
    assert (silent.contingency, silent.owner) == ("Call the payments team.", "risk-ml")

    def lose(features: dict[str, Any]) -> None:
        features["x0"] = None

    log = stream(3_000, rate=100.0, features=2, fault=between(2_000, 3_000, lose))
    fired = alarms(drive(monitor(spec(**PROJECT)), log).events)[0]
    assert (fired.kind, fired.contingency) == ("data_quality", "Serve for an hour without it.")


def test_without_a_spec_there_is_nothing_around_it() -> None:
    def lose(features: dict[str, Any]) -> None:
        features["x0"] = None

    log = stream(3_000, rate=100.0, features=2, fault=between(2_000, 3_000, lose))
    fired = alarms(drive(monitor(), log).events)[0]
    assert (fired.objective, fired.contingency, fired.owner) == (None, None, None)


# --- batches ------------------------------------------------------------------------------------


def batch(**fields: Any) -> LogRecord:
    event = {
        "model": "fraud",
        "version": "1",
        "prediction_id": ["a", "b", "c"],
        "timestamp": START,
        "output": [0.1, 0.2, 0.3],
        "features": {"x": [1.0, 2.0, 3.0]},
    } | fields
    headers = (("ce_type", b"streamgauge.prediction_batch.v1"),)
    return LogRecord(PREDICTIONS, 0, 0, START, b"fraud", headers, orjson.dumps(event))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"features": {"x": [1.0, 2.0]}}, "features.x"),
        ({"output": [0.1]}, "output"),
        ({"latency_ms": [1.0, 2.0, 3.0, 4.0]}, "latency_ms"),
        ({"segment": {"country": ["SE"]}}, "segment.country"),
        ({"output": {"label": ["a", "b", "c"], "scores": {"a": [0.5]}}}, "output.scores.a"),
        ({"timestamp": [START, START]}, "timestamp"),
    ],
)
def test_columns_of_different_length_are_a_dead_letter_that_names_them(
    fields: dict[str, Any], words: str
) -> None:
    effects = drive(monitor(), [batch(**fields)])
    (letter,) = effects.dead_letters
    assert letter.reason == "schema"
    assert words.split(".")[-1] in letter.error and "3" in letter.error, letter.error
    assert effects.counts == {("prediction_batch", "dead"): 1} or effects.counts == {
        ("prediction", "dead"): 1
    }


def test_a_batch_counts_as_its_rows_and_single_events_stand_between_them() -> None:
    single = [record for record in stream(4, rate=100.0, features=2)]
    subject = monitor()
    effects = drive(subject, [single[0], batch(), single[1], batch(prediction_id=["d", "e", "f"])])
    assert effects.counts == {("prediction", "ok"): 2, ("prediction_batch", "ok"): 2}
    assert series(subject).counts["ok"] == 8
