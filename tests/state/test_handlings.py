"""What people did about alarms: what holds, for how long, and what is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from streamgauge.state import handlings
from streamgauge.state.handlings import HANDLINGS, KEPT_SECONDS, Handling, Handlings, Verdict
from streamgauge.state.silences import Silences

NOW = 1_700_000_000.0
TOLD: dict[str, Any] = {"model": "fraud", "fingerprint": "f", "alarm_id": "a", "by": "ann"}


def silenced(*, at: float = NOW, until: float = NOW + 60, **more: Any) -> Handling:
    return Handling(**{**TOLD, "status": "silenced", "at": at, "until": until, **more})


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def redis_url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_redis_url")
    return found


@pytest.fixture
def redis(redis_url: str) -> Any:
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


def test_an_acknowledgement_is_about_one_alarm_and_a_silence_about_its_cause() -> None:
    acknowledged = Handling(**TOLD, status="acknowledged", at=NOW)
    assert acknowledged.holds("a", NOW + 10 * 86_400)
    assert not acknowledged.holds("the next of this cause", NOW)
    assert silenced().holds("the next of this cause", NOW + 59)
    assert not silenced().holds("a", NOW + 60)


def test_the_last_word_holds_and_what_is_over_is_forgotten(redis: Redis) -> None:
    # Given what was said of three causes
    store = Handlings(redis)
    store.put(silenced(until=NOW + 1))
    store.put(silenced(fingerprint="g"))
    store.put(Handling(**{**TOLD, "fingerprint": "h"}, status="acknowledged", at=NOW))
    assert store.all().keys() == {"f", "g", "h"}
    # When one is said anew, long after
    later = Handling(**{**TOLD, "fingerprint": "g"}, status="acknowledged", at=NOW + 90)
    store.put(later)
    # Then only what still holds is there
    assert store.all().keys() == {"g", "h"} and store.all()["g"] == later
    store.put(silenced(fingerprint="i", at=NOW + KEPT_SECONDS + 91, until=NOW + KEPT_SECONDS * 2))
    assert store.all().keys() == {"i"}
    # And it can be taken back, once
    assert store.lift("i") and not store.lift("i") and not store.all()


def test_an_alarm_is_judged_by_the_last_word(redis: Redis) -> None:
    store = Handlings(redis)
    for right, at in ((True, NOW), (False, NOW + 1)):
        store.judge(Verdict(**TOLD, kind="feature_drift", right=right, at=at))
    store.judge(Verdict(**{**TOLD, "alarm_id": "b"}, kind="concept_drift", right=True, at=NOW - 1))
    assert [(each.alarm_id, each.right) for each in store.verdicts()] == [("b", True), ("a", False)]


def test_of_verdicts_the_newest_are_kept(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlings, "MOST_VERDICTS", 3)
    store = Handlings(redis)
    for at in (4, 1, 3, 2, 5):
        told = {**TOLD, "alarm_id": f"a{at}"}
        store.judge(Verdict(**told, kind="feature_drift", right=True, at=NOW + at))
    assert [each.alarm_id for each in store.verdicts()] == ["a3", "a4", "a5"]


@pytest.mark.parametrize("damage", ["what is no JSON", "another kind of key"])
def test_damage_hides_nothing_else(damage: str, redis: Redis) -> None:
    store = Handlings(redis)
    store.put(silenced())
    if damage == "what is no JSON":
        redis.hset(HANDLINGS, "x", b"{")
        assert store.all().keys() == {"f"}
    else:
        redis.set(HANDLINGS, "x")
        assert store.all() == {}


async def test_only_a_silence_that_lasts_keeps_an_alarm_from_its_sinks(
    redis: Redis, redis_url: str
) -> None:
    store = Handlings(redis)
    now = [NOW]
    client: AsyncRedis = AsyncRedis.from_url(redis_url)
    silences = Silences(client, clock=lambda: now[0])
    assert not await silences.covers("f", "a")
    store.put(silenced())
    assert await silences.covers("f", "another") and not await silences.covers("g", "a")
    now[0] = NOW + 60
    assert not await silences.covers("f", "a")
    store.put(Handling(**TOLD, status="acknowledged", at=NOW))
    assert not await silences.covers("f", "a")
    # While Redis is away, alarms go out
    await client.aclose()
    away: AsyncRedis = AsyncRedis.from_url("redis://127.0.0.1:1")
    assert not await Silences(away).covers("f", "a")
