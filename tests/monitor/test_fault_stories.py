"""What is wrong with single events: rules, duplicates, lateness, doubt, lengths of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from streamgauge.processing import LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import drive, monitor
from tests.monitor.telling import alarms, series, spec, told

Fields = dict[str, Any]
#: A window a second, and a reference that has settled after fifteen.
FAST = {
    "defaults": {"pane": 1.0, "min_duration": 1.0, "min_events": 500, "grace": 0.0},
    "reference": {"min_events": 1_000, "min_duration": 2.0},
}


def quick(
    n: int, fault: Callable[[int, Fields], Any] | None = None, **more: Any
) -> list[LogRecord]:
    return stream(n, rate=100.0, features=3, fault=fault, **more)


# --- rules -------------------------------------------------------------------------------------


def aged(first: int) -> Callable[[int, Fields], Any]:
    """Everybody is of age, until row ``first`` lets one in ten be a child."""

    def fault(i: int, fields: Fields) -> Any:
        fields["features"]["age"] = 12.0 if i >= first and i % 10 == 0 else 30.0 + i % 40
        return {}

    return fault


def test_a_broken_rule_is_told_from_the_first_events_on_with_the_rules_severity() -> None:
    rule = {"name": "of-age", "check": "age >= 18", "severity": "critical"}
    subject = monitor(spec(rules=[rule]))
    fired, resolved = alarms(
        drive(subject, [*quick(300, aged(0)), *_later(quick(500, aged(500)), 3.0)]).events
    )
    assert (fired.kind, fired.feature, fired.severity) == (
        "data_quality",
        "rule of-age",
        "critical",
    )
    assert fired.summary.startswith("fraud: rule of-age is broken by 10 % of predictions")
    assert (resolved.status, resolved.severity) == ("resolved", "critical")


def test_a_rule_that_allows_some_is_silent_about_them() -> None:
    rule = {"name": "of-age", "check": "age >= 18", "max_ratio": 0.25}
    assert told(drive(monitor(spec(rules=[rule])), quick(2_000, aged(0))).events) == []


def test_rules_that_hold_say_nothing() -> None:
    rules = [
        {"name": "of-age", "check": "age >= 18"},
        {"name": "classes", "check": 'label in ("ok", "bad")'},
        {"name": "fast", "check": "latency_ms < 1000"},
    ]
    subject = monitor(spec(rules=rules))
    assert told(drive(subject, quick(3_000, aged(3_000)), range(0, 3_000, 400)).events) == []


# --- duplicates --------------------------------------------------------------------------------


def test_predictions_that_are_published_twice_are_told() -> None:
    # Given a retry that publishes each prediction twice, from 40 s on
    log = quick(7_000)
    twice = [
        copy for i, each in enumerate(log) for copy in ((each, each) if i > 4_000 else (each,))
    ]
    fired = alarms(drive(monitor(), twice).events)[0]
    assert (fired.kind, fired.feature, fired.rule) == ("data_quality", "prediction_id", "duplicate")
    assert "the prediction id comes twice in 5" in fired.summary


def test_ids_that_never_repeat_are_no_duplicates() -> None:
    subject = monitor()
    assert told(drive(subject, quick(6_000), range(0, 6_000, 500)).events) == []
    (found,) = [j for j in series(subject).judgements if j.detector == "duplicate"]
    assert found.value == 0.0 and found.state == "ok"


# --- late events -------------------------------------------------------------------------------


def delayed(first: int, share: int) -> list[LogRecord]:
    """One in ``share`` events comes ten seconds late, from row ``first`` on."""
    made = []
    for i, record in enumerate(quick(6_000)):
        event = orjson.loads(record.value or b"")
        if i >= first and i % share == 0:
            event["timestamp"] -= 10
        made.append(record._replace(value=orjson.dumps(event)))
    return made


def test_events_that_come_late_where_they_came_in_time_are_told() -> None:
    fired = alarms(drive(monitor(), delayed(4_000, 4)).events)[0]
    assert (fired.kind, fired.feature, fired.rule) == ("data_quality", "timestamp", "late")
    assert "an event comes after its window had closed in" in fired.summary


def test_events_that_always_came_late_are_usual() -> None:
    assert told(drive(monitor(), delayed(0, 5), range(0, 6_000, 500)).events) == []


# --- certainty ---------------------------------------------------------------------------------


def unsure(first: int, share: int) -> Callable[[int, Fields], Any]:
    def fault(i: int, fields: Fields) -> Any:
        p = 0.45 if i >= first and i % share == 0 else 0.8 + (i % 100) / 1_000
        rest = (1 - p) / 2
        scores = {"ham": p, "spam": rest, "eggs": rest}
        return {"output": {"label": "ham", "scores": scores}}

    return fault


def test_a_model_that_is_unsure_more_often_than_allowed_is_told() -> None:
    subject = monitor(spec(output={"low_confidence": 0.5, "low_confidence_max": 0.1}))
    fired, *_ = alarms(drive(subject, quick(1_500, unsure(0, 4))).events)
    assert (fired.kind, fired.rule) == ("prediction_drift", "low_confidence")
    assert "the model is unsure in 2" in fired.summary and "at most 10 %" in fired.summary


def test_doubt_within_what_is_allowed_is_not_told() -> None:
    subject = monitor(spec(output={"low_confidence": 0.5, "low_confidence_max": 0.4}))
    assert told(drive(subject, quick(6_000, unsure(0, 4)), range(0, 6_000, 500)).events) == []
    names = {feature.name for feature in series(subject).features}
    assert {"output.confidence", "output.margin", "output.entropy"} <= names


# --- texts -------------------------------------------------------------------------------------


def texts(first: int, kind: str) -> Callable[[int, Fields], Any]:
    """Free text of one to forty words; from row ``first`` on it is cut to one, or gone."""
    rng = np.random.default_rng(5)

    def fault(i: int, fields: Fields) -> Any:
        words = [f"w{rng.integers(10_000)}" for _ in range(int(rng.integers(1, 40)))]
        fields["features"]["note"] = " ".join(words)
        if i >= first:
            fields["features"]["note"] = words[0] if kind == "cut" else None
        return {}

    return fault


def test_texts_that_become_short_are_told_by_their_length() -> None:
    fired = alarms(drive(monitor(), quick(9_000, texts(6_000, "cut"))).events)[0]
    assert (fired.kind, fired.feature) == ("feature_drift", "len(note)")


def test_a_text_that_is_missing_is_told_of_the_text_and_not_of_its_length() -> None:
    found = told(drive(monitor(), quick(9_000, texts(6_000, "gone"))).events)
    assert found == [("data_quality", "firing", "note")]


def test_texts_as_long_as_ever_are_not_told() -> None:
    subject = monitor()
    assert told(drive(subject, quick(8_000, texts(9_000, "")), range(0, 8_000, 700)).events) == []
    found = {feature.name: feature for feature in series(subject).features}
    assert found["len(note)"].type == "numeric" and found["note"].type == "categorical"
    # The text itself is in no count that leaves the worker
    assert found["note"].histogram is None


# --- hints -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "feature", "words"),
    [
        (lambda f: f.update(x0=f["x0"] * 1.8 + 32), "x0", "Fahrenheit"),
        (lambda f: f.update(x0=-999.0), "x0", "-999"),
        (lambda f: f.update(colour="violet"), "colour", "'violet'"),
    ],
    ids=["fahrenheit", "sentinel", "category"],
)
def test_an_alarm_hints_at_the_likely_cause(change: Any, feature: str, words: str) -> None:
    def celsius(i: int, fields: Fields) -> Any:
        fields["features"]["x0"] = 20 + 5 * fields["features"]["x0"]
        if i >= 6_000:
            change(fields["features"])
        return {}

    found = alarms(drive(monitor(), quick(9_000, celsius)).events)
    fired = next(alarm for alarm in found if alarm.feature == feature)
    hints = [hint for hint in fired.evidence.hints if words in hint]
    assert hints and hints[0].startswith(f"{feature}: "), fired.evidence.hints


# --- inputs that do not go together -------------------------------------------------------------


def twins(first: int) -> Callable[[int, Fields], Any]:
    """Two features of correlation 0.99, each ordinary by itself, that part at row ``first``."""
    rng = np.random.default_rng(9)

    def fault(i: int, fields: Fields) -> Any:
        x = float(rng.normal())
        partner = x if i < first else float(rng.normal())
        fields["features"] |= {"left": x, "right": partner + 0.1 * float(rng.normal())}
        return {}

    return fault


def test_a_correlation_that_breaks_is_told_though_each_feature_is_ordinary() -> None:
    # Given a model that has settled, and thirty windows that showed what is usual
    log = stream(33_000, rate=500.0, features=2, fault=twins(29_500))
    subject = monitor(overrides=FAST)
    assert told(drive(subject, log[:29_500], range(0, 29_500, 1_500)).events) == []
    # When the two part
    found = alarms(drive(subject, log[29_500:]).events)
    # Then the inputs as a whole are told, and none of them is accused
    assert [(a.kind, a.feature, a.rule) for a in found] == [
        ("feature_drift", "input.anomaly", "unusual")
    ]
    assert "inputs are unusual in" in found[0].summary


def _later(records: list[LogRecord], seconds: float) -> list[LogRecord]:
    made = []
    for record in records:
        event = orjson.loads(record.value or b"")
        event["timestamp"] += seconds
        event["prediction_id"] += "-later"
        at = (record.timestamp or 0.0) + seconds
        made.append(record._replace(value=orjson.dumps(event), timestamp=at))
    return made
