"""The first screen: what must be seen is seen first, and what is not known does not look well."""

from __future__ import annotations

from typing import Any

import pytest

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.source import Reading
from streamgauge.state.learner_views import CandidateView, LearnerView, PlainView
from tests.console.screens import MONITOR, Shown, fleet, lines, texts
from tests.exposition.builders import (
    HOSTILE,
    NOW,
    alarm,
    criterion,
    feature,
    model,
    part,
    partition,
    reading,
    series,
)
from tests.exposition.test_learners import VIEW


def test_the_worst_model_comes_first_with_its_feature_and_alarm() -> None:
    firing = model(
        "fraud",
        alarms=[alarm()],
        series=[series("3.2.0", features=[feature("amount", severity=8.3, state="firing")])],
    )
    found = fleet(reading([model("calm"), firing], [partition()], processes=(MONITOR,)))
    first, second = found["rows"]
    assert (first["name"], second["name"]) == ("fraud", "calm")
    assert (first["feature"], first["severity"]) == ("amount", pytest.approx(8.3))
    assert first["versions"] == ["3.2.0"]
    assert first["p95"] == pytest.approx(0.0121)
    assert (first["status"], first["alarms"], second["status"]) == ("firing", 1, "ok")
    assert found["alarms"][0]["summary"] == "fraud: amount is 100 times as large as before"
    assert found["tiles"]["alarms"] == found["firing"] == 1
    assert "start" not in found


@pytest.mark.parametrize(
    ("views", "status", "why"),
    [
        ([model(series=[series(state="warming", reason="620 of 1,000")])], "warming", "620 of"),
        ([model(series=[series(state="too_few", reason="31 of 500")])], "too few", "31 of 500"),
        ([model(last_event=NOW - 75, series=[series(window_end=None)])], "no data", "for 75 s"),
        ([model(series=[])], "no data", "no prediction yet"),
    ],
)
def test_what_is_not_known_does_not_look_healthy(views: list[Any], status: str, why: str) -> None:
    (row,) = fleet(reading(views, [partition()], processes=(MONITOR,)))["rows"]
    assert row["status"] == status
    assert why in row["why"]


def test_a_model_that_falls_silent_is_said_to_be_and_comes_back() -> None:
    # Given a model that sends
    shown = Shown()

    def look(ok: int, at: float) -> dict[str, Any]:
        views = [model(series=[series(ok=ok)])]
        now = reading(views, [partition()], processes=(MONITOR,), read_at=at)
        return shown.take(now, at=at).row()

    assert look(100, NOW)["status"] == "ok"
    assert look(200, NOW + 5)["status"] == "ok"
    # When it sends no more, Then the seconds count from the last growth
    silent = look(200, NOW + 80)
    assert (silent["status"], silent["why"]) == ("no data", "for 75 s")
    # and what comes, heals
    assert look(201, NOW + 81)["status"] == "ok"


def test_a_clock_that_is_set_back_hides_no_silence() -> None:
    shown = Shown()

    def look(at: float) -> tuple[str, str]:
        views = [model(series=[series(ok=200)])]
        now = reading(views, [partition()], processes=(MONITOR,), read_at=at)
        row = shown.take(now, at=at).row()
        return row["status"], row["why"]

    # Given a model that sent, until somebody set the clock right
    assert look(NOW)[0] == "ok"
    assert look(NOW - 3600)[0] == "ok"
    # Then its silence counts from there, and not in an hour
    assert look(NOW - 3525) == ("no data", "for 75 s")


def test_what_is_counted_and_not_judged_is_said() -> None:
    crowded = model("crowded", unmonitored=1234, features_dropped=50)
    found = fleet(reading([model(), crowded], [partition()], processes=(MONITOR,)))
    predictions, values = lines(found["unjudged"], "crowded")
    assert predictions.startswith("1,234 predictions, because")
    assert values.startswith("50 feature values, because")
    # and where there is nothing to say, nothing is
    assert not lines(found["unjudged"], "fraud")


