"""Specs and profiles in Redis, on the fake and on the real server."""

from __future__ import annotations

import threading
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis
from redis import asyncio as aioredis

from streamgauge.specs import ModelSpec
from streamgauge.state.keys import model_id, spec_key, view_key
from streamgauge.state.spec_store import (
    MAX_REFERENCE_BYTES,
    MAX_VERSIONS,
    SpecConflict,
    SpecStore,
    read_all,
    read_reference,
)
from streamgauge.state.views import ModelView


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_redis_url")
    return found


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    with Redis.from_url(url) as client:
        client.flushall()
        yield client


@pytest.fixture
async def reader(url: str) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(url)
    yield client
    await client.aclose()


def spec(model: str = "fraud", **more: object) -> ModelSpec:
    return ModelSpec.from_document({"model": model, **more})


def test_versions_are_numbered_dated_and_never_change(redis: Redis) -> None:
    store = SpecStore(redis)
    first = store.apply(spec(owner="a"), now=100.0, by="ann")
    second = store.apply(spec(owner="b"), now=200.0, by="bob")
    assert first.changed and second.changed
    assert first.version.number == 1 and first.version.effective_at == 102.0
    assert store.versions("fraud") == [first.version, second.version]
    assert store.latest("fraud") == second.version
    assert (second.version.applied_by, second.version.applied_at) == ("bob", 200.0)


def test_the_same_spec_again_is_no_new_version(redis: Redis) -> None:
    store = SpecStore(redis)
    store.apply(spec(owner="a"), now=1.0, by="ann")
    again = store.apply(spec(owner="a"), now=9.0, by="ann")
    assert not again.changed and again.version.applied_at == 1.0
    # Going back to an older one is a change.
    store.apply(spec(owner="b"), now=10.0, by="ann")
    assert store.apply(spec(owner="a"), now=11.0, by="ann").version.number == 3


def test_a_spec_that_is_applied_after_a_wipe_is_newer_than_the_one_in_force(redis: Redis) -> None:
    # Given a model that workers go on with under version 3, whose versions are gone
    view = ModelView(model="fraud", partition=0, spec_version=3)
    redis.hset(view_key("g", 0), model_id("fraud"), view.model_dump_json())
    redis.hset(view_key("g", 1), model_id("fraud"), "no view at all")
    store = SpecStore(redis)
    assert store.apply(spec(), now=1000.0, by="ada").version.number == 4
    assert store.apply(spec("other"), now=1000.0, by="ada").version.number == 1


def test_a_spec_that_was_applied_before_the_state_was_restored_can_be_applied_again(
    redis: Redis,
) -> None:
    # Given a wiped Redis in which a spec is number 1 again, before workers restore their state
    store = SpecStore(redis)
    assert store.apply(spec(), now=1000.0, by="ada").version.number == 1
    view = ModelView(model="fraud", partition=0, spec_version=3)
    redis.hset(view_key("g", 0), model_id("fraud"), view.model_dump_json())
    # When the same is applied again, since it has no effect
    again = store.apply(spec(), now=2000.0, by="ada")
    # Then it is newer than the one in force; and the next time it is no change.
    assert (again.version.number, again.changed) == (4, True)
    assert not store.apply(spec(), now=3000.0, by="ada").changed


def test_a_clock_that_went_back_keeps_versions_in_order(redis: Redis) -> None:
    store = SpecStore(redis)
    store.apply(spec(owner="a"), now=500.0, by="ann")
    assert store.apply(spec(owner="b"), now=100.0, by="ann").version.effective_at == 502.0


def test_the_oldest_versions_go(redis: Redis) -> None:
    store = SpecStore(redis)
    for i in range(MAX_VERSIONS + 3):
        store.apply(spec(owner=str(i)), now=float(i), by="ann")
    numbers = [version.number for version in store.versions("fraud")]
    assert numbers == list(range(4, MAX_VERSIONS + 4))


def test_two_at_the_same_moment_both_get_a_version(url: str, redis: Redis) -> None:
    barrier = threading.Barrier(4)
    done: list[int] = []

    def apply(name: str) -> None:
        with Redis.from_url(url) as own:
            barrier.wait()
            done.append(SpecStore(own).apply(spec(owner=name), now=1.0, by=name).version.number)

    threads = [threading.Thread(target=apply, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(done) == [1, 2, 3, 4]
    assert {v.spec.owner for v in SpecStore(redis).versions("fraud")} == set("abcd")


def test_a_document_of_a_newer_version_is_skipped_and_its_number_stays(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    store = SpecStore(redis)
    store.apply(spec(owner="a"), now=1.0, by="ann")
    redis.hset(spec_key("fraud"), mapping={"2": b'{"spec": {"later": 1}}', "latest": "2"})
    latest = store.latest("fraud")
    assert latest is not None and latest.number == 1
    assert "can't be read" in caplog.text
    assert store.apply(spec(owner="a"), now=2.0, by="ann").version.number == 3


async def test_workers_read_everything_then_only_what_is_new(
    redis: Redis, reader: aioredis.Redis
) -> None:
    # Given two models, one with two versions
    store = SpecStore(redis)
    assert await read_all(reader) == []
    store.apply(spec("a"), now=1.0, by="ann")
    store.apply(spec("b"), now=1.0, by="ann")
    store.apply(spec("b", owner="x"), now=2.0, by="ann")
    # When a worker reads for the first time
    found = {(v.spec.model, v.number) for v in await read_all(reader)}
    assert found == {("a", 1), ("b", 1), ("b", 2)}
    # Then later it is told what is new and nothing else
    assert await read_all(reader, known={"a": 1, "b": 2}) == []
    store.apply(spec("a", owner="y"), now=3.0, by="ann")
    store.apply(spec("c"), now=3.0, by="ann")
    news = {(v.spec.model, v.number) for v in await read_all(reader, known={"a": 1, "b": 2})}
    assert news == {("a", 2), ("c", 1)}


async def test_profiles_are_stored_once_and_never_replaced(
    redis: Redis, reader: aioredis.Redis
) -> None:
    store = SpecStore(redis)
    data = uuid.uuid4().bytes
    assert store.put_reference("fraud", "r1", data)
    assert not store.put_reference("fraud", "r1", data)
    with pytest.raises(SpecConflict, match="choose another id"):
        store.put_reference("fraud", "r1", b"other")
    store.put_reference("fraud", "r0", b"older")
    store.put_reference("other", "r9", b"not mine")
    assert store.references("fraud") == ["r0", "r1"]
    assert store.get_reference("fraud", "r1") == data
    assert store.get_reference("fraud", "none") is None
    assert await read_reference(reader, "fraud", "r1") == data
    with pytest.raises(ValueError, match="leave columns out"):
        store.put_reference("fraud", "big", bytes(MAX_REFERENCE_BYTES + 1))


def test_no_name_reaches_a_key(redis: Redis) -> None:
    SpecStore(redis).apply(spec("a:*{b}"), now=1.0, by="ann")
    assert [str(key).count(":") for key in redis.scan_iter()] == [2]
