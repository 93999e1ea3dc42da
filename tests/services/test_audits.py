"""The learner says of a damaged champion that it is, once, and that it is no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from redis import Redis

from services.learner import audits
from services.learner.audits import Audits
from services.stack.redis_server import EmbeddedRedis
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import REASONS
from streamgauge.settings import Settings
from streamgauge.state.keys import model_key
from streamgauge.streaming import WorkerTelemetry
from streamgauge.streaming.publisher import Outgoing, PublishFailed
from streamgauge_client.codec import decode
from streamgauge_client.events import AlarmEvent
from tests.registry.attacks import BY, put
from tests.registry.examples import KEY


class Kafka:
    """Keeps what is published; away where told."""

    def __init__(self) -> None:
        self.away = False
        self.records: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.away:
            raise PublishFailed("away")
        self.records += records

    @property
    def said(self) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        for record in self.records:
            assert record.value is not None
            event: Any = decode(record.topic, record.headers, record.value)
            assert isinstance(event, AlarmEvent)
            found.append((event.status, event.model, event.reason or ""))
        return found


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


async def test_of_many_models_each_has_its_turn(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "MOST", 2)
    redis = Redis.from_url(url)
    redis.flushall()
    # Given five models
    names = [f"m{n}" for n in range(5)]
    registry = ModelRegistry(redis, key=KEY)
    for name in names:
        registry.allocate(name, "token")
    assert registry.models() == names
    settings = Settings.model_validate({"redis": {"url": url}, "state": {"key": KEY.decode()}})
    made = Audits(settings, publisher=Kafka(), telemetry=WorkerTelemetry())
    seen: list[str] = []
    monkeypatch.setattr(made._auditor, "look", seen.append)
    # When it looks four times, Then all were looked at, and the first ones again
    for _ in range(4):
        await made.look()
    assert seen == [*names, *names[:2]]
    redis.close()


async def test_a_damaged_champion_is_said_once_and_its_end_too(url: str) -> None:
    # Given two models, one of them damaged in the store
    redis, kafka, telemetry = Redis.from_url(url), Kafka(), WorkerTelemetry()
    registry = ModelRegistry(redis, key=KEY)
    put(registry, 50)
    registry.promote("fraud", 1, expected=None, **BY)
    settings = Settings.model_validate({"redis": {"url": url}, "state": {"key": KEY.decode()}})
    good = registry.envelope("fraud", 1)
    redis.set(model_key("fraud", "artefact:1"), good[:-1])
    # When Kafka is away
    own = Audits(settings, publisher=kafka, telemetry=telemetry)
    kafka.away = True
    with pytest.raises(PublishFailed):
        await own.look()
    # Then it is said when Kafka is back, and said once, also by another learner
    kafka.away = False
    await own.look()
    await own.look()
    other = Audits(settings, publisher=kafka, telemetry=telemetry)
    await other.look()
    assert kafka.said == [("firing", "fraud", "format")]
    # And when it is put right, the other learner may say that
    redis.set(model_key("fraud", "artefact:1"), good)
    await other.look()
    await own.look()
    assert kafka.said[1:] == [("resolved", "fraud", "format")]
    # (each learner counts what it saw itself)
    assert +telemetry.artefacts_refused == {("fraud", "format"): 2}
    # and shows what it has not seen, so that a first one is a rise
    assert telemetry.artefacts_refused.keys() >= {("fraud", reason) for reason in REASONS}
    redis.close()