def test_without_models_it_tells_how_to_begin_with_the_real_address() -> None:
    found = fleet(reading([], [partition()], processes=(MONITOR,)))
    python, shell = (each["code"] for each in found["start"]["snippets"])
    assert 'Publisher("kafka.example:9092", model="my-model", version="1")' in python
    assert "kcat -P -b kafka.example:9092 -t streamgauge.predictions" in shell


@pytest.mark.parametrize(
    ("now", "at", "said"),
    [
        (Reading(), NOW, "Redis does not answer; nothing was read yet."),
        (
            Reading(reading([model()]).snapshot, up=False, error="TimeoutError"),
            NOW + 75,
            "Redis does not answer (TimeoutError); this is 75 s old.",
        ),
    ],
    ids=["never", "gone"],
)
def test_what_is_broken_is_said_first(now: Reading, at: float, said: str) -> None:
    found = fleet(now, at=at)
    assert found["notes"] == [{"level": "stop", "text": said}]
    assert not found["up"]
    assert all(row["status"] != "ok" for row in found["rows"])


def test_a_reading_that_grows_old_is_said_to_be() -> None:
    found = fleet(reading([model()], [partition()], processes=(MONITOR,)), at=NOW + 40)
    assert found["notes"] == [{"level": "stop", "text": "This is 40 s old."}]


def test_a_monitor_that_stopped_is_missed_but_an_idle_one_is_not() -> None:
    idle = reading([model()], [partition()], processes=(MONITOR,))
    gone = reading([model()], [partition()])
    activity = Activity()
    shown = Shown(activity=activity).take(gone, at=NOW + 20)
    # Given a monitor that never reported itself, Then nothing can be said
    assert shown.notes() == []
    # When one did and no longer does, Then it is missed, and its verdicts are not of now
    assert idle.snapshot is not None
    activity.note(idle.snapshot)
    shown.take(gone, at=NOW + 20)
    assert "No monitor runs any more" in shown.notes()[0]
    row = shown.row()
    assert (row["status"], row["why"]) == ("no monitor", "what is shown is from before it stopped")


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_stay_text_on_every_screen(name: str) -> None:
    view = model(
        name,
        series=[
            series(
                name,
                reason=name,
                features=[feature(name)],
                slices=[part(name, segment=name, severity=2.0, feature=name)],
            )
        ],
        alarms=[
            alarm(summary=name, kind=name, severity=name, feature=name),
            alarm(summary=name, status="resolved", ends_at=NOW, feature=name),
        ],
        unmonitored=1,
        silent={name: NOW},
        owner=name,
        criteria=[criterion(name, "FAIL", expr=name), criterion(f"{name}2", "UNDECIDED")],
    )
    learner = VIEW.model_copy(update={"model": name, "champion": name})
    now = reading(
        [view],
        [partition(dead={name: 1}, counts={name: 1})],
        learners=(learner,),
        processes=(MONITOR.model_copy(update={"instance": name, "url": f"javascript:{name}"}),),
    )
    shown = Shown().take(now)
    key = shown.screen()["rows"][0]["key"]
    own = shown.screen("model", key)
    (column,) = [each["key"] for each in own["features"]]
    screens = [shown.screen(each) for each in ("fleet", "alarms", "pipeline")]
    screens += [own, shown.screen("feature", key, column)]
    for screen in screens:
        # Then nothing of it steers the text or a terminal, and it is cut, wherever it stands
        assert "gone" not in screen
        assert not {"\u202e", "\x00", "\x1b", "\n"} & set("".join(texts(screen)))
        assert max(len(text) for text in texts(screen)) < 1_000
    # and a command to copy means just that model, or is not offered
    assert all("\n" not in (each or "") for each in (own["explain"],))


def test_two_thousand_models_stay_one_page() -> None:
    many = [model(f"m{i}") for i in range(2_000)]
    shown = Shown().take(reading(many, [partition()], processes=(MONITOR,)))
    assert len(shown.screen()["rows"]) == 200
    assert shown.screen()["more"] == 1_800


