"""The registry's stories, on the fake and on the real Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from river import linear_model

from streamgauge.registry.base import AlreadyThere, StoreFailed
from streamgauge.registry.directory_store import DirectoryArtefacts
from streamgauge.registry.dump import dump
from streamgauge.registry.ledger import RegistryConflict
from streamgauge.registry.load import load
from streamgauge.registry.publish import publish, revived
from streamgauge.registry.record import Champion, ModelRecord
from streamgauge.registry.registry import KEEP_NEAR, ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.registry.self_test import MAX_TRIALS
from streamgauge.state.keys import model_key
from tests.registry.examples import KEY, envelope, learn, learned, rows

BY: dict[str, Any] = {"actor": "ann", "reason": "better"}


def put(registry: ModelRegistry, count: int = 50, *, model: str = "fraud", **more: Any) -> int:
    record = publish(
        registry,
        learned(count=count),
        key=KEY,
        model=model,
        pipeline="online",
        created_at=1_000.0 + count,
        actor="learner",
        rows=[row for row, _ in rows(30)],
        positions={"predictions:0": count},
        metrics={"accuracy": 0.9},
        **more,
    )
    return record.version


def crown(registry: ModelRegistry, version: int, expected: int | None = None) -> Champion:
    return registry.promote("fraud", version, expected=expected, at=5_000.0 + version, **BY)


def statuses(registry: ModelRegistry, model: str = "fraud") -> dict[int, str]:
    return {record.version: record.status for record in registry.records(model)}


def test_a_life_from_registration_to_rollback(registry: ModelRegistry) -> None:
    # Given three versions, the second of which fails
    assert [put(registry, count) for count in (50, 60, 70)] == [1, 2, 3]
    assert crown(registry, 1).turn == 1
    registry.set_status("fraud", 2, "challenger", at=1.0, actor="learner", reason="on trial")
    registry.set_status("fraud", 2, "failed", at=2.0, actor="learner", reason="worse by 0.1")
    # When the third wins and then disappoints
    assert crown(registry, 3, 1).turn == 2
    assert statuses(registry) == {1: "retired", 2: "failed", 3: "champion"}
    back = registry.rollback("fraud", at=9.0, actor="bob", reason="complaints")
    # Then the first serves again, and all is on record
    assert (back.version, back.turn) == (1, 3)
    assert registry.champion("fraud") == back
    assert statuses(registry) == {1: "champion", 2: "failed", 3: "rolled_back"}
    said = [(line.version, line.action, line.actor) for line in registry.history("fraud")]
    assert said == [
        (1, "registered", "learner"),
        (2, "registered", "learner"),
        (3, "registered", "learner"),
        (1, "promoted", "ann"),
        (2, "challenger", "learner"),
        (2, "failed", "learner"),
        (3, "promoted", "ann"),
        (1, "rolled_back", "bob"),
    ]
    assert registry.record("fraud", 2).reason == "worse by 0.1"
    assert registry.models() == ["fraud"]
    # And the one that failed has its artefact still
    assert registry.fetch("fraud", 2).header.positions == {"predictions:0": 60}


def test_rollbacks_lead_further_back_and_only_to_champions(registry: ModelRegistry) -> None:
    for count in (10, 20, 30, 40):
        put(registry, count)
    crown(registry, 1)
    crown(registry, 2, 1)
    crown(registry, 4, 2)
    go_back: dict[str, Any] = {"at": 1.0, "actor": "bob", "reason": "bad"}
    with pytest.raises(RegistryConflict, match="never champion; `promote` makes it one"):
        registry.rollback("fraud", to=3, **go_back)
    with pytest.raises(RegistryConflict, match="is the champion already"):
        registry.rollback("fraud", to=4, **go_back)
    with pytest.raises(RegistryConflict, match="is 4 by now, not 2"):
        registry.rollback("fraud", expected=2, **go_back)
    assert registry.rollback("fraud", **go_back).version == 2
    assert registry.rollback("fraud", **go_back).version == 1
    with pytest.raises(RegistryConflict, match="first champion; there is none before"):
        registry.rollback("fraud", **go_back)
    # One that was gone back from can be made champion again, on purpose
    assert crown(registry, 4, 1).version == 4


def test_two_who_promote_at_once(registry: ModelRegistry, url: str) -> None:
    for count in (10, 20, 30):
        put(registry, count)
    crown(registry, 1)
    barrier = threading.Barrier(2)
    outcome: dict[int, str] = {}

    def decide(version: int) -> None:
        with Redis.from_url(url) as own:
            mine = ModelRegistry(own, key=KEY)
            barrier.wait()
            try:
                outcome[version] = str(crown(mine, version, 1).version)
            except RegistryConflict as error:
                outcome[version] = str(error)

    threads = [threading.Thread(target=decide, args=(version,)) for version in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    # Then one of them won, and the other was told
    found = registry.champion("fraud")
    assert found is not None and found.turn == 2
    assert outcome[found.version] == str(found.version)
    assert f"is {found.version} by now, not 1" in outcome[5 - found.version]
    assert sorted(statuses(registry).values()) == ["champion", "registered", "retired"]


def test_versions_are_allocated_once_and_the_same_for_the_same_token(
    registry: ModelRegistry, url: str
) -> None:
    found: list[int] = []

    def allocate(token: str) -> None:
        with Redis.from_url(url) as own:
            found.append(ModelRegistry(own, key=KEY).allocate("fraud", token))

    threads = [threading.Thread(target=allocate, args=(token,)) for token in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert registry.allocate("fraud", "c") == registry.allocate("fraud", "c") <= 6
    assert registry.allocate("fraud", "g") == 7


def test_a_learner_that_replays_registers_once(registry: ModelRegistry) -> None:
    assert put(registry, 50) == put(registry, 50) == 1
    assert len(registry.records("fraud")) == len(registry.history("fraud")) == 1
    # Killed between number and artefact: the number is used the next time
    assert registry.allocate("fraud", "named by the learner") == 2
    assert put(registry, 60, token="named by the learner") == 2
    assert put(registry, 70, parent=1) == 3
    lineage = registry.record("fraud", 3).lineage
    assert lineage["parent_sha256"] == registry.record("fraud", 1).sha256
    assert "trials" not in lineage


def test_the_artefact_has_rows_to_test_with_and_the_model_stays_untouched(
    registry: ModelRegistry,
) -> None:
    model = learned(count=50)
    before = dump(model)
    seen = [{**row, "new": 1.0} for row, _ in rows(30)] + [{"when": object()}]
    common: dict[str, Any] = {"model": "fraud", "pipeline": "p", "created_at": 1.0, "actor": "l"}
    publish(registry, model, key=KEY, rows=seen, **common)
    assert dump(model) == before
    artefact = registry.fetch("fraud", 1)
    assert len(artefact.header.trials) == MAX_TRIALS
    revived(artefact)
    found = load(artefact.payload)
    assert dump(found) == before
    # A revived model learns on like the one that was stored
    assert dump(learn(found, "classes", 30, start=50)) == dump(learned(count=80))


def test_the_order_of_features_is_part_of_a_row(registry: ModelRegistry) -> None:
    # Given weights whose sum differs in its last digit with the order of the features
    model = linear_model.LinearRegression()
    backwards = {f"x{number}": 0.1 * number for number in range(20, 0, -1)}
    for _ in range(50):
        model.learn_one(backwards, 1.0)
    model.intercept = 1e-9
    common: dict[str, Any] = {"model": "fraud", "pipeline": "p", "created_at": 1.0, "actor": "l"}
    publish(registry, model, key=KEY, rows=[backwards], **common)
    (trial,) = registry.fetch("fraud", 1).header.trials
    assert list(trial.row) == list(backwards)


def test_a_model_that_answers_otherwise_is_not_registered(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamgauge.registry.publish.load", lambda payload: learned(count=5))
    with pytest.raises(Rejected, match="on row 1 of 20 it answers") as caught:
        put(registry)
    assert caught.value.reason == "self_test"
    assert registry.models() == []


def test_a_model_that_answers_nan_is_not_registered(registry: ModelRegistry) -> None:
    model = learned(count=5)
    model["LogisticRegression"].intercept = float("nan")
    common: dict[str, Any] = {"model": "fraud", "pipeline": "p", "created_at": 1.0, "actor": "l"}
    with pytest.raises(Rejected, match="which is no number") as caught:
        publish(registry, model, key=KEY, rows=[{"x0": 1.0}], **common)
    assert caught.value.reason == "self_test"


def test_steps_that_no_version_takes(registry: ModelRegistry) -> None:
    put(registry, 10)
    put(registry, 20)
    step: dict[str, Any] = {"at": 1.0, "actor": "a", "reason": "r"}
    with pytest.raises(LookupError, match="no version 9"):
        registry.set_status("fraud", 9, "failed", **step)
    with pytest.raises(LookupError, match="did you mean 'fraud'"):
        registry.set_status("frad", 1, "failed", **step)
    with pytest.raises(RegistryConflict, match="by promote and rollback alone"):
        registry.set_status("fraud", 1, "champion", **step)
    with pytest.raises(RegistryConflict, match="no champion"):
        registry.rollback("fraud", **step)
    registry.set_status("fraud", 1, "failed", **step)
    with pytest.raises(RegistryConflict, match="register it anew"):
        crown(registry, 1)
    with pytest.raises(RegistryConflict, match="can't become challenger"):
        registry.set_status("fraud", 1, "challenger", **step)
    crown(registry, 2)
    with pytest.raises(RegistryConflict, match="by promote and rollback alone"):
        registry.set_status("fraud", 2, "retired", **step)


def test_a_registry_that_was_tampered_with(registry: ModelRegistry, redis: Redis) -> None:
    # Given two versions, the first of which was champion once
    put(registry, 10)
    put(registry, 20)
    crown(registry, 1)
    pointer: Any = redis.hget(model_key("fraud", "records"), "champion")
    crown(registry, 2, 1)
    # When somebody with Redis, and without the key, puts the old pointer back: it verifies (it was
    # ours), but its turn is over, which whoever serves remembers
    redis.hset(model_key("fraud", "records"), "champion", pointer)
    found = registry.champion("fraud")
    assert found is not None and found.turn == 1
    # When it is changed
    forged = pointer.replace(b'"version":1', b'"version":2')
    assert forged != pointer
    redis.hset(model_key("fraud", "records"), "champion", forged)
    with pytest.raises(Rejected, match="was not signed with this key"):
        registry.champion("fraud")
    # When it is another model's
    put(registry, 10, model="credit")
    other = registry.promote("credit", 1, expected=None, at=1.0, **BY)
    redis.hset(model_key("fraud", "records"), "champion", other.to_bytes(key=KEY))
    with pytest.raises(Rejected, match="credit's"):
        registry.champion("fraud")
    # When one artefact lies where another should
    redis.set(model_key("fraud", "artefact:2"), registry.envelope("fraud", 1))
    with pytest.raises(Rejected) as caught:
        registry.fetch("fraud", 2)
    assert caught.value.reason == "mismatch"
    with pytest.raises(Rejected):
        registry.promote("fraud", 2, expected=1, at=1.0, **BY)


def test_without_a_key_records_are_read_and_nothing_else(
    registry: ModelRegistry, redis: Redis
) -> None:
    put(registry)
    crown(registry, 1)
    mute = ModelRegistry(redis, key=b"")
    assert mute.models() == ["fraud"] and statuses(mute) == {1: "champion"}
    for action in (
        lambda: mute.champion("fraud"),
        lambda: mute.fetch("fraud", 1),
        lambda: mute.promote("fraud", 1, expected=1, at=1.0, **BY),
        lambda: mute.register(envelope(), model="fraud", version=1, actor="a"),
    ):
        with pytest.raises(Rejected, match="STREAMGAUGE_STATE__KEY"):
            action()


def test_a_version_never_changes(registry: ModelRegistry) -> None:
    registry.register(envelope(), model="fraud", version=1, actor="trainer")
    again = registry.register(envelope(), model="fraud", version=1, actor="trainer")
    assert again.version == 1 and len(registry.history("fraud")) == 1
    with pytest.raises(AlreadyThere, match="allocate a new one"):
        registry.register(envelope(metrics={"auc": 0.5}), model="fraud", version=1, actor="trainer")
    # A trainer's own number is respected by whoever allocates later
    registry.register(envelope(version=7), model="fraud", version=7, actor="trainer")
    assert registry.allocate("fraud", "t") == 8


def test_old_artefacts_move_to_the_archive(redis: Redis, tmp_path: Path) -> None:
    archive = DirectoryArtefacts(tmp_path)
    registry = ModelRegistry(redis, key=KEY, archive=archive)
    put(registry, 1)
    crown(registry, 1)
    for count in range(2, KEEP_NEAR + 5):
        put(registry, count)
    near = {
        version
        for version in range(1, KEEP_NEAR + 5)
        if redis.exists(model_key("fraud", f"artefact:{version}"))
    }
    # The champion stays near, whatever its age
    assert near == {1} | set(range(5, KEEP_NEAR + 5))
    assert archive.versions("fraud") == list(range(1, KEEP_NEAR + 5))
    assert registry.fetch("fraud", 2).header.version == 2
    assert len(registry.records("fraud")) == KEEP_NEAR + 4
    # And where the archive loses one, the record says what was there
    archive.remove("fraud", 2)
    with pytest.raises(Rejected) as caught:
        registry.fetch("fraud", 2)
    assert caught.value.reason == "missing"
    assert registry.record("fraud", 2).size_bytes > 0


def test_redis_away_is_said() -> None:
    with Redis(port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        registry = ModelRegistry(nobody, key=KEY)
        actions: list[Callable[[], object]] = [
            registry.models,
            lambda: registry.records("fraud"),
            lambda: registry.history("fraud"),
            lambda: registry.champion("fraud"),
            lambda: registry.fetch("fraud", 1),
            lambda: registry.allocate("fraud", "t"),
        ]
        for action in actions:
            with pytest.raises(StoreFailed, match="Redis does not"):
                action()


def test_a_record_of_a_newer_streamgauge_is_read() -> None:
    assert ModelRecord.model_validate_json(b'{"model":"m","version":1,"later":2}').version == 1
