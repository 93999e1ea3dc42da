"""Serving: whatever happens to the registry, somebody answers, and it is the right one."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.registry.dump import dump
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.publish import publish
from streamgauge.registry.registrar import Registrar
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.serving import NotServing, ServedModel
from streamgauge.state.keys import model_key
from streamgauge_client.events import ModelEvent
from tests.pipelines.streams import events, truth
from tests.registry.attacks import ATTACKS, BY, ROWS, put
from tests.registry.examples import KEY, envelope, learned

#: Requests that have too little, too much, and what was never seen.
ASKED: list[dict[str, Any]] = [{}, {"colour": "never seen", "more": 1.0}, *events(8, seed=8)]


def until(true: Callable[[], bool], seconds: float = 10.0) -> float:
    """Wait for it; how long it took."""
    start = time.monotonic()
    ticker = threading.Event()
    while not true():
        assert time.monotonic() - start < seconds, "it never came true"
        ticker.wait(0.005)
    return time.monotonic() - start


@pytest.fixture
def by_hand(redis: Redis) -> Iterator[ServedModel]:
    """A served model that looks only when it is told, by a clock of its own."""
    with ServedModel("fraud", redis=redis, key=KEY, poll_seconds=0, clock=Time()) as served:
        yield served


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def later(served: ServedModel, seconds: float) -> None:
    served._clock.now += seconds  # type: ignore[attr-defined]


def test_the_champion_answers_as_the_model_that_learned(
    by_hand: ServedModel, registry: ModelRegistry
) -> None:
    # Given nothing in the registry
    assert by_hand.version is None
    with pytest.raises(NotServing, match="streamgauge models promote"):
        by_hand.predict(ROWS[0])
    # When a version is registered, nothing changes; when it is promoted, it serves
    put(registry, 100)
    assert not by_hand.refresh() and by_hand.version is None
    registry.promote("fraud", 1, expected=None, **BY)
    assert by_hand.refresh() and by_hand.version == 1
    live = learned(count=100)
    for row in ROWS:
        assert by_hand.predict(row) == live.predict_one(row)
        assert by_hand.predict_proba(row) == live.predict_proba_one(row)
        assert by_hand.ask(row)[:2] == (live.predict_one(row), 1)
    assert by_hand.refused_total == 0 and by_hand.stale_seconds == 0


def test_regressors_and_scorers_serve_too(by_hand: ServedModel, registry: ModelRegistry) -> None:
    put(registry, 60, "scaled linear")
    put(registry, 60, "half-space trees")
    registry.promote("fraud", 1, expected=None, **BY)
    by_hand.refresh()
    assert by_hand.predict(ROWS[3]) == learned("scaled linear", 60).predict_one(ROWS[3])
    with pytest.raises(TypeError, match="has no probabilities; use predict"):
        by_hand.predict_proba(ROWS[3])
    registry.promote("fraud", 2, expected=1, **BY)
    by_hand.refresh()
    assert by_hand.predict(ROWS[3]) == learned("half-space trees", 60).score_one(ROWS[3])


def test_promotion_and_rollback_without_a_missed_request(
    redis: Redis, registry: ModelRegistry, url: str
) -> None:
    # Given four threads that ask all the time
    for count in (50, 100):
        put(registry, count)
    registry.promote("fraud", 1, expected=None, **BY)
    expected = {1: learned(count=50), 2: learned(count=100)}
    answers = {n: [model.predict_proba_one(row) for row in ROWS] for n, model in expected.items()}
    failures: list[str] = []
    asked = [0]
    stop = threading.Event()

    def ask(served: ServedModel) -> None:
        while not stop.is_set():
            for place, row in enumerate(ROWS):
                try:
                    if served.predict_proba(row) not in (answers[1][place], answers[2][place]):
                        failures.append("an answer of neither")
                except Exception as error:
                    failures.append(repr(error))
                asked[0] += 1

    with ServedModel("fraud", redis=url, key=KEY) as served:
        threads = [threading.Thread(target=ask, args=(served,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        # When the champion changes and goes back
        registry.promote("fraud", 2, expected=1, **BY)
        until(lambda: served.version == 2)
        registry.rollback("fraud", at=2.0, actor="bob", reason="bad")
        took = until(lambda: served.version == 1)
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
    # Then every request was answered, by one version or the other
    assert failures == [] and asked[0] > 100
    assert took <= 2.0


def test_snapshots_of_a_pipeline_serve_without_a_missed_request(
    redis: Redis, registry: ModelRegistry, url: str
) -> None:
    # Given a pipeline that is champion, and eight threads that ask for all kinds of things
    plan = Plan(estimator="hoeffding_tree_classifier", task="multiclass")
    pipeline = Pipeline(plan)
    registrar = Registrar(registry, key=KEY)
    decided = Verdict(id="1", pipeline="online", at=1.0, reason="better")
    expected: dict[int, list[Any]] = {}

    def learn_on() -> None:
        for event in events(30, seed=pipeline.learned):
            pipeline.learn(event, truth(event, "multiclass"))
        candidate = Candidate(
            pipeline="online",
            content=pipeline.to_bytes(),
            at=float(pipeline.learned),
            examples=pipeline.learned,
            rows=ROWS,
        )
        expected[len(expected) + 1] = [pipeline.predict_one(row) for row in ASKED]
        registrar.settle(Learned(model="fraud", candidates=[candidate], champion=decided))

    learn_on()
    failures: list[str] = []
    asked = [0] * 8
    stop = threading.Event()

    def ask(served: ServedModel, thread: int) -> None:
        while not stop.is_set():
            for place, row in enumerate(ASKED):
                try:
                    output, version, _ = served.ask(row)
                    if output != expected[version][place]:
                        failures.append(f"{version} answered {output}")
                    if abs(sum(served.predict_proba(row).values()) - 1.0) > 1e-9:
                        failures.append("scores that are none")
                except Exception as error:
                    failures.append(repr(error))
                asked[thread] += 1

    with ServedModel("fraud", redis=url, key=KEY, poll_seconds=0.05) as served:
        threads = [threading.Thread(target=ask, args=(served, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        # When it learns on, again and again, and a person goes back to the first
        for _ in range(3):
            learn_on()
            until(lambda: served.version == len(expected))
        registry.promote("fraud", 1, expected=4, at=2.0, actor="ann", reason="before the flood")
        took = until(lambda: served.version == 1)
        stop.set()
        for thread in threads:
            thread.join(timeout=10)
    # Then every question was answered by the version that is said to have answered
    assert failures == [] and min(asked) > 10
    assert took <= 2.0


def test_nothing_that_is_asked_silences_a_pipeline(
    by_hand: ServedModel, registry: ModelRegistry
) -> None:
    # Given a regressor that answers finite numbers, and overflows at one request
    parameters = {"learning_rate": 1.0}
    plan = Plan(
        estimator="linear_regression", task="regression", scaling="none", parameters=parameters
    )
    pipeline = Pipeline(plan)
    for _ in range(2):
        pipeline.learn({"a": 1e149, "b": 1.0}, 1.0)
    publish(
        registry, pipeline, key=KEY, model="fraud", pipeline="online", created_at=1.0, actor="x"
    )
    registry.promote("fraud", 1, expected=None, **BY)
    by_hand.refresh()
    usual = by_hand.predict({"a": 2.0, "b": 1.0})
    # When that is asked, and what nobody should ask
    assert by_hand.predict({"a": 1e150, "b": 1.0}) is None
    for row in (
        {},
        {"new": 1.0},
        {"a": None},
        {"a": "text", "b": [1]},
        {1: 2},
        {"a": float("nan")},
    ):
        by_hand.predict(row)  # type: ignore[arg-type]
    # Then all others are answered as before
    assert by_hand.predict({"a": 2.0, "b": 1.0}) == usual is not None
    with pytest.raises(TypeError, match="has no probabilities; use predict"):
        by_hand.predict_proba({"a": 2.0})


def test_an_event_is_a_hint_to_look_now(redis: Redis, registry: ModelRegistry) -> None:
    # Given a served model that does not poll, and follows events
    events: queue.Queue[ModelEvent | None] = queue.Queue()
    put(registry, 50)
    put(registry, 60)
    registry.promote("fraud", 1, expected=None, **BY)
    with ServedModel(
        "fraud", redis=redis, key=KEY, poll_seconds=0, follow=iter(events.get, None)
    ) as served:
        # When an event lies about a promotion
        events.put(ModelEvent(model="fraud", version="2", action="promoted"))
        events.put(ModelEvent(model="other", version="1", action="promoted"))
        registry.promote("fraud", 2, expected=1, **BY)
        events.put(ModelEvent(model="fraud", version="1", action="registered"))
        events.put(ModelEvent(model="fraud", version="1", action="promoted"))
        # Then what serves is what the registry says
        until(lambda: served.version == 2)
        events.put(None)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_does_not_verify_is_refused_and_the_old_model_goes_on(
    attack: str,
    redis: Redis,
    registry: ModelRegistry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamgauge.registry.redis_store.MAX_BYTES", 20_000)
    reason, change = ATTACKS[attack]
    told: list[Rejected] = []
    clock = Time()
    put(registry, 50)
    put(registry, 60)
    registry.promote("fraud", 1, expected=None, **BY)
    with ServedModel(
        "fraud", redis=redis, key=KEY, poll_seconds=0, on_refused=told.append, clock=clock
    ) as served:
        # Given a new champion whose artefact somebody got at
        good, old = registry.envelope("fraud", 2), registry.envelope("fraud", 1)
        registry.promote("fraud", 2, expected=1, **BY)
        redis.set(model_key("fraud", "artefact:2"), change(good, old))
        # When it is looked at, many times
        for _ in range(5):
            clock.now += 1.0
            assert not served.refresh()
        # Then the old one serves, and the refusal is counted and said once
        assert served.version == 1 and served.predict(ROWS[0]) is not None
        assert dict(served.refused) == {reason: 1} and served.refused_total == 1
        assert [error.reason for error in told] == [reason]
        assert caplog.text.count("version 1 serves on") == 1
        assert served.stale_seconds == 5.0
        # When it was put right, it serves
        redis.set(model_key("fraud", "artefact:2"), good)
        clock.now += 60.0
        assert served.refresh() and served.version == 2 and served.stale_seconds == 0


def test_a_model_that_answers_otherwise_here_is_refused(
    by_hand: ServedModel, redis: Redis, registry: ModelRegistry
) -> None:
    # Given an artefact of a learner on which the same model answers something else
    trial = {"features": list(ROWS[0].items()), "answer": 7}
    lying = envelope(dump(learned(count=50)), trials=[trial])
    registry.register(lying, model="fraud", version=1, actor="learner")
    registry.promote("fraud", 1, expected=None, **BY)
    by_hand.refresh()
    assert by_hand.version is None and by_hand.refused == {"self_test": 1}
    with pytest.raises(NotServing, match="on row 1 of 1 it answers"):
        by_hand.predict(ROWS[0])


def test_a_pointer_that_came_back(
    by_hand: ServedModel, redis: Redis, registry: ModelRegistry
) -> None:
    # Given a version that was gone back from, for a reason, and its signed pointer
    put(registry, 50)
    put(registry, 60)
    registry.promote("fraud", 1, expected=None, **BY)
    registry.promote("fraud", 2, expected=1, **BY)
    stolen: Any = redis.hget(model_key("fraud", "records"), "champion")
    registry.rollback("fraud", at=2.0, actor="bob", reason="bad")
    by_hand.refresh()
    # When somebody without the key puts it back
    redis.hset(model_key("fraud", "records"), "champion", stolen)
    assert not by_hand.refresh() and by_hand.version == 1
    assert by_hand.refused == {"old": 1}
    # When somebody makes one up
    redis.hset(model_key("fraud", "records"), "champion", b"0" * 64 + stolen[64:])
    assert not by_hand.refresh() and by_hand.refused == {"old": 1, "signature": 1}


def test_a_registry_that_lost_all(
    by_hand: ServedModel, redis: Redis, registry: ModelRegistry
) -> None:
    put(registry, 50)
    registry.promote("fraud", 1, expected=None, **BY)
    by_hand.refresh()
    redis.flushall()
    later(by_hand, 9.0)
    assert not by_hand.refresh()
    assert by_hand.predict(ROWS[0]) is not None and by_hand.stale_seconds == 9.0


def test_redis_goes_and_comes(
    by_hand: ServedModel, redis: Redis, registry: ModelRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    served = by_hand
    put(registry, 50)
    put(registry, 60)
    registry.promote("fraud", 1, expected=None, **BY)
    served.refresh()
    # When Redis is gone
    nobody = Redis(port=1, retry=Retry(NoBackoff(), 0))
    served._registry = ModelRegistry(nobody, key=KEY)
    for _ in range(3):
        later(served, 10.0)
        assert not served.refresh()
    # Then the model serves on, says so once, and knows how old its knowledge is
    assert served.predict(ROWS[0]) == learned(count=50).predict_one(ROWS[0])
    assert served.stale_seconds == 30.0 and served.refused_total == 0
    assert caplog.text.count("version 1 serves on") == 1
    # When it is back, with news
    registry.promote("fraud", 2, expected=1, **BY)
    served._registry = registry
    assert served.refresh() and served.version == 2 and served.stale_seconds == 0


def test_without_a_key_nothing_is_loaded(redis: Redis, registry: ModelRegistry) -> None:
    put(registry, 50)
    registry.promote("fraud", 1, expected=None, **BY)
    with ServedModel("fraud", redis=redis, key=b"", poll_seconds=0) as served:
        assert served.refused == {"key": 1}
        with pytest.raises(NotServing, match="STREAMGAUGE_STATE__KEY"):
            served.predict(ROWS[0])
