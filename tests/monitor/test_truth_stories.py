"""What predictions turned out to be: figures, alarms, and what labels may do to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.truth.model_truth import ModelTruth
from streamgauge.processing import Effects, LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack
from streamgauge_client.events import AlarmEvent
from tests.monitor.streams import START, drive, monitor
from tests.monitor.truths import SPEC, answers, label, labels, merged, predictions


def watched(**changes: Any) -> PartitionMonitor:
    return monitor(Configuration(ModelSpec.from_document({**SPEC, **changes}), number=1))


def truth_of(made: PartitionMonitor, model: str = "fraud") -> ModelTruth:
    return made._models[model].truth.truth


def alarms(effects: Effects, kind: str) -> list[AlarmEvent]:
    return [e for e in effects.events if isinstance(e, AlarmEvent) and e.kind == kind]


def test_figures_of_settled_predictions_equal_those_of_a_recount() -> None:
    said = answers(3000, error=0.1)
    made = watched()
    drive(made, merged(predictions(said), labels(said)))
    made.advance(START + 1000.0)

    figures = truth_of(made).series["1", ""].total.get("binary")

    truth = np.array([t for _, t in said])
    taken = np.array([s >= 0.5 for s, _ in said])
    assert figures["accuracy"] == np.mean(truth == taken)
    assert figures["recall"] == pytest.approx(np.mean(taken[truth]), abs=1e-12)
    assert figures["precision"] == pytest.approx(np.mean(truth[taken]), abs=1e-12)
    assert truth_of(made).join.counts.settled == 3000


def test_errors_that_rise_are_one_alarm_that_counts_the_wrong_decisions() -> None:
    said = answers(9000, error=lambda i: 0.05 if i < 5000 else 0.35)
    made = watched()

    effects = drive(made, merged(predictions(said), labels(said)))

    fired = alarms(effects, "concept_drift")
    assert [a.status for a in fired] == ["firing"]
    assert fired[0].starts_at is not None and fired[0].starts_at >= START + 48.0
    assert fired[0].window is not None and fired[0].window.end < START + 65.0
    wrong = sum(
        (s >= 0.5) != t
        for i, (s, t) in enumerate(said)
        if fired[0].starts_at <= START + i / 100 <= fired[0].window.end
    )
    assert fired[0].affected == pytest.approx(wrong, abs=3)
    assert "wrong in" in fired[0].summary
    assert [a for a in effects.events if isinstance(a, AlarmEvent)] == fired


def test_errors_that_fall_are_no_alarm() -> None:
    said = answers(9000, error=lambda i: 0.35 if i < 5000 else 0.05)
    effects = drive(watched(), merged(predictions(said), labels(said)))
    assert effects.events == []


def test_recovery_resolves_the_alarm() -> None:
    said = answers(12_000, error=lambda i: 0.4 if 4000 <= i < 7000 else 0.05)
    effects = drive(watched(), merged(predictions(said), labels(said)))
    assert [a.status for a in alarms(effects, "concept_drift")] == ["firing", "resolved"]


def test_a_constant_delay_gives_the_same_alarms_later() -> None:
    said = answers(9000, error=lambda i: 0.05 if i < 5000 else 0.35)
    prompt = drive(watched(), merged(predictions(said), labels(said, delay=0.0)))
    late = drive(watched(), merged(predictions(said), labels(said, delay=20.0)))
    assert [a.alarm_id for a in alarms(prompt, "concept_drift")] == [
        a.alarm_id for a in alarms(late, "concept_drift")
    ]


def test_nightly_files_that_begin_with_the_positives_are_no_alarm() -> None:
    day, n = 86_400.0, 300
    log: list[LogRecord] = []
    made = watched(
        label_delay={"max": "3d"},
        defaults={
            **SPEC["defaults"],
            "pane": "1h",
            "min_duration": "1h",
            "min_events": 250,
            "max_duration": "30d",
        },
    )
    fired: list[AlarmEvent] = []
    for night in range(30):
        said = answers(n, error=0.1, seed=night)
        first = night * n
        log = [
            *(each._replace(offset=first + i) for i, each in enumerate(_days(said, night, first))),
            *(
                label(first + place, START + (night + 1) * day, first + i, t)
                for place, (i, (_, t)) in enumerate(
                    sorted(enumerate(said), key=lambda pair: not pair[1][1])
                )
            ),
        ]
        fired += alarms(drive(made, log), "concept_drift")
    assert truth_of(made).series["1", ""].last is not None
    assert fired == []


def _days(said: list[Any], night: int, first: int) -> list[LogRecord]:
    from tests.monitor.streams import prediction

    step = 86_000.0 / len(said)
    return [
        prediction(first + i, START + night * 86_400.0 + i * step, {"x": 1.0}, output=score)
        for i, (score, _) in enumerate(said)
    ]


def test_a_goal_that_is_missed_for_sure_is_a_performance_alarm() -> None:
    said = answers(4000, error=0.2)
    made = watched(criteria=[{"name": "good", "expr": "accuracy >= 0.95"}])
    effects = drive(made, merged(predictions(said), labels(said)))
    fired = alarms(effects, "performance")
    assert [a.status for a in fired] == ["firing"]
    assert fired[0].feature == "accuracy"


def test_labels_of_models_never_seen_and_of_another_type_harm_nothing() -> None:
    said = answers(500, error=0.1)
    strange = [label(9000 + i, START + 6.0, i, [1.0, 2.0]) for i in range(50)]
    foreign = [label(i, START + 6.0, i, True, model="nobody") for i in range(50)]
    made = watched()
    effects = drive(made, merged(predictions(said), labels(said), strange, foreign))
    made.advance(START + 1000.0)
    assert not effects.dead_letters
    assert truth_of(made).mismatched > 0
    assert truth_of(made, "nobody").join.early.orphans == 0


def test_scores_that_users_computed_have_windows_slices_and_goals() -> None:
    said = answers(1500, error=0.1)
    made = watched(
        task="ranking",
        segments={"site": {}},
        criteria=[{"name": "good", "expr": "ndcg >= 0.9"}],
    )
    given_scores = labels(said, more=lambda i: {"label": None, "scores": {"ndcg": i % 2 / 2}})
    effects = drive(made, merged(predictions(said, segment={"site": "a"}), given_scores))
    series = truth_of(made).series["1", ""]
    assert series.last is not None and series.last.rows >= 200
    assert series.last.slices["site", "a"].get("scores")["ndcg"] == pytest.approx(0.25, abs=0.01)
    assert [a.feature for a in alarms(effects, "performance")] == ["ndcg"]


def test_labels_before_the_first_prediction_of_a_log_wait_for_it() -> None:
    said = answers(300, error=0.1)
    made = watched()
    early = labels(said, delay=-100.0)
    drive(made, early)
    drive(made, predictions(said))
    made.advance(START + 1000.0)
    counts = truth_of(made).join.counts
    assert counts.settled_labelled == 300
    assert truth_of(made).join.early.orphans == 0


@given(data=st.data())
@settings(max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_cuts_and_restarts_change_neither_alarms_nor_state(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    said = answers(2500, error=lambda i: 0.05 if i < 1400 else 0.5, seed=seed)
    delays = rng.exponential(2.0, size=len(said)) * (rng.random(len(said)) < 0.9)
    log = merged(
        predictions(said),
        [
            label(i, START + i / 100 + delays[i], i, t)
            for i, (_, t) in enumerate(said)
            if rng.random() < 0.97
        ],
        [
            label(10_000 + i, START + i / 100 + 1.0, i, not t, revision=1, annotator="bob")
            for i, (_, t) in enumerate(said)
            if rng.random() < 0.1
        ],
    )
    spec = {"label_delay": {"max": data.draw(st.sampled_from(["3s", "60s"]))}}
    whole = watched(**spec)
    expected = drive(whole, log)
    cuts = data.draw(st.sets(st.integers(1, len(log) - 1), max_size=6))
    stored: dict[str, bytes] = {}
    events: list[Any] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(log)], strict=True):
        part = watched(**spec)
        part.restore(stored)
        events += part.process(log[start:end]).events
        for name, blob in part.dirty().blobs.items():
            stored = (
                {**stored, name: blob} if blob else {k: v for k, v in stored.items() if k != name}
            )
    assert events == expected.events
    again = watched(**spec)
    again.restore(stored)
    left, right = truth_of(whole), truth_of(again)
    assert pack(left.state()) == pack(right.state())
    assert pack(left.judged_state()) == pack(right.judged_state())
