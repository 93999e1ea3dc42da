"""KServe's payload logger: two events with one id become a prediction, within bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamgauge.ingest.kserve import REQUEST, RESPONSE, Half
from streamgauge.ingest.pairing import Pair, Pairing
from streamgauge.ingest.posted import Posted, Refusal
from tests.ingest.conftest import NOW, Bench

ASKED = {"instances": [{"age": 41}]}
SAID = {"predictions": ["good"]}
TIME = "2023-11-14T22:13:19Z"


def half(
    event_type: str,
    body: Any,
    *,
    call: str = "c-1",
    index: int = 0,
    **attributes: str,
) -> Posted:
    told = {
        "id": call,
        "inferenceservicename": "credit",
        "namespace": "bank",
        "component": "predictor",
        "endpoint": "default",
        "source": "http://localhost:9081/",
        "time": TIME,
        **attributes,
    }
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {f"ce_{name}": value.encode() for name, value in told.items()}
    return Posted(index, event_type, named, payload)


async def test_a_request_and_its_response_become_one_prediction(bench: Bench) -> None:
    first = await bench.intake.take([half(REQUEST, ASKED)])
    assert (first.accepted, bench.log.records) == (1, [])
    second = await bench.intake.take([half(RESPONSE, SAID, time="2023-11-14T22:13:20Z")])
    assert (second.accepted, second.prediction_ids) == (1, ["c-1"])
    assert bench.log.events == [
        {
            "prediction_id": "c-1",
            "model": "credit",
            "version": "default",
            "timestamp": TIME,
            "tags": {"namespace": "bank"},
            "features": {"age": 41},
            "output": "good",
        }
    ]
    (record,) = bench.log.records
    assert record.key == b"credit"
    assert dict(record.headers)["ce_source"] == b"http://localhost:9081/"
    assert bench.counted() == {"joined": 1}


async def test_the_order_does_not_matter_and_both_may_come_at_once(bench: Bench) -> None:
    outcome = await bench.intake.take(
        [half(RESPONSE, SAID), half(REQUEST, ASKED, index=1), half(REQUEST, ASKED, call="other")]
    )
    assert (outcome.accepted, outcome.refused) == (3, [])
    assert [event["features"] for event in bench.log.events] == [{"age": 41}]
    assert bench.log.events[0]["timestamp"] == TIME


async def test_what_the_attributes_become(bench: Bench) -> None:
    told: dict[str, Any] = {"component": "transformer", "endpoint": "canary"}
    answer = {
        "model_version": "3.1",
        "outputs": [{"name": "y", "shape": [2], "datatype": "FP32", "data": [0.25, 0.5]}],
    }
    await bench.intake.take([half(RESPONSE, answer, **told)])
    await bench.intake.take(
        [half(REQUEST, {"inputs": [{"name": "x", "shape": [2], "data": [1, 2]}]}, **told)]
    )
    first, second = bench.log.events
    assert (first["prediction_id"], second["prediction_id"]) == ("c-1-0", "c-1-1")
    assert (first["version"], first["variant"], first["step"]) == ("3.1", "canary", "transformer")
    assert (second["features"], second["output"]) == ({"x": 2}, 0.5)


async def test_steps_of_a_service_share_an_id_and_are_not_mixed_up(bench: Bench) -> None:
    await bench.intake.take([half(REQUEST, ASKED, component="transformer")])
    await bench.intake.take([half(RESPONSE, SAID, component="predictor")])
    assert bench.log.records == []
    assert len(bench.pairing) == 2


async def test_a_lone_response_becomes_a_prediction_and_a_lone_request_is_counted(
    bench: Bench,
) -> None:
    await bench.intake.take([half(REQUEST, ASKED, call="a"), half(RESPONSE, SAID, call="b")])
    # When nothing comes for as long as halves wait
    bench.clock.now = NOW + 29.9
    await bench.intake.release()
    assert bench.log.records == []
    bench.clock.now = NOW + 30
    await bench.intake.release()
    # Then what the model said is known, and of what it was given nothing
    assert [(event["prediction_id"], event["features"]) for event in bench.log.events] == [
        ("b", {})
    ]
    assert bench.counted() == {"lone_request": 1, "lone_response": 1}
    # And the request that comes at last makes no second prediction
    await bench.intake.take([half(REQUEST, ASKED, call="b")])
    bench.clock.now = NOW + 100
    await bench.intake.release()
    assert len(bench.log.records) == 1


async def test_a_half_that_is_sent_again_makes_no_second_prediction(bench: Bench) -> None:
    for each in (half(REQUEST, ASKED), half(REQUEST, ASKED), half(RESPONSE, SAID)):
        await bench.intake.take([each])
    outcome = await bench.intake.take([half(RESPONSE, SAID)])
    assert outcome.accepted == 1
    bench.clock.now = NOW + 31
    await bench.intake.release()
    assert len(bench.log.records) == 1
    assert bench.counted() == {"joined": 1, "repeated": 2}


async def test_a_pair_that_kafka_did_not_take_may_be_completed_again(bench: Bench) -> None:
    await bench.intake.take([half(REQUEST, ASKED)])
    bench.log.problem = "MSG_TIMED_OUT"
    outcome = await bench.intake.take([half(RESPONSE, SAID)])
    assert (outcome.accepted, "MSG_TIMED_OUT" in outcome.unavailable) == (0, True)
    # When Kafka is back and the response is posted again, Then its request is still there
    bench.log.problem = ""
    await bench.intake.take([half(RESPONSE, SAID)])
    assert bench.log.events[0]["features"] == {"age": 41}


async def test_lone_responses_that_kafka_does_not_take_are_counted(bench: Bench) -> None:
    await bench.intake.take([half(RESPONSE, SAID)])
    bench.log.problem = "MSG_TIMED_OUT"
    bench.clock.now = NOW + 31
    await bench.intake.release()
    assert bench.counted() == {"lone_response": 1, "lost": 1}


@pytest.mark.parametrize(
    ("response", "reason", "field"),
    [
        (b"\x00binary", "decode", "response"),
        ([1], "schema", "response"),
        ({}, "schema", "response"),
        ({"predictions": [1, 2]}, "schema", "predictions"),
    ],
)
async def test_what_can_not_be_mapped_is_refused(
    bench: Bench, response: Any, reason: str, field: str
) -> None:
    await bench.intake.take([half(REQUEST, ASKED)])
    outcome = await bench.intake.take([half(RESPONSE, response)])
    assert outcome.accepted == 0
    (refusal,) = outcome.refused
    assert (refusal.reason, refusal.field) == (reason, field)


async def test_an_event_without_its_service_or_id_is_refused(bench: Bench) -> None:
    for name in ("inferenceservicename", "id"):
        emptied: dict[str, Any] = {name: ""}
        outcome = await bench.intake.take([half(REQUEST, ASKED, **emptied)])
        assert isinstance(outcome.refused[0], Refusal)
        assert outcome.refused[0].field == f"ce-{name}"


async def test_an_event_time_of_the_logger_is_checked_as_any_other(bench: Bench) -> None:
    await bench.intake.take([half(REQUEST, ASKED, time="2033-01-01T00:00:00Z")])
    outcome = await bench.intake.take([half(RESPONSE, SAID)])
    assert outcome.refused[0].reason == "future"


def halves(number: int, *, size: int = 10, response: bool = False) -> Half:
    posted = half(RESPONSE if response else REQUEST, b"x" * size, call=str(number))
    return Half((str(number).encode(),), response, posted)


class TestBounds:
    def pairing(self, counted: list[str], **limits: Any) -> Pairing:
        told = {"seconds": 10.0, "max_halves": 3, "max_bytes": 100_000, **limits}
        return Pairing(count=counted.append, **told)

    def test_the_oldest_goes_when_there_are_too_many(self) -> None:
        counted: list[str] = []
        pairing = self.pairing(counted)
        for number in range(5):
            pairing.put(halves(number, response=number == 0), now=0.0)
        assert counted == ["evicted_response", "evicted_request"]
        assert len(pairing) == 3

    def test_bytes_are_bounded_too(self) -> None:
        counted: list[str] = []
        pairing = self.pairing(counted, max_halves=100, max_bytes=10_000)
        for number in range(50):
            pairing.put(halves(number, size=2_000), now=0.0)
            assert pairing.bytes_held <= 10_000
        assert len(pairing) == 3
        # And what is larger than everything is not held at all
        pairing.put(halves(99, size=20_000), now=0.0)
        assert (len(pairing), pairing.bytes_held) == (0, 0)

    def test_nothing_is_left_behind(self) -> None:
        pairing = self.pairing([])
        request, response = halves(1), halves(1, response=True)
        pairing.put(request, now=0.0)
        pair = pairing.put(response, now=1.0)
        assert pair == Pair(request, response)
        pairing.put_back(pair, missing=response, now=2.0)
        assert pairing.put(response, now=3.0) == pair
        assert pairing.expired(now=100.0) == []
        assert (len(pairing), pairing.bytes_held, len(pairing._done)) == (0, 0, 0)
