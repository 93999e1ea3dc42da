"""What readers see of the truth: what is settled, what is not yet, and what it is held against."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.truth.labels_view import MOST_BLOCKS, delays, labels_view
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.monitor.truth.provisional import NEWEST
from streamgauge.monitor.view import model_view
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack
from streamgauge.state.views import ModelView, TruthSeriesView, TruthView
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.truths import SPEC, answers, label, labels, merged, predictions


def watched(**changes: Any) -> PartitionMonitor:
    return monitor(Configuration(ModelSpec.from_document({**SPEC, **changes}), number=1))


def view_of(made: PartitionMonitor, model: str = "fraud") -> ModelView:
    return model_view(made._models[model])


def truth_of(made: PartitionMonitor) -> ModelTruth:
    return made._models["fraud"].truth.truth


def shown(made: PartitionMonitor) -> TruthView:
    found = view_of(made).truth
    assert found is not None
    return found


def only(made: PartitionMonitor) -> TruthSeriesView:
    (series,) = shown(made).series
    return series


def scattered(n: int = 3000, *, share: float = 0.9, seed: int = 1) -> list[LogRecord]:
    """Labels two seconds late on average; some never come, so that many wait behind them."""
    said, rng = answers(n, error=0.1, seed=seed), np.random.default_rng(seed)
    late = rng.exponential(2.0, n)
    given = [
        label(i, START + i / 100 + late[i], i, t)
        for i, (_, t) in enumerate(said)
        if rng.random() < share
    ]
    return merged(predictions(said, segment={"country": "SE"}), given)


def test_a_model_without_labels_and_without_a_word_of_them_has_no_truth() -> None:
    # Given a model of whose labels nobody speaks, and one whose spec does
    silent = monitor()
    declared = watched()
    for made in (silent, declared):
        drive(made, predictions(answers(300, error=0.1)))
    # Then only the other shows how many wait, and nothing that nobody knows
    assert view_of(silent).truth is None
    found = shown(declared)
    assert (found.labels.pending, found.series) == (300, [])
    assert found.labels.coverage_ratio is None
    # And the first label is enough
    drive(silent, [label(0, START + 9.0, 7, True)])
    assert view_of(silent).truth is not None


def test_the_last_window_is_settled_and_its_figures_are_those_of_a_recount() -> None:
    said = answers(3000, error=0.1)
    made = watched()
    drive(made, merged(predictions(said), labels(said)))
    window, total = only(made).window, only(made).total
    assert window is not None and total is not None
    assert window.maturity == total.maturity == "settled"
    assert window.start is not None and window.end is not None
    rows = range(round((window.start - START) * 100), round((window.end - START) * 100) + 1)
    right = [(said[i][0] >= 0.5) == said[i][1] for i in rows]
    assert window.figures["accuracy"] == pytest.approx(np.mean(right), abs=1e-12)
    assert (window.n, window.labelled) == (len(rows), len(rows))
    low, high = window.intervals["accuracy"]
    assert low < window.figures["accuracy"] < high
    assert window.calibration is not None
    assert sum(window.calibration.n) == len(rows)
    assert window.calibration.ece == window.figures["ece"]
    assert total.labelled == 3000 and total.end is None


def test_what_waits_behind_a_missing_label_is_provisional_and_says_how_much_is_in() -> None:
    # Given a first prediction without a label, and every second of the others with one
    said = answers(1000, error=0.1)
    made = watched()
    drive(made, merged(predictions(said), labels(said, only=lambda i: i % 2 == 1)))
    # Then nothing is settled, and what is known is called by its name
    series = only(made)
    assert series.window is None and series.total is None
    found = series.provisional
    assert found is not None and found.maturity == "provisional"
    assert (found.n, found.labelled, found.labelled_ratio) == (1000, 500, 0.5)
    odd = [(score >= 0.5) == truth for score, truth in said[1::2]]
    assert found.figures["accuracy"] == pytest.approx(np.mean(odd), abs=1e-12)
    assert found.age_seconds == pytest.approx(5.0, abs=0.1)
    # And it makes no criterion decided
    demanding = watched(criteria=[{"name": "good", "expr": "accuracy >= 0.5"}])
    drive(demanding, merged(predictions(said), labels(said, only=lambda i: i % 2 == 1)))
    (verdict,) = view_of(demanding).criteria
    assert (verdict.state, verdict.reason) == (
        "UNDECIDED",
        "needs labels: no settled window has it yet",
    )


def test_provisional_figures_are_of_the_newest_rows_that_a_label_has_reached() -> None:
    # Given far more predictions than are looked at, of which the newest have no label yet
    n, reached = 3 * NEWEST, 2 * NEWEST
    said = answers(n, error=lambda i: 0.0 if i >= reached - NEWEST else 1.0)
    made = watched(label_delay={"max": "10d"})
    drive(made, predictions(said))
    drive(made, [label(i, START + 900.0, i, said[i][1]) for i in range(1, reached)])
    found = only(made).provisional
    # Then those before them are, up to the last one that has one
    assert found is not None
    assert (found.n, found.labelled, found.figures["accuracy"]) == (NEWEST, NEWEST, 1.0)
    assert found.end == pytest.approx(START + (reached - 1) / 100)


def test_looking_changes_no_state_and_a_restored_monitor_shows_the_same() -> None:
    # Given classes whose names are first seen among rows that are not released
    rng, n = np.random.default_rng(5), 2000
    names = ["cat", "dog", "owl"]
    truth = [names[i] for i in rng.integers(0, 3, n)]
    given = [
        prediction(i, START + i / 100, {"x": 1.0}, output={"label": t, "score": 0.8})
        for i, t in enumerate(truth)
    ]
    late = rng.exponential(3.0, n)
    told = [
        label(i, START + i / 100 + late[i], i, names[rng.integers(0, 3)] if i % 5 == 0 else t)
        for i, t in enumerate(truth)
        if i % 50
    ]
    log = merged(given, told)
    watching, blind = watched(task="multiclass"), watched(task="multiclass")
    stored: dict[str, bytes] = {}
    for start in range(0, len(log), 137):
        part = log[start : start + 137]
        watching.process(part)
        blind.process(part)
        changes = watching.dirty()
        stored |= changes.blobs
        # Then a monitor that has nothing but the state shows what this one shows
        other = watched(task="multiclass")
        other.restore({name: blob for name, blob in stored.items() if blob})
        assert dict(other.views()) == changes.views
    # And one that nobody looked at is where this one is
    left, right = truth_of(watching), truth_of(blind)
    assert pack(left.state()) == pack(right.state())
    assert pack(left.judged_state()) == pack(right.judged_state())


@pytest.mark.parametrize("seed", range(3))
def test_a_restored_monitor_shows_scattered_labels_as_they_were(seed: int) -> None:
    # Given labels of which some never come, so that time releases what waits for them
    spec = {
        "segments": {"country": {}},
        "labels": {"values": {"true": {"false": -5}}},
        "label_delay": {"max": "3s"},
    }
    log = scattered(seed=seed)
    made = watched(**spec)
    stored: dict[str, bytes] = {}
    for start in range(0, len(log), 700):
        made.process(log[start : start + 700])
        changes = made.dirty()
        stored |= changes.blobs
    made.advance(START + 31.5)
    changes = made.dirty()
    stored |= changes.blobs
    # When another monitor, that remembers nothing, shows the same state
    other = watched(**spec)
    other.restore({name: blob for name, blob in stored.items() if blob})
    # Then nothing that the first one remembered was out of date
    (remembered,) = (ModelView.model_validate_json(view) for view in changes.views.values())
    assert shown(other) == remembered.truth
    series = only(other)
    assert series.window is not None and series.provisional is not None


def test_a_view_of_unfinished_truth_has_no_number_that_is_none() -> None:
    for seed in range(3):
        made = watched(segments={"country": {}})
        for record in scattered(400, share=0.5, seed=seed):
            made.process([record])
        text = view_of(made).model_dump_json()
        assert "NaN" not in text and "Infinity" not in text
        assert ModelView.model_validate_json(text) == view_of(made)


@pytest.mark.parametrize(
    ("expr", "state"),
    [("accuracy >= 0.8", "PASS"), ("accuracy >= 0.9", "UNDECIDED"), ("accuracy >= 0.97", "FAIL")],
)
def test_a_criterion_of_performance_is_decided_by_the_last_settled_window(
    expr: str, state: str
) -> None:
    said = answers(3000, error=0.1)
    made = watched(criteria=[{"name": "good", "expr": expr}])
    drive(made, merged(predictions(said), labels(said)))
    (verdict,) = view_of(made).criteria
    window = only(made).window
    assert window is not None
    assert verdict.state == state
    assert (verdict.value, verdict.n) == (window.figures["accuracy"], window.labelled)


def test_versions_of_a_step_answer_a_criterion_together_while_both_are_alive() -> None:
    # Given two versions that take turns, of which one is always wrong
    said = answers(4000, error=lambda i: 1.0 if i % 2 else 0.0)
    given = [
        prediction(i, START + i / 100, {"x": 1.0}, output=score, version=("a", "b")[i % 2])
        for i, (score, _) in enumerate(said)
    ]
    made = watched(criteria=[{"name": "good", "expr": "accuracy >= 0.9"}])
    drive(made, merged(given, labels(said)))
    by_version = {s.version: s.window for s in shown(made).series}
    assert {v: w.figures["accuracy"] for v, w in by_version.items() if w} == {"a": 1.0, "b": 0.0}
    (verdict,) = view_of(made).criteria
    assert verdict.state == "FAIL"
    assert verdict.value == pytest.approx(0.5, abs=0.01)


def test_gaps_say_how_much_better_the_model_is_than_each_baseline() -> None:
    said = answers(3000, error=0.1)
    made = watched(
        baselines=[
            {"kind": "hlp", "metric": "accuracy", "value": 0.99},
            {"kind": "previous", "metric": "log_loss", "value": 9.0, "source": "v0"},
            {"kind": "literature", "metric": "p95_latency_ms", "value": 1.0},
        ]
    )
    drive(made, merged(predictions(said), labels(said)))
    series = only(made)
    assert series.window is not None
    figures = series.window.figures
    found = {(g.against, g.metric): g for g in series.gaps}
    assert found["hlp", "accuracy"].gap == pytest.approx(figures["accuracy"] - 0.99)
    assert found["hlp", "accuracy"].gap < 0
    # Less of it is better, so the gap is above zero where the model has less
    assert found["previous", "log_loss"].gap == pytest.approx(9.0 - figures["log_loss"])
    assert found["previous", "log_loss"].source == "v0"
    # And the trivial answers are those of the commonest class and of the last truth
    assert found["majority class", "error_ratio"].other == pytest.approx(0.3, abs=0.05)
    assert {against for against, _ in found} == {"hlp", "previous", "majority class", "last truth"}


def test_decisions_are_worth_what_the_spec_says_of_each() -> None:
    said = answers(2000, error=0.2)
    named = [(score, "fraud" if truth else "ok") for score, truth in said]
    values = {"fraud": {"fraud": 100, "ok": -5}, "ok": {"fraud": -200}}
    made = watched(labels={"positive": "fraud", "values": values})
    drive(made, merged(predictions(named), labels(named)))
    total = only(made).total
    expected = sum(
        values["fraud" if score >= 0.5 else "ok"].get(truth, 0) for score, truth in named
    )
    assert total is not None and total.worth == expected
    assert shown(made).positive == "fraud"


def test_classes_that_are_found_worst_come_first() -> None:
    names = ["a", "b", "c"]
    truth = [names[i % 3] for i in range(1500)]
    said = ["a" if t == "c" and i % 2 else t for i, t in enumerate(truth)]
    given = [
        prediction(i, START + i / 100, {"x": 1.0}, output={"label": s, "score": 0.9})
        for i, s in enumerate(said)
    ]
    made = watched(task="multiclass")
    drive(made, merged(given, [label(i, START + i / 100 + 1, i, t) for i, t in enumerate(truth)]))
    total = only(made).total
    assert total is not None
    assert [(c.name, c.recall) for c in total.classes] == [("c", 0.5), ("a", 1.0), ("b", 1.0)]


def test_slices_are_the_largest_of_each_segment() -> None:
    said = answers(3000, error=lambda i: 0.5 if i % 13 == 0 else 0.02)
    given = [
        prediction(i, START + i / 100, {"x": 1.0}, output=s, segment={"shop": f"s{i % 13}"})
        for i, (s, _) in enumerate(said)
    ]
    made = watched(segments={"shop": {}})
    drive(made, merged(given, labels(said)))
    slices = only(made).slices
    assert len(slices) == 10
    worst = max(slices, key=lambda each: each.figures["error_ratio"])
    assert worst.segment == ("shop", "s0")
    assert all(each.calibration is None and "roc_auc" not in each.figures for each in slices)


def test_alarms_of_truth_are_shown_with_the_others_and_counted() -> None:
    said = answers(9000, error=lambda i: 0.05 if i < 5000 else 0.35)
    made = watched()
    drive(made, merged(predictions(said), labels(said)))
    view, series = view_of(made), only(made)
    assert [(a.kind, a.status) for a in view.alarms] == [("concept_drift", "firing")]
    assert view.alarms_total == {"concept_drift/warning": 1}
    assert {j.detector for j in series.judgements if j.state == "firing"} >= {"error_ratio"}
    assert series.usual_error_ratio == pytest.approx(0.05, abs=0.02)
    assert [d.detector for d in series.detectors] == ["adwin", "hddm_a"]
    assert all(d.detections >= 1 and d.samples > 8000 for d in series.detectors)


def test_delays_count_predictions_that_still_wait() -> None:
    # Given labels after a second each, of four in ten predictions, and the others' never
    said = answers(2000, error=0.1)
    made = watched(label_delay={"max": "10d"})
    drive(made, merged(predictions(said), labels(said, delay=1.0, only=lambda i: i % 10 < 4)))
    labels_seen = shown(made).labels
    # Then half of all were not labelled within any time that is known
    assert "0.5" not in labels_seen.delay_quantiles
    assert labels_seen.labelled_ratio == pytest.approx(0.4, abs=0.03)
    # And where six in ten get theirs, half are
    made = watched(label_delay={"max": "10d"})
    drive(made, merged(predictions(said), labels(said, delay=1.0, only=lambda i: i % 10 < 6)))
    quantiles = shown(made).labels.delay_quantiles
    assert 1.0 <= quantiles["0.5"] <= 1.6 and "0.95" not in quantiles


def test_delays_of_very_many_are_told_from_a_part_of_them() -> None:
    n = 2 * MOST_BLOCKS * 512 + 4000
    said = [(0.9, True)] * n
    made = watched(label_delay={"max": "10d"}, labels={"pending_max": 1_000_000})
    drive(made, predictions(said, rate=1000.0))
    drive(made, [label(i, START + n / 1000 + 5.0, i, True) for i in range(1, n, 20)])
    found = labels_view(truth_of(made).join, mismatched=0)
    assert found.labelled_ratio == pytest.approx(0.05, rel=0.01)
    assert found.pending == n and found.delay_quantiles == {}
    labelled, censored = delays(truth_of(made).join)
    assert labelled.sum() + censored.sum() == pytest.approx(n, rel=0.02)
    assert labelled.sum() == pytest.approx(n / 20, rel=0.03)


def test_a_score_of_users_makes_a_figure_by_name_and_horizon() -> None:
    said = answers(600, error=0.1)
    made = watched()
    more = {"scores": {"happiness": 0.75}, "horizon": "24h"}
    drive(made, merged(predictions(said), labels(said, more=lambda _: more)))
    total = only(made).total
    assert total is not None and total.figures["happiness@24h"] == 0.75
    assert all(map(math.isfinite, total.figures.values()))


def test_a_label_that_is_corrected_later_shows_in_the_total_at_once() -> None:
    # Given all labels, looked at, and one of them wrong
    said = answers(600, error=0.0)
    made = watched()
    drive(made, merged(predictions(said), labels(said)))
    before = only(made).total
    # When it is corrected after its release
    drive(made, [label(600, START + 8.0, 3, not said[3][1], revision=1)])
    after = only(made).total
    # Then the total knows
    assert before is not None and after is not None
    assert (before.figures["accuracy"], before.labelled) == (1.0, 600)
    assert after.figures["accuracy"] == pytest.approx(599 / 600)
    assert after.labelled == 600


def test_windows_of_scores_that_labels_carry_settle_and_answer_criteria() -> None:
    # Given a ranking whose truth is nothing but a score, with one label that carries none
    said = answers(1500, error=0.1)
    made = watched(task="ranking", criteria=[{"name": "ranks", "expr": "ndcg >= 0.5"}])
    ranked = labels(
        [(s, None) for s, _ in said],
        more=lambda i: {"scores": {"ndcg": 0.7 + 0.01 * (i % 3)}} if i != 9 else {"label": 1.0},
    )
    effects = drive(made, merged(predictions(said), ranked))
    # Then windows close by them, and the criterion has an interval
    window = only(made).window
    assert window is not None and window.figures["ndcg"] == pytest.approx(0.71, abs=1e-3)
    assert window.labelled == window.n
    low, high = window.intervals["ndcg"]
    assert low < 0.71 < high < 0.72
    (verdict,) = view_of(made).criteria
    assert (verdict.state, verdict.n) == ("PASS", window.labelled)
    total = only(made).total
    assert total is not None and (total.n, total.labelled) == (1500, 1499)
    assert effects.events == []
    assert {each.detector for each in only(made).judgements} == {"criterion"}


def test_scores_that_are_not_settled_are_provisional() -> None:
    said = answers(300, error=0.1)
    made = watched(task="ranking")
    given = labels(
        [(s, None) for s, _ in said],
        only=lambda i: i % 2 == 1,
        more=lambda _: {"scores": {"ndcg": 0.7}},
    )
    drive(made, merged(predictions(said), given))
    found = only(made).provisional
    assert found is not None and found.figures == {"ndcg": pytest.approx(0.7)}
    assert found.labelled_ratio == 0.5