def test_names_that_a_producer_makes_up_stand_behind_the_models_that_somebody_runs() -> None:
    # Given a model that somebody runs, silent by now, and names with one event each
    real = model("zebra", series=[series("1", counts={"ok": 5_000})])
    made_up = [model(f"m{i}", series=[series("1", counts={"ok": 1})]) for i in range(50)]
    # When nothing has come for hours
    found = fleet(reading([real, *made_up], [partition()]), at=NOW + 20_000)
    # Then the real one is the first
    assert found["rows"][0]["name"] == "zebra"


def test_silence_claims_and_the_worst_slice_are_said_and_what_is_well_is_not() -> None:
    # Given a model with a silent step, claims that do not hold, and a slice that moved
    view = model(
        "fraud",
        silent={"enrich": NOW - 600},
        criteria=[
            criterion("fast", "FAIL", value=140.0),
            criterion("right", "UNDECIDED"),
            criterion("whole", "PASS"),
        ],
        series=[
            series(
                slices=[
                    part("NO", severity=0.4),
                    part("SE", severity=3.25, feature="amount"),
                ]
            )
        ],
    )
    calm = model("calm", criteria=[criterion()], series=[series(slices=[part(severity=0.9)])])
    shown = Shown().take(reading([view, calm], [partition()], processes=(MONITOR,)))
    # Then each is one line
    said = [
        "no predictions of step enrich since 2027-01-15 07:50:00 UTC, for 10 min",
        "FAIL: fast (p95_latency_ms <= 120, it is 140)",
        "1 of 3 criteria UNDECIDED: right",
        "worst slice: country = SE, 3.25 × threshold, by amount, 600 predictions in the last "
        "window",
    ]
    assert lines(shown.screen()["remarks"], "fraud") == said
    # on the model's own screen too, and of a model that is well, none
    assert shown.screen("model", "fraud")["remarks"] == said
    assert not lines(shown.screen()["remarks"], "calm")
    assert shown.screen("model", "calm")["remarks"] == []


def test_a_claim_that_held_before_the_silence_holds_no_longer() -> None:
    view = model(criteria=[criterion("fast", "PASS")], series=[series(slices=[part(severity=9)])])
    found = fleet(reading([view], [partition()], processes=(MONITOR,)), at=NOW + 600)
    assert lines(found["remarks"], "fraud") == ["1 of 1 criteria UNDECIDED: fast"]


def test_who_answers_and_who_learns_stands_in_rows() -> None:
    frozen = CandidateView(name="tree", estimator="t", halted="its loss is not finite")
    view = VIEW.model_copy(update={"candidates": [*VIEW.candidates, frozen], "held_up": True})
    found = fleet(reading([model()], [partition()], learners=(view,)))["learning"]
    published, online, _, halted = found
    assert published["stands"] == (
        "from online by now; an alarm about data quality holds learning up"
    )
    assert (online["stands"], online["champion"]) == ("champion, learns on", True)
    assert (online["loss"], online["learned"], online["evidence"]) == (0.05, 500, 12.5)
    assert halted["stands"] == "its loss is not finite"
    # and where nobody learns, nothing is said
    assert fleet(reading([model()], [partition()]))["learning"] == []


def test_how_a_model_stands_to_the_plainest_is_a_row_of_its_own() -> None:
    plain = PlainView(estimator="logistic_regression", answered=90, loss=0.25, champion_loss=0.5)
    view = VIEW.model_copy(update={"plain": plain})
    row = fleet(reading([model()], [partition()], learners=(view,)))["learning"][-1]
    assert (row["candidate"], row["loss"], row["champion"]) == ("plain linear model", 0.25, False)
    assert "lose 0.25 MORE (0.5 against 0.25), on the same 90 predictions" in row["stands"]


def test_a_learner_of_a_model_that_was_never_seen_is_said_all_the_same() -> None:
    lonely = LearnerView(model="unheard", partition=0)
    found = fleet(reading([model()], [partition()], learners=(lonely,)))
    assert [row["name"] for row in found["learning"]] == ["unheard"]
