"""Screens of models, features, alarms and the pipeline, from views as the monitor makes them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from streamgauge.console.documents import MOST_KEPT, Documents, Screen
from streamgauge.state.handlings import Handling, Verdict
from streamgauge.state.keys import model_id
from streamgauge.state.views import DeadSampleView
from tests.console.screens import MONITOR, Shown
from tests.exposition.builders import NOW, alarm, feature, model, partition, reading, series
from tests.exposition.lively import lively_views
from tests.exposition.test_learners import VIEW
from tests.monitor.streams import START

#: When the lively views end.
END = START + 80.0


@pytest.fixture(scope="module")
def lively() -> Shown:
    shown = Shown()
    views = lively_views()
    now = reading(
        views,
        [partition()],
        read_at=END,
        processes=(MONITOR,),
        learners=(VIEW,),
        specs={"fraud": 2},
    )
    return shown.take(now, at=END)


def test_the_model_screen_says_what_its_views_say(lively: Shown) -> None:
    found = lively.screen("model", "fraud")
    assert (found["name"], found["owner"]) == ("fraud", "risk-ml")
    assert found["spec"] == {"judged_by": 1, "newest": 2}
    assert found["row"]["status"] == "firing"
    # the gravest features first, with the hour that began with this reading
    features = found["features"]
    assert [each["name"] for each in features[:2]] == ["rule limit-holds", "x0"]
    assert features[1]["state"] == "firing"
    assert features[1]["values"] == [pytest.approx(features[1]["severity"], rel=1e-3)]
    assert {each["name"] for each in found["outputs"]} >= {"output.score", "output.latency"}
    latency = next(each for each in found["outputs"] if each["name"] == "output.latency")
    assert all(name.endswith("ms") for name in latency["histogram"]["bins"])
    # performance with its interval and the labels that it stands on
    accuracy = next(
        f for f in found["truth"]["performance"][0]["figures"] if f["name"] == "accuracy"
    )
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert found["truth"]["labels"]["coverage"] == 1.0
    assert found["truth"]["labels"]["pending"] == 198
    assert found["lines"]["performance"] and found["lines"]["performance_low"]
    # versions, who was there before this process looked, claims, acts, slices, processes
    assert {each["version"]: each["since"] for each in found["versions"]} == {"1": None, "2": None}
    assert [each["version"] for each in found["traffic"]] == ["1", "2"]
    assert {each["name"]: each["state"] for each in found["criteria"]}["fast"] == "PASS"
    assert {each["kind"] for each in found["behaviour"]} == {"redo", "abandon"}
    assert found["slices"] and found["clients"]
    assert found["explain"] == "streamgauge explain fraud"


def test_the_feature_screen_says_why_it_fired(lively: Shown) -> None:
    found = lively.screen("feature", "fraud", "x0")
    column = next(each for each in found["columns"] if each["version"] == "2")
    assert column["type"] == "numeric"
    assert column["ratios"]["missing"] == 0.0
    assert column["judgements"][0]["state"] == "firing"
    (why,) = column["why"]
    assert why.startswith("js is 0.5") and "× threshold (0.24" in why
    # the histogram's ends hold what is new, and that is said
    assert any("→ 26 %" in each for each in column["moves"])
    assert [each["series"] for each in column["detectors"]] == ["x0"]
    assert found["alarms"][0]["kind"] == "feature_drift"
    assert found["explain"] == "streamgauge explain fraud.x0"


@pytest.mark.parametrize("key", ["release output.score", "errors", "rule limit-holds", "redo"])
def test_whatever_is_judged_has_a_screen(lively: Shown, key: str) -> None:
    found = lively.screen("feature", "fraud", key)
    assert found["columns"] and all(each["judgements"] for each in found["columns"])


def test_alarms_come_with_evidence_and_commands(lively: Shown) -> None:
    found = lively.screen("alarms")
    severities = [each["ratio"] for each in found["open"]]
    assert severities == sorted(severities, reverse=True)
    drift = next(each for each in found["open"] if each["kind"] == "feature_drift")
    assert drift["evidence"]["judgements"][0]["detector"] == "js"
    assert drift["evidence"]["judgements"][0]["version"] == "2"
    explain, consume, *others = (each["line"] for each in drift["commands"])
    assert [each.split()[2] for each in others] == ["acknowledge", "silence", "judge"]
    assert explain == "streamgauge explain fraud.x0"
    assert consume.startswith("kcat -C -e -q -b kafka.example:9092 -t streamgauge.alarms | grep")
    assert found["firing"] == len(found["open"])


def test_who_looks_after_an_alarm_is_said_as_long_as_it_holds() -> None:
    # Given an alarm that somebody silenced for a minute
    told = {"model": "fraud", "by": "ann", "reason": "<b>known</b>", "at": NOW - 30}
    quiet = Handling(
        **told, fingerprint=alarm().fingerprint, alarm_id="other", status="silenced", until=NOW + 30
    )
    wrong = Verdict(
        **told, fingerprint=alarm().fingerprint, alarm_id="a", kind="feature_drift", right=False
    )
    now = reading(
        [model(alarms=[alarm(), alarm(alarm_id="over", status="resolved", ends_at=NOW)])],
        handlings={quiet.fingerprint: quiet},
        verdicts=(wrong,),
    )
    shown = Shown()
    # Then the screen says who and until when, and no longer once that is over
    (found,) = shown.take(now).screen("alarms")["open"]
    assert (found["handled"]["by"], found["handled"]["until"]) == ("ann", NOW + 30)
    (found,) = shown.take(now, at=NOW + 31).screen("alarms")["open"]
    assert found["handled"] is None
    # and what was said of it stays with this alarm
    said = {"right": False, "by": "ann", "at": NOW - 30, "reason": "<b>known</b>"}
    assert found["verdict"] == said
    assert shown.screen("alarms")["resolved"][0]["verdict"] is None


def test_what_resolved_lately_is_kept_apart() -> None:
    over = alarm(status="resolved", ends_at=NOW - 10, alarm_id="b")
    found = Shown().take(reading([model(alarms=[alarm(), over])], [partition()])).screen("alarms")
    assert [each["id"] for each in found["open"]] == ["a"]
    assert [(each["id"], each["ends_at"]) for each in found["resolved"]] == [("b", NOW - 10)]


def test_a_name_that_a_shell_would_take_for_more_is_quoted() -> None:
    view = model("a; rm -rf $HOME", alarms=[alarm(feature="x'y")])
    (found,) = Shown().take(reading([view])).screen("alarms")["open"]
    assert found["commands"][0]["line"] == """streamgauge explain 'a; rm -rf $HOME.x'"'"'y'"""


def test_the_pipeline_screen_accounts_for_every_record() -> None:
    short = partition(1, counts={"prediction/ok": 90}, lost=0, holes=0, dead={}, lag=40)
    now = reading([], [partition(), short], processes=(MONITOR,), skipped={"malformed": 2})
    found = Shown().take(now).screen("pipeline")
    assert found["totals"] == {
        "records": 188,
        "dead": 1,
        "lost": 1,
        "holes": 1,
        "lag": 40,
        "unaccounted": 10,
    }
    assert [each["unaccounted"] for each in found["partitions"]] == [0, 10]
    # reasons stand there before the first one
    assert {each["reason"]: each["n"] for each in found["dead"]}["decode"] == 0
    assert found["processes"][0]["service"] == "monitor"
    assert found["skipped"] == {"malformed": 2}


def test_the_last_dead_letters_are_listed_newest_first_and_five_of_a_reason() -> None:
    def sample(offset: int, **fields: Any) -> DeadSampleView:
        values = {"topic": "streamgauge.predictions", "timestamp": NOW - offset, **fields}
        return DeadSampleView(
            partition=0, offset=offset, bytes=40, error="output: missing", **values
        )

    # Given refused records of two partitions, by a known model, by a stranger and without a clock
    known = {"model_id": model_id("fraud")}
    one = {"schema": [sample(i, **known) for i in range(5)], "decode": [sample(9, timestamp=None)]}
    two = {"schema": [sample(7), sample(2, model_id=model_id("somebody"))]}
    views = [partition(0, dead_samples=one), partition(1, dead_samples=two)]
    found = Shown().take(reading([model()], views)).screen("pipeline")["letters"]
    assert [(each["reason"], each["offset"]) for each in found] == [
        *[("schema", offset) for offset in (0, 1, 2, 2, 3)],
        ("decode", 9),
    ]
    assert [each["name"] for each in found].count("fraud") == 4
    assert {each["key"] for each in found} == {"fraud", None}
    assert found[-1]["at"] is None and found[0]["at"] == NOW


def test_a_silent_model_shows_no_number_as_if_it_were_of_now(lively: Shown) -> None:
    found = lively.screen("model", "asleep")
    assert found["row"]["rate"] is None
    assert found["row"]["quiet"] == pytest.approx(78.0, abs=0.1)
    assert {each["state"] for each in found["features"]} == {"no_data"}
    assert all(each["severity"] is None for each in found["features"])


@pytest.mark.parametrize("screen", [Screen("model", "nobody"), Screen("feature", "fraud", "none")])
def test_what_is_not_known_is_said_to_be_gone(lively: Shown, screen: Screen) -> None:
    assert not lively.documents.answer(screen).known
    assert lively.screen(screen.name, screen.model, screen.feature)["gone"] is True


def test_a_screen_is_built_once_for_a_reading_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    make = Documents._make

    def counted(self: Documents, screen: Screen) -> Any:
        built.append(screen.name)
        return make(self, screen)

    monkeypatch.setattr(Documents, "_make", counted)
    shown = Shown().take(reading([model()]))
    askers = [threading.Thread(target=shown.screen) for _ in range(20)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    assert built == ["fleet"]
    # and the next reading has its own, under another number
    before = shown.documents.number
    shown.take(reading([model()]))
    shown.screen()
    assert built == ["fleet", "fleet"]
    assert shown.documents.number != before


def test_names_that_are_made_up_to_be_asked_for_fill_no_memory() -> None:
    shown = Shown().take(reading([model()]))
    for i in range(2 * MOST_KEPT):
        shown.documents.answer(Screen("model", f"m{i}"))
    assert len(shown.documents._kept) <= MOST_KEPT


def test_the_history_is_fed_from_what_is_read_and_not_from_what_is_old() -> None:
    shown = Shown()
    view = model(series=[series(rate=12.0, features=[feature("amount", severity=0.7)])])
    shown.take(reading([view], read_at=NOW), at=NOW)
    # When Redis goes, Then the line ends; the last value is not drawn on
    gone = reading([view], up=False, read_at=NOW)
    for second in range(1, 40):
        shown.take(gone, at=NOW + second)
    assert shown.documents.history.line("fraud", "rate") == [12.0]
    assert shown.documents.history.features("fraud") == {"amount": [pytest.approx(0.7)]}
