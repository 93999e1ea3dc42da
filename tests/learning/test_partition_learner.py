"""The learner on a log: what it learns, what holds it up, and who takes over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.monitor import Configuration
from streamgauge.processing import Effects, LogRecord, StateError
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import ModelEvent
from tests.monitor.streams import START, Book, prediction, record
from tests.monitor.truths import label, merged

KEY = b"k" * 32
SPEC: dict[str, Any] = {
    "model": "fraud",
    "task": "binary",
    "label_delay": {"max": "60s"},
    "learning": {
        "challengers": {"online": {"estimator": "logistic_regression"}},
        "promotion": {"mode": "automatic", "period": 0, "cooldown": 0, "min_labels": 200},
    },
}


def learner(**changes: Any) -> PartitionLearner:
    spec = ModelSpec.from_document({**SPEC, **changes})
    return PartitionLearner(0, book=Book(Configuration(spec, number=1)), key=KEY)


def stream(
    n: int,
    *,
    champion: float,
    seed: int = 1,
    delay: float = 0.7,
    flip_at: int | None = None,
    rate: float = 100.0,
) -> tuple[list[LogRecord], list[LogRecord]]:
    """Predictions of a champion that is wrong with that chance, and their labels.

    The truth is a line through two features; from row ``flip_at`` on it is the other way round.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    truth = x[:, 0] + x[:, 1] > 0
    if flip_at is not None:
        truth[flip_at:] = ~truth[flip_at:]
    said = truth ^ (rng.random(n) < champion)
    events = [
        prediction(
            i,
            START + i / rate,
            {"a": float(x[i, 0]), "b": float(x[i, 1])},
            output={"label": "true" if said[i] else "false", "score": 0.9},
        )
        for i in range(n)
    ]
    return events, [label(i, START + i / rate + delay, i, bool(truth[i])) for i in range(n)]


def alarm(
    offset: int, at: float, *, firing: bool, kind: str = "data_quality", **more: Any
) -> LogRecord:
    event: dict[str, Any] = {
        "alarm_id": f"a{offset}",
        "fingerprint": kind,
        "status": "firing" if firing else "resolved",
        "severity": "warning",
        "kind": kind,
        "scope": {},
        "model": "fraud",
        "summary": "something",
        "starts_at": at,
        **more,
    }
    return record(offset, orjson.dumps(event), at, topic="streamgauge.alarms")


def feed(made: PartitionLearner, log: list[LogRecord], cuts: Iterable[int] = ()) -> Effects:
    effects = Effects()
    edges = [0, *sorted(set(cuts)), len(log)]
    for start, end in zip(edges, edges[1:], strict=False):
        effects.extend(made.process(log[start:end]))
    return effects


def pipeline(made: PartitionLearner, name: str = "online") -> Any:
    return made._models["fraud"].candidates[name].pipeline


def actions(effects: Effects) -> list[str]:
    return [each.action for each in effects.events if isinstance(each, ModelEvent)]


def test_every_label_is_learned_once_whatever_else_is_said_of_it() -> None:
    events, labels = stream(500, champion=0.3)
    again = [label(9000 + i, START + i / 100 + 0.9, i, False, revision=1) for i in range(100)]
    made = learner()
    feed(made, merged(events, labels, again, labels[:50]))
    assert pipeline(made).learned == 500


def test_a_candidate_that_answers_better_is_promoted_with_its_evidence() -> None:
    events, labels = stream(4000, champion=0.3)
    made = learner()
    effects = feed(made, merged(events, labels))
    promoted = [e for e in effects.events if isinstance(e, ModelEvent) and e.action == "promoted"]
    assert [each.version for each in promoted] == ["online"]
    assert promoted[0].evidence["evidence"]["challenger_loss"] < 0.1
    assert made._models["fraud"].championship.champion == "online"


def test_a_candidate_that_is_no_better_is_not() -> None:
    events, labels = stream(4000, champion=0.0)
    made = learner()
    assert "promoted" not in actions(feed(made, merged(events, labels)))


def test_while_an_alarm_says_that_inputs_are_broken_nothing_is_learned() -> None:
    events, labels = stream(1000, champion=0.3)
    made = learner()
    opened = alarm(0, START + 2.0, firing=True)
    # (that somebody looks after it mends nothing)
    taken = alarm(1, START + 3.0, firing=True, status="acknowledged")
    feed(made, merged(events, labels, [opened, taken]))
    waited = pipeline(made).learned
    assert 100 < waited < 250

    feed(made, [alarm(2, START + 11.0, firing=False)])

    assert pipeline(made).learned == 1000


def test_a_word_about_an_alarm_that_is_over_does_not_open_it_again() -> None:
    events, labels = stream(1000, champion=0.3)
    made = learner()
    opened, closed = alarm(0, START + 2.0, firing=True), alarm(1, START + 3.0, firing=False)
    # When somebody takes it a moment too late
    taken = alarm(2, START + 3.1, firing=True, status="acknowledged")
    feed(made, merged(events, labels, [opened, closed, taken]))
    assert pipeline(made).learned == 1000


def test_by_policy_what_came_meanwhile_is_discarded() -> None:
    events, labels = stream(1000, champion=0.3)
    made = learner(learning={**SPEC["learning"], "quality_policy": "discard"})
    feed(made, merged(events, labels, [alarm(0, START + 2.0, firing=True)]))
    feed(made, [alarm(1, START + 11.0, firing=False)])
    assert 100 < pipeline(made).learned < 250
    guards = made._models["fraud"].candidates["online"].guards
    assert guards.refused["data_quality"] == 1000 - pipeline(made).learned


