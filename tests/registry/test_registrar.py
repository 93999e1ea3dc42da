"""The registrar's stories: what was learned and decided, carried out once, whatever happens."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import fakeredis
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.registry.base import StoreFailed
from streamgauge.registry.dump import dump
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.ledger import Ledger
from streamgauge.registry.publish import publish, revived
from streamgauge.registry.redis_store import RedisArtefacts
from streamgauge.registry.registrar import Registrar
from streamgauge.registry.registry import KEEP_NEAR, ModelRegistry
from streamgauge.registry.step import Step
from streamgauge.state.keys import model_key
from tests.pipelines.streams import events, truth
from tests.registry.examples import KEY, learned

ROWS = [{**event, "tags": None} for event in events(5, seed=8)]
SEEDS = {"online": 3, "second": 4, "third": 5}


def pipeline(name: str, count: int) -> Pipeline:
    made = Pipeline(Plan(estimator="logistic_regression", task="binary", seed=SEEDS[name]))
    for event in events(count, seed=SEEDS[name]):
        made.learn(event, truth(event, "binary"))
    return made


@functools.cache
def candidate(name: str, count: int) -> Candidate:
    """A pipeline that learned one example a second since log time 1,000."""
    return Candidate(
        pipeline=name,
        content=pipeline(name, count).to_bytes(),
        at=1_000.0 + count,
        positions={"labels:0": count},
        examples=count,
        metrics={"accuracy": 0.9},
        spec_version=3,
        rows=ROWS,
    )


def verdict(name: str, at: float, **more: Any) -> Verdict:
    evidence = {"e_value": 50.0}
    return Verdict(
        id=f"{name}@{at}", pipeline=name, at=at, reason="better", evidence=evidence, **more
    )


def facts(*candidates: Candidate, **more: Any) -> Learned:
    return Learned(model="fraud", candidates=candidates, **more)


@pytest.fixture
def registrar(registry: ModelRegistry) -> Registrar:
    return Registrar(registry, key=KEY)


def said(steps: list[Step]) -> list[tuple[str, str, int | None, int | None]]:
    return [(each.action, each.pipeline, each.version, each.previous_version) for each in steps]


def statuses(registry: ModelRegistry) -> dict[int, str]:
    return {record.version: record.status for record in registry.records("fraud")}


def serving(registry: ModelRegistry) -> int | None:
    pointer = registry.champion("fraud")
    return None if pointer is None else pointer.version


def test_a_life_of_two_pipelines(registrar: Registrar, registry: ModelRegistry) -> None:
    # Given two pipelines, and nothing decided
    assert said(registrar.settle(facts(candidate("online", 20), candidate("second", 20)))) == [
        ("registered", "online", 1, None),
        ("registered", "second", 2, None),
    ]
    assert serving(registry) is None
    # When the learner decides who is champion
    first = verdict("online", 1_020.0)
    known = facts(candidate("online", 20), candidate("second", 20), champion=first)
    (promoted,) = registrar.settle(known)
    assert said([promoted]) == [("promoted", "online", 1, None)]
    assert promoted.evidence == {"e_value": 50.0} and promoted.told_as == "promoted"
    # When they learn on, then the champion's newer snapshot serves, and that is no promotion
    steps = registrar.settle(
        facts(candidate("online", 30), candidate("second", 20), champion=first)
    )
    assert said(steps) == [("registered", "online", 3, 1), ("snapshot", "online", 3, 1)]
    assert statuses(registry) == {1: "retired", 2: "challenger", 3: "champion"}
    assert [line.action for line in registry.history("fraud")].count("promoted") == 1
    # When the other one wins
    won = verdict("second", 1_040.0)
    steps = registrar.settle(facts(candidate("online", 40), candidate("second", 40), champion=won))
    assert said(steps) == [
        ("registered", "online", 4, 3),
        ("registered", "second", 5, 2),
        ("promoted", "second", 5, 3),
    ]
    # Then the loser goes on as challenger, and fails with the evidence
    lost = Verdict(id="x", pipeline="online", at=1_050.0, reason="worse", evidence={"labels": 9})
    again = facts(candidate("online", 40), candidate("second", 40), champion=won, failed=[lost])
    (failed,) = registrar.settle(again)
    assert said([failed]) == [("failed", "online", 4, None)] and failed.told_as == "retired"
    assert registry.history("fraud")[-1].evidence == {"labels": 9}
    # And nothing more is registered of it while it has failed
    more = facts(candidate("online", 50), candidate("second", 40), champion=won, failed=[lost])
    assert registrar.settle(more) == []
    # When it is tried anew
    steps = registrar.settle(facts(candidate("online", 60), candidate("second", 40), champion=won))
    assert said(steps) == [("registered", "online", 6, 4)]
    assert statuses(registry) == {
        1: "retired", 2: "retired", 3: "retired", 4: "failed", 5: "champion", 6: "challenger"
    }  # fmt: skip
    # And what is there is what was learned
    record = registry.record("fraud", 6)
    assert record.lineage["examples"] == 60 and record.lineage["parent"] == 4
    assert record.lineage["estimator"] == "logistic_regression"
    assert dump(revived(registry.fetch("fraud", 6))) == dump(pipeline("online", 60))


def test_the_same_facts_twice_change_nothing(
    registrar: Registrar, registry: ModelRegistry, redis: Redis
) -> None:
    known = facts(candidate("online", 20), champion=verdict("online", 1_020.0))
    assert len(registrar.settle(known)) == 2
    before = redis.hgetall(model_key("fraud", "records"))
    assert registrar.settle(known) == []
    # Nor do positions that moved on over events without a label
    moved = Candidate(
        pipeline="online", content=candidate("online", 20).content, at=1_500.0, positions={"l:0": 9}
    )
    assert registrar.settle(facts(moved, champion=verdict("online", 1_020.0))) == []
    assert redis.hgetall(model_key("fraud", "records")) == before


def whole_life() -> list[Learned]:
    first, won = verdict("online", 1_020.0), verdict("second", 1_040.0)
    lost = verdict("third", 1_045.0)
    return [
        facts(candidate("online", 20), candidate("third", 20), champion=first),
        facts(candidate("online", 30), candidate("second", 30), champion=first),
        facts(candidate("second", 40), candidate("third", 40), champion=won, failed=[lost]),
    ]


def test_killed_at_every_write_it_ends_in_the_same_registry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given the registry of one that was never interrupted
    redis, life = fakeredis.FakeRedis(), whole_life()
    registrar = Registrar(ModelRegistry(redis, key=KEY), key=KEY)
    for known in life:
        registrar.settle(known)
    wanted = everything(redis)
    writes = itertools.count(1)
    cut = 0

    def fragile(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(writes) == cut:
                raise StoreFailed("Redis went away")
            return real(*args, **kwargs)

        return call

    for cls, name in ((Ledger, "change"), (RedisArtefacts, "put"), (RedisArtefacts, "remove")):
        monkeypatch.setattr(cls, name, fragile(getattr(cls, name)))
    met = True
    while met:
        # When another is stopped before one of its writes, and called again
        cut, met, writes = cut + 1, False, itertools.count(1)
        redis.flushall()
        for known in life:
            try:
                registrar.settle(known)
            except StoreFailed:
                met = True
                registrar.settle(known)
        # Then nobody can tell
        assert everything(redis) == wanted, cut
    assert cut > 20


def everything(redis: Redis) -> Any:
    key = model_key("fraud", "records")
    history: Any = redis.lrange(model_key("fraud", "history"), 0, -1)
    return redis.hgetall(key), history, sorted(redis.keys("*artefact*"))


def test_a_person_wins_until_the_learner_decides_anew(
    registrar: Registrar, registry: ModelRegistry
) -> None:
    # Given a champion that took over from another
    first, won = verdict("online", 1_020.0), verdict("second", 1_030.0)
    registrar.settle(facts(candidate("online", 20), champion=first))
    registrar.settle(facts(candidate("second", 30), champion=won))
    assert serving(registry) == 2
    # When a person goes back
    registry.rollback("fraud", at=1_035.0, actor="ann", reason="complaints")
    # Then it stays so, whatever is learned: neither the old decision nor a snapshot undoes it
    for _ in range(2):
        steps = registrar.settle(
            facts(candidate("online", 40), candidate("second", 40), champion=won)
        )
        assert serving(registry) == 1
        held = steps[-1]
        assert said([held]) == [("pinned", "second", 1, None)] and held.told_as is None
        assert "complaints" in held.reason and "--follow" in held.reason
    # Nor does a decision that is older than theirs, and comes late
    late = verdict("second", 1_034.0)
    assert said(registrar.settle(facts(champion=late))) == [("pinned", "second", 1, None)]
    # When the learner decides anew, it is done, and snapshots serve again
    anew = verdict("second", 1_050.0)
    assert said(registrar.settle(facts(champion=anew)))[-1] == ("promoted", "second", 4, 1)
    steps = registrar.settle(facts(candidate("second", 60), champion=anew))
    assert said(steps)[-1] == ("snapshot", "second", 5, 4)


def test_a_person_may_let_snapshots_follow(registrar: Registrar, registry: ModelRegistry) -> None:
    # Given a learner that decided for one pipeline
    first = verdict("online", 1_020.0)
    registrar.settle(facts(candidate("online", 20), candidate("second", 20), champion=first))
    by: dict[str, Any] = {"actor": "ann", "reason": "mine", "at": 1_025.0}
    # When a person promotes the other, and lets it learn on
    registry.promote("fraud", 2, expected=1, follow=True, **by)
    steps = registrar.settle(
        facts(candidate("online", 30), candidate("second", 30), champion=first)
    )
    # Then the newer snapshot of theirs serves
    assert said(steps)[-1] == ("snapshot", "second", 4, 2) and serving(registry) == 4
    # When they pin it, it stays; when they let it go, it follows again
    registry.promote("fraud", 4, expected=4, **by)
    assert registry.history("fraud")[-1].action == "pinned"
    held = registrar.settle(facts(candidate("second", 40), champion=first))
    assert said(held)[-1][0] == "pinned" and serving(registry) == 4
    registry.promote("fraud", 4, expected=4, follow=True, **by)
    assert registry.history("fraud")[-1].action == "followed"
    steps = registrar.settle(facts(candidate("second", 40), champion=first))
    assert said(steps) == [("snapshot", "second", 5, 4)]
    # And a rollback leads to who was champion before it, not to a snapshot of its own
    assert registry.rollback_target("fraud") == 1


def test_an_owner_that_was_replaced_changes_nothing(
    registrar: Registrar, registry: ModelRegistry
) -> None:
    first = verdict("online", 1_020.0)
    registrar.settle(facts(candidate("online", 20), champion=first))
    registrar.settle(facts(candidate("online", 40), champion=first))
    # When one who knows less comes, with what was registered and with what was not
    assert registrar.settle(facts(candidate("online", 20), champion=first)) == []
    (step,) = registrar.settle(facts(candidate("online", 30), champion=first))
    assert step.action == "refused" and "version 2 is newer" in step.reason
    assert serving(registry) == 2


def test_few_artefacts_stay_near_and_all_records(
    registrar: Registrar, registry: ModelRegistry, redis: Redis
) -> None:
    first, won = verdict("online", 1_010.0), verdict("second", 1_040.0)
    for count in range(14, 40, 4):
        registrar.settle(facts(candidate("online", count), champion=first))
    registrar.settle(facts(candidate("online", 38), candidate("second", 40), champion=won))
    for count in range(42, 66, 4):
        registrar.settle(facts(candidate("online", count), candidate("second", 40), champion=won))
    assert len(registry.records("fraud")) == 14
    # The newest of the loser, what was promoted, what it gave way to, and the champion
    assert RedisArtefacts(redis).versions("fraud") == [1, 7, 8, *range(10, 10 + KEEP_NEAR)]
    assert registry.rollback("fraud", at=1.0, actor="ann", reason="bad").version == 7


def test_what_is_wrong_with_one_holds_up_no_other(
    registrar: Registrar, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = pipeline("online", 20)
    broken.broken = "it answered nan"
    bad = Candidate(pipeline="online", content=broken.to_bytes(), at=1_020.0)
    noise = Candidate(pipeline="third", content=b"noise", at=1_020.0)
    won = verdict("online", 1_020.0)
    steps = registrar.settle(facts(bad, noise, candidate("second", 20), champion=won))
    assert [(each.action, each.pipeline) for each in steps] == [
        ("refused", "online"),
        ("refused", "third"),
        ("registered", "second"),
        ("refused", "online"),
    ]
    assert "it answered nan" in steps[0].reason and "no pipeline's" in steps[1].reason
    assert "no version of online" in steps[3].reason and serving(registry) is None


def test_a_champion_that_learns_elsewhere_is_left_alone(
    registrar: Registrar, registry: ModelRegistry
) -> None:
    # Given a champion of a batch trainer, and a challenger that takes over
    def batch(at: float) -> None:
        publish(
            registry,
            learned(count=int(at) - 900),
            key=KEY,
            model="fraud",
            pipeline="batch",
            created_at=at,
            actor="trainer",
        )

    batch(1_000.0)
    assert said(registrar.settle(facts(champion=verdict("batch", 1_000.0)))) == [
        ("promoted", "batch", 1, None)
    ]
    # When the trainer registers another, it waits for a decision
    batch(1_005.0)
    assert registrar.settle(facts(champion=verdict("batch", 1_000.0))) == []
    registrar.settle(facts(candidate("online", 20), champion=verdict("online", 1_020.0)))
    assert serving(registry) == 3
    # When it wins its place back, that is told as a rollback
    back = verdict("batch", 1_030.0, action="rolled_back")
    assert said(registrar.settle(facts(candidate("online", 20), champion=back))) == [
        ("rolled_back", "batch", 2, 3)
    ]


def test_redis_away_is_said_and_the_next_call_does_it_all(registry: ModelRegistry) -> None:
    known = facts(candidate("online", 20), champion=verdict("online", 1_020.0))
    nobody = ModelRegistry(Redis(port=1, retry=Retry(NoBackoff(), 0)), key=KEY)
    with pytest.raises(StoreFailed):
        Registrar(nobody, key=KEY).settle(known)
    assert len(Registrar(registry, key=KEY).settle(known)) == 2


@pytest.mark.integration
def test_what_redis_has_no_room_for_is_registered_when_it_has_and_the_champion_stays(
    real_redis_url: str,
) -> None:
    # Given a champion, and what it learned since
    with Redis.from_url(real_redis_url) as redis:
        redis.flushall()
        registry = ModelRegistry(redis, key=KEY)
        registrar = Registrar(registry, key=KEY)
        first = facts(candidate("online", 20), champion=verdict("online", 1_020.0))
        registrar.settle(first)
        more = facts(candidate("online", 40), champion=verdict("online", 1_020.0))
        # When Redis takes nothing
        redis.config_set("maxmemory", "1")
        try:
            for _ in range(2):
                with pytest.raises(StoreFailed, match="maxmemory"):
                    registrar.settle(more)
            # Then what serves can be read, and nothing is half written
            assert serving(registry) == 1 and statuses(registry) == {1: "champion"}
            assert registry.fetch("fraud", 1).header.version == 1
        finally:
            redis.config_set("maxmemory", "0")
        # And with room it is one version, that serves
        registrar.settle(more)
        registrar.settle(more)
        assert serving(registry) == 2 and sorted(statuses(registry)) == [1, 2]
