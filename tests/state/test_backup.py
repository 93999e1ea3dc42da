"""A copy of what Redis alone holds: all of it, nothing else, and only as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from streamgauge.processing import StateError
from streamgauge.state.backup import InUse, restore, save
from streamgauge.state.handlings import HANDLINGS
from streamgauge.state.keys import checkpoint_key, model_key, reference_key, spec_key, view_key
from streamgauge.state.packing import pack

KEY = b"the key of these tests"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def redis(request: pytest.FixtureRequest) -> Iterator[Redis]:
    url = request.getfixturevalue(f"{request.param}_redis_url")
    with Redis.from_url(url) as client:
        client.flushdb()
        yield client
        client.flushdb()


def fill(redis: Redis) -> None:
    redis.hset(spec_key("fraud"), mapping={"latest": "1", "1": b"\xff{}"})
    redis.set(reference_key("fraud", "r1"), b"\x00profile")
    redis.set(model_key("fraud", "artefact:1"), b"signed", px=600_000)
    redis.rpush(model_key("fraud", "history"), "first", "second", "first")
    redis.hset(HANDLINGS, "cause", "{}")
    # And what workers bring back by themselves.
    redis.hset(checkpoint_key("streamgauge-monitor", 0), "_", "state")
    redis.hset(view_key("streamgauge-monitor", 0), "_", "view")


def held(redis: Any) -> dict[bytes, Any]:
    read = {b"string": redis.get, b"hash": redis.hgetall, b"list": lambda n: redis.lrange(n, 0, -1)}
    return {name: read[redis.type(name)](name) for name in redis.scan_iter()}


def test_what_was_lost_is_back(redis: Redis) -> None:
    # Given a Redis with something of everything, saved and then lost
    fill(redis)
    before = held(redis)
    content, kinds = save(redis, key=KEY)
    assert kinds == {
        "specs": 1, "references": 1, "parts of models": 2, "words on alarms": 1
    }  # fmt: skip
    redis.flushdb()
    # When it is restored
    assert restore(redis, content, key=KEY) == kinds
    # Then all is as it was, times to live too, but for what workers keep
    gone = {checkpoint_key("streamgauge-monitor", 0), view_key("streamgauge-monitor", 0)}
    assert held(redis) == {n: v for n, v in before.items() if n.decode() not in gone}
    assert 0 < redis.pttl(model_key("fraud", "artefact:1")) <= 600_000
    assert redis.pttl(spec_key("fraud")) == -1


def test_what_is_there_is_not_overwritten_unless_that_is_wanted(redis: Redis) -> None:
    fill(redis)
    content, _ = save(redis, key=KEY)
    redis.flushdb()
    redis.hset(spec_key("fraud"), mapping={"latest": "7", "7": "newer"})
    with pytest.raises(InUse, match="1 of the keys are there already, streamgauge:spec:"):
        restore(redis, content, key=KEY)
    # Then nothing was written
    assert held(redis) == {spec_key("fraud").encode(): {b"latest": b"7", b"7": b"newer"}}
    # And with leave, the saved version takes the newer one's place
    restore(redis, content, key=KEY, over=True)
    assert redis.hgetall(spec_key("fraud")) == {b"latest": b"1", b"1": b"\xff{}"}


@pytest.mark.parametrize("damage", ["flip", "short", "key", "empty"])
def test_what_save_did_not_write_is_refused(redis: Redis, damage: str) -> None:
    fill(redis)
    content, _ = save(redis, key=KEY)
    redis.flushdb()
    changed = {
        "flip": content[:-3] + bytes([content[-3] ^ 1]) + content[-2:],
        "short": content[:-1],
        "key": content,
        "empty": b"",
    }[damage]
    with pytest.raises(StateError):
        restore(redis, changed, key=b"another" if damage == "key" else KEY)
    assert held(redis) == {}


@pytest.mark.parametrize("name", ["streamgauge:ck:{streamgauge-monitor:0}", "sessions", ""])
def test_no_file_writes_what_no_save_holds(redis: Redis, name: str) -> None:
    # Given a file that somebody made, where there is no key
    forged = pack([1, [[spec_key("fraud"), "string", b"{}", -1], [name, "string", b"x", -1]]])
    with pytest.raises(StateError, match="which no save holds"):
        restore(redis, forged)
    assert held(redis) == {}