def test_concept_drift_asks_for_a_retraining_with_clean_data() -> None:
    events, labels = stream(3000, champion=0.3, rate=10.0)
    # (a new champion would end the old one's causes)
    asked: dict[str, Any] = {**SPEC["learning"], "promotion": {"mode": "manual"}}
    asked["retraining"] = {"on_drift": True, "min_labels": 500}
    made = learner(learning=asked)
    drift = alarm(0, START + 10.0, firing=True, kind="concept_drift")
    effects = feed(made, merged(events, labels, [drift]))
    requests = [e for e in effects.events if isinstance(e, ModelEvent)]
    requests = [each for each in requests if each.action == "retrain_requested"]
    assert len(requests) == 1 and requests[0].reason == "drift"
    assert requests[0].data is not None
    query = requests[0].data["query"]
    assert query["labels"] >= 500 and query["positions"]["streamgauge.labels"]["0"][0] > 100
    assert query["clean_from"] == pytest.approx(START + 10.0)


@pytest.mark.parametrize("policy", ["keep", "reset", "challenger"])
def test_when_the_concept_changes_contests_begin_anew_and_the_policy_decides(policy: str) -> None:
    events, labels = stream(6000, champion=0.25, flip_at=3000)
    said = {**SPEC["learning"], "on_concept_drift": policy, "promotion": {"mode": "manual"}}
    made = learner(learning=said)
    drift = alarm(0, START + 35.0, firing=True, kind="concept_drift")
    effects = feed(made, merged(events, labels, [drift]))
    candidate = made._models["fraud"].candidates["online"]
    told = [each for each in effects.events if isinstance(each, ModelEvent)]
    assert [each.reason for each in told] == ["the concept changed"]
    assert candidate.contest is not None and candidate.contest.k == 2
    answers: dict[str, Any] = {}
    candidate.say({"a": 2.0, "b": 2.0}, answers)
    assert answers["online"] == "false"
    assert (candidate.pipeline.learned < 3000) == (policy != "keep")
    assert candidate.background is None


def test_a_person_may_ask_for_a_retraining_at_any_time() -> None:
    events, labels = stream(300, champion=0.3, rate=1.0)
    asked = {"model": "fraud", "version": "next", "action": "retrain_requested", "actor": "ann"}
    at = START + 200.0
    ask = record(0, orjson.dumps({**asked, "timestamp": at}), at, topic="streamgauge.models")
    made = learner()
    effects = feed(made, merged(events, labels, [ask]))
    answers = [e for e in effects.events if isinstance(e, ModelEvent)]
    assert [(e.action, e.reason) for e in answers] == [("retrain_requested", "by hand")]


def test_models_without_challengers_cost_nothing_and_are_counted_as_skipped() -> None:
    events, labels = stream(50, champion=0.3)
    made = PartitionLearner(0, book=Book(), key=KEY)
    effects = feed(made, merged(events, labels))
    assert effects.counts == {("prediction", "skipped"): 50, ("label", "skipped"): 50}
    assert not made.dirty().views


def test_state_is_refused_without_a_key_and_with_another() -> None:
    with pytest.raises(ValueError, match="STREAMGAUGE_STATE__KEY"):
        PartitionLearner(0, book=Book(), key=b"")
    events, labels = stream(50, champion=0.3)
    made = learner()
    feed(made, merged(events, labels))
    blobs = made.dirty().blobs
    other = PartitionLearner(
        0, book=Book(Configuration(ModelSpec.from_document(SPEC), number=1)), key=b"x" * 32
    )
    with pytest.raises(StateError):
        other.restore(blobs)


@given(data=st.data())
@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_the_same_log_gives_the_same_model_however_it_is_cut(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 100))
    rng = np.random.default_rng(seed)
    events, labels = stream(1500, champion=0.35, seed=seed)
    late = [
        each._replace(timestamp=(each.timestamp or 0.0) + float(rng.exponential(1.0)))
        for each in labels
        if rng.random() < 0.9
    ]
    alarms = [alarm(0, START + 4.0, firing=True), alarm(1, START + 6.0, firing=False)]
    log = merged(events, late, alarms)
    changes: Mapping[str, Any] = {
        "label_delay": {"max": "5s"},
        "labels": {"implicit_negative_after": data.draw(st.sampled_from([None, "2s"]))},
    }
    whole = learner(**changes)
    expected = feed(whole, log)
    cuts = data.draw(st.sets(st.integers(1, len(log) - 1), max_size=6))
    stored: dict[str, bytes] = {}
    events_out: list[Any] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(log)], strict=True):
        part = learner(**changes)
        part.restore(stored)
        events_out += part.process(log[start:end]).events
        stored |= part.dirty().blobs
        stored = {name: blob for name, blob in stored.items() if blob}
    assert events_out == expected.events
    whole_blobs = {name: blob for name, blob in whole.dirty().blobs.items() if blob}
    assert {name.partition(".")[2]: len(blob) for name, blob in stored.items()} == {
        name.partition(".")[2]: len(blob) for name, blob in whole_blobs.items()
    }
    assert stored == whole_blobs
