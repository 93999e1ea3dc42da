from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import orjson
import pytest
from redis import Redis
from redis import asyncio as aioredis

from streamgauge.state.keys import model_id, process_key, spec_key, view_key
from streamgauge.state.processes import ProcessView, announce
from streamgauge.state.reader import ViewReader
from streamgauge.state.views import ModelView, PartitionView

GROUP = "streamgauge-monitor"


class FixedClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def put(redis: Redis, view: ModelView, *, group: str = GROUP) -> None:
    key = view_key(group, view.partition)
    redis.hset(key, model_id(view.model), view.model_dump_json().encode())


def put_partition(redis: Redis, view: PartitionView, *, group: str = GROUP) -> None:
    redis.hset(view_key(group, view.partition), "_", view.model_dump_json().encode())


def test_everything_is_read(redis: Redis) -> None:
    # Given views of two partitions, a spec, and a process
    put(redis, ModelView(model="fraud", partition=0, labels=3))
    put(redis, ModelView(model="fraud", partition=1))
    put_partition(redis, PartitionView(partition=1, written_at=990.0))
    redis.hset(spec_key("fraud"), mapping={"latest": "2", "2": b'{"spec": {"model": "fraud"}}'})
    process = ProcessView(service="monitor", instance="a", started_at=1.0)
    redis.set(process.key, process.to_bytes())

    # When they are read
    snapshot = ViewReader(redis, group=GROUP, clock=FixedClock()).read()

    # Then they are there, with their time
    assert [(m.model, m.partition, m.labels) for m in snapshot.models] == [
        ("fraud", 0, 3),
        ("fraud", 1, 0),
    ]
    assert snapshot.partitions == ((GROUP, PartitionView(partition=1, written_at=990.0)),)
    assert snapshot.written_at(snapshot.models[1]) == 990.0
    assert snapshot.written_at(snapshot.models[0]) is None
    assert snapshot.specs == {"fraud": 2}
    assert snapshot.processes == (process,)
    assert snapshot.read_at == 1000.0
    assert snapshot.skipped == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "malformed"),
        (b"null", "malformed"),
        (b'{"v": 1}', "malformed"),
        (b'{"v": 1, "model": "fraud", "partition": "x"}', "malformed"),
        (b'{"v": 1, "model": "another", "partition": 0}', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"v": 2, "anything": true}', "version"),
    ],
    ids=lambda value: str(value[:20]),
)
def test_what_cant_be_used_is_skipped_counted_once_and_harms_nobody(
    data: bytes, reason: str, redis: Redis
) -> None:
    put(redis, ModelView(model="good", partition=0))
    redis.hset(view_key(GROUP, 0), model_id("fraud"), data)
    reader = ViewReader(redis)
    for _ in range(3):
        snapshot = reader.read()
        assert [m.model for m in snapshot.models] == ["good"]
        assert snapshot.skipped == {reason: 1}
    # and when it is mended, it is read
    put(redis, ModelView(model="fraud", partition=0))
    assert {m.model for m in reader.read().models} == {"good", "fraud"}


def test_fields_that_a_newer_minor_added_are_ignored(redis: Redis) -> None:
    document = {**ModelView(model="fraud", partition=0).model_dump(), "later": {"a": 1}}
    redis.hset(view_key(GROUP, 0), model_id("fraud"), orjson.dumps(document))
    assert ViewReader(redis).read().models == (ModelView(model="fraud", partition=0),)


def test_keys_of_another_type_and_damaged_specs_and_processes_do_no_harm(redis: Redis) -> None:
    redis.set(view_key(GROUP, 7), b"a string")
    redis.lpush(process_key("monitor", "list"), b"x")
    redis.set(process_key("monitor", "bad"), b"{")
    redis.hset(spec_key("a"), mapping={"latest": "1", "1": b"not json"})
    redis.hset(spec_key("b"), mapping={"latest": "x"})
    put(redis, ModelView(model="good", partition=0))
    snapshot = ViewReader(redis).read()
    assert [m.model for m in snapshot.models] == ["good"]
    assert snapshot.specs == {}
    assert snapshot.processes == ()
    assert snapshot.skipped == {"malformed": 2}


def test_only_the_asked_group_is_read(redis: Redis) -> None:
    put(redis, ModelView(model="ours", partition=0))
    put(redis, ModelView(model="theirs", partition=0), group=f"{GROUP}-2")
    assert [m.model for m in ViewReader(redis, group=GROUP).read().models] == ["ours"]
    assert len(ViewReader(redis).read().models) == 2


def test_a_new_partition_appears_when_the_keys_are_old_and_changes_at_once(redis: Redis) -> None:
    clock = FixedClock()
    reader = ViewReader(redis, clock=clock)
    assert reader.read().models == ()
    # While there is nothing, it looks every time.
    put(redis, ModelView(model="a", partition=0))
    assert len(reader.read().models) == 1
    put(redis, ModelView(model="a", partition=0, labels=5))
    put(redis, ModelView(model="b", partition=1))
    assert [(m.model, m.labels) for m in reader.read().models] == [("a", 5)]
    clock.now += 5
    assert [m.model for m in reader.read().models] == ["a", "b"]
    # A view that goes away is gone at once.
    redis.delete(view_key(GROUP, 0))
    assert [m.model for m in reader.read().models] == ["b"]


def test_what_stays_the_same_is_parsed_once(redis: Redis) -> None:
    put(redis, ModelView(model="a", partition=0))
    reader = ViewReader(redis)
    assert reader.read().models[0] is reader.read().models[0]


async def test_a_process_says_that_it_runs_until_it_ends(redis: Redis, redis_url: str) -> None:
    client = aioredis.Redis.from_url(redis_url)
    process = ProcessView(service="monitor", instance="a", started_at=1.0)
    # Once is enough: cancelled while it writes, it would leave a connection in the middle.
    task = asyncio.create_task(announce(client, lambda: process, every=60.0))
    while not redis.exists(process.key):
        await asyncio.sleep(0.01)
    assert ViewReader(redis).read().processes == (process,)
    ttl: Any = redis.ttl(process.key)
    assert 0 < ttl <= 15
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert not redis.exists(process.key)
    await client.aclose()


class Stuck:
    """A Redis that takes a command and never answers."""

    async def set(self, *_: Any, **__: Any) -> None:
        return None

    async def delete(self, *_: Any) -> None:
        await asyncio.Event().wait()


async def test_a_redis_that_never_answers_holds_no_process_up_at_its_end() -> None:
    process = ProcessView(service="monitor", instance="a", started_at=1.0)
    stuck: Any = Stuck()
    task = asyncio.create_task(announce(stuck, lambda: process, every=60.0))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_without_redis_a_process_goes_on() -> None:
    client = aioredis.Redis.from_url("redis://127.0.0.1:1/0")
    process = ProcessView(service="monitor", instance="a", started_at=1.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await announce(client, lambda: process, every=0.01)
    await client.aclose()
