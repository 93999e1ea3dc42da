"""Privacy once more at the door: what a model's spec forbids never reaches the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from services.stack.redis_server import EmbeddedRedis
from streamgauge.ingest.kserve import REQUEST, RESPONSE
from streamgauge.ingest.posted import Posted
from streamgauge.ingest.privacy import Policies, PolicyUnusable
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.version import SpecVersion
from streamgauge.state.spec_store import SpecStore
from streamgauge_client.privacy import PrivacyPolicy
from tests.ingest.conftest import NOW, Bench

CANARY = "anna.canary@example.org"
FIELDS: dict[str, Any] = {
    "mail": "hash",
    "name": "drop",
    "age": {"bucket": 10},
    "country": {"bucket": [0, 18]},
}


def version(number: int = 1, *, model: str = "credit", **spec: Any) -> SpecVersion:
    return SpecVersion(
        number=number,
        effective_at=NOW,
        spec=ModelSpec.from_document({"model": model, **spec}),
        applied_by="test",
        applied_at=NOW,
    )


def posted(event: dict[str, Any], kind: str = "prediction") -> Posted:
    return Posted(0, f"streamgauge.{kind}.v1", {}, orjson.dumps(event))


async def test_a_policy_is_applied_before_the_log(bench: Bench, prediction: dict[str, Any]) -> None:
    bench.policies.take([version(privacy=FIELDS)])
    event = prediction | {
        "features": {"mail": CANARY, "name": CANARY, "age": 47, "amount": 1.5, "country": "de"},
        "segment": {"mail": CANARY, "region": "north"},
        "tags": {"name": CANARY},
    }
    outcome = await bench.intake.take([posted(event)])
    assert outcome.accepted == 1
    (sent,) = bench.log.events
    expected = PrivacyPolicy.of(FIELDS, key=b"key").apply(event["features"])
    assert sent["features"] == expected == {
        "mail": expected["mail"], "age": 40, "amount": 1.5
    }  # fmt: skip
    assert sent["segment"] == {"mail": expected["mail"], "region": "north"}
    assert sent["tags"] == {}
    assert CANARY.encode() not in bench.log.records[0].value
    # And a client that has applied it already changes nothing by that
    await bench.intake.take([posted(sent)])
    assert bench.log.events[1] == sent


async def test_other_models_and_other_events_pass_byte_for_byte(
    bench: Bench, prediction: dict[str, Any]
) -> None:
    bench.policies.take([version(privacy={"*": "drop"})])
    spaced = orjson.dumps(prediction | {"model": "other"}, option=orjson.OPT_INDENT_2)
    await bench.intake.take([Posted(0, "streamgauge.prediction.v1", {}, spaced)])
    label = orjson.dumps({"prediction_id": "p", "model": "credit", "label": 1})
    await bench.intake.take([Posted(0, "streamgauge.label.v1", {}, label)])
    assert [record.value for record in bench.log.records] == [spaced, label]


async def test_a_duplicate_field_does_not_slip_through(bench: Bench) -> None:
    bench.policies.take([version(privacy={"mail": "drop"})])
    value = (
        b'{"prediction_id":"p","model":"credit","version":"1","output":1,'
        b'"features":{"mail":"' + CANARY.encode() + b'"},"features":{"a":1}}'
    )
    await bench.intake.take([Posted(0, "streamgauge.prediction.v1", {}, value)])
    assert bench.log.events[0]["features"] == {"a": 1}
    assert CANARY.encode() not in bench.log.records[0].value


async def test_the_policy_of_a_tensor_is_that_of_its_parts(bench: Bench) -> None:
    bench.policies.take([version(privacy={"face": "drop", "user": "hash"})])
    told = {"ce_id": b"c", "ce_inferenceservicename": b"credit"}
    instance = {"face": [[0.5] * 4, [1.0] * 4], "user": {"mail": CANARY}, "amount": 2}
    asked = orjson.dumps({"instances": [instance]})
    await bench.intake.take([Posted(0, REQUEST, told, asked)])
    await bench.intake.take([Posted(0, RESPONSE, told, b'{"predictions":[1]}')])
    (sent,) = bench.log.events
    assert sent["features"].keys() == {"user.mail", "amount"}
    assert sent["features"]["user.mail"].startswith("h:")


async def test_a_policy_that_can_not_be_applied_stops_its_model_and_no_other(
    bench: Bench, prediction: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    policies = Policies(key=None)
    policies.take([version(privacy={"mail": "hash"})])
    assert "STREAMGAUGE_PRIVACY__KEY" in caplog.text
    with pytest.raises(PolicyUnusable, match="credit"):
        policies.applied("credit", "prediction", b"{}", lambda name: None)
    assert policies.applied("other", "prediction", b"{}", lambda name: None) == b"{}"
    # A sender is told to come again, and a later spec sets it right
    bench.intake._policies = policies
    outcome = await bench.intake.take([posted(prediction)])
    assert (outcome.accepted, "no key" in outcome.unavailable) == (0, True)
    policies.take([version(2)])
    assert (await bench.intake.take([posted(prediction)])).accepted == 1


def test_columns_of_a_batch_are_protected_value_by_value() -> None:
    policies = Policies(key=b"key")
    policies.take([version(privacy=FIELDS)])
    unfit: list[str] = []
    value = orjson.dumps(
        {
            "prediction_id": ["a", "b", "c"],
            "features": {
                "mail": ["x", None, "y"],
                "name": [CANARY] * 3,
                "age": [47, "?", 12],
                "amount": [1, 2, 3],
            },
            "segment": {"mail": CANARY, "region": "north"},
            "entity_id": ["e", "f", "g"],
        }
    )
    sent = orjson.loads(policies.applied("credit", "prediction_batch", value, unfit.append))
    assert sent["features"]["age"] == [40, None, 10]
    assert sent["features"].keys() == {"mail", "age", "amount"}
    assert sent["features"]["mail"][1] is None
    assert sent["segment"].keys() == {"mail", "region"}
    assert sent["entity_id"] == ["e", "f", "g"]
    assert unfit == ["age"]


async def test_shards_follow_from_the_spec(bench: Bench, prediction: dict[str, Any]) -> None:
    bench.policies.take([version(shards=4)])
    for number in range(20):
        await bench.intake.take([posted(prediction | {"prediction_id": str(number)})])
    keys = {record.key for record in bench.log.records}
    assert keys == {f"credit/{shard}".encode() for shard in range(4)}


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    with EmbeddedRedis("fake") as server:
        client: Redis = Redis.from_url(server.url)
        try:
            yield client
        finally:
            await client.aclose()


async def test_specs_are_read_from_redis_and_outlive_it(
    redis: Redis, prediction: dict[str, Any]
) -> None:
    from redis import Redis as Blocking

    policies = Policies(key=b"key")
    assert not policies.known
    # Given an empty Redis, it is known that there is nothing to know
    await policies.refresh(redis)
    assert policies.known
    kept = orjson.dumps(prediction)
    assert policies.applied("credit", "prediction", kept, lambda name: None) == kept
    # When a spec is applied, and then another
    where = redis.connection_pool.connection_kwargs
    store = SpecStore(Blocking(host=where["host"], port=where["port"]))
    for privacy, left in ({"age": "drop"}, {"country"}), ({"country": "drop"}, {"age"}):
        spec = ModelSpec.from_document({"model": "credit", "privacy": privacy})
        store.apply(spec, now=NOW, by="test")
        await policies.refresh(redis)
        sent = orjson.loads(policies.applied("credit", "prediction", kept, lambda name: None))
        assert sent["features"].keys() == left
    store._redis.close()
