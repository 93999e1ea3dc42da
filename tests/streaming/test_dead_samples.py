"""The last dead letters of each reason are kept with the checkpoint, without what they hold."""

from __future__ import annotations

import pytest

from streamgauge.batch.decode import decode_records
from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.state.keys import model_id
from streamgauge.state.views import DeadSampleView, PartitionView
from streamgauge.streaming.dead_samples import MOST_CHARACTERS, MOST_SAMPLES, keep_samples
from streamgauge.streaming.meta import Meta
from tests.streaming.fakes import PREDICTIONS, FakeLog, Rig


def letter(offset: int, reason: str = "schema", **fields: object) -> DeadLetter:
    values = {"key": b"fraud", "value": b"canary-value", "headers": (), **fields}
    error = str(values.pop("error", "output: missing"))
    record = LogRecord("t", 1, offset, 5.0, **values)  # type: ignore[arg-type]
    return DeadLetter(record, reason, error)


def traceparent(digit: str) -> bytes:
    return f"00-{digit * 32}-{'1' * 16}-01".encode()


def offsets(kept: dict[str, list[DeadSampleView]]) -> dict[str, list[int]]:
    return {reason: [each.offset for each in samples] for reason, samples in kept.items()}


def test_the_last_of_each_reason_are_kept_however_the_log_is_cut() -> None:
    letters = [letter(i, "decode" if i % 3 else "schema") for i in range(40)]
    found = []
    for size in (1, 7, 40):
        kept: dict[str, list[DeadSampleView]] = {}
        for start in range(0, len(letters), size):
            keep_samples(kept, letters[start : start + size])
        found.append(offsets(kept))
    assert found[0] == {"schema": [27, 30, 33, 36, 39], "decode": [32, 34, 35, 37, 38]}
    assert found[1:] == found[:1] * 2
    assert {len(each) for each in found[0].values()} == {MOST_SAMPLES}


@pytest.mark.parametrize("key", [b"fraud", b"fraud/3"])
def test_a_sample_says_where_and_why(key: bytes) -> None:
    kept: dict[str, list[DeadSampleView]] = {}
    keep_samples(kept, [letter(7, key=key, error="x" * 9_000)])
    (sample,) = kept["schema"]
    assert (sample.topic, sample.partition, sample.offset, sample.timestamp) == ("t", 1, 7, 5.0)
    assert (sample.bytes, sample.model_id) == (len(b"canary-value"), model_id("fraud"))
    assert sample.error == "x" * MOST_CHARACTERS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ce_traceparent": traceparent("a"), "traceparent": traceparent("b")}, "a" * 32),
        ({"traceparent": traceparent("b")}, "b" * 32),
        ({"traceparent": b"canary"}, None),
        ({}, None),
    ],
)
def test_a_sample_leads_to_its_trace(headers: dict[str, bytes], expected: str | None) -> None:
    kept: dict[str, list[DeadSampleView]] = {}
    keep_samples(kept, [letter(7, headers=tuple(headers.items()))])
    assert kept["schema"][0].trace_id == expected


def test_nothing_that_a_record_holds_goes_through_redis() -> None:
    # Given records that are refused for what is in every part of them
    values = [
        b'{"prediction_id": "canary-id", "output": "canary-output", "model": 7}',
        b'{"canary-broken',
        b"canary-\xff",
        b'{"prediction_id":"1","model":"m","version":"1","output":1,"status":"canary-status"}',
    ]
    log = [
        LogRecord("streamgauge.predictions", 0, i, 5.0, b"canary-key", (("canary", b"canary"),), v)
        for i, v in enumerate(values)
    ]
    letters = [each for _, each in decode_records(log).dead]
    # and one on which the code failed, with the value in what it said
    letters.append(letter(9, "handler", error="the processor raised KeyError('canary-error')"))
    assert len(letters) == 5
    meta = Meta()
    keep_samples(meta.dead_samples, letters)
    view = meta.view(0, {}, {}, 1, lag=0)
    assert sum(map(len, view.dead_samples.values())) == 5
    # Then neither the checkpoint nor the view holds any of it
    assert b"canary" not in meta.to_bytes()
    assert "canary" not in view.model_dump_json()


async def test_samples_outlive_their_worker() -> None:
    log = FakeLog()
    log.append(PREDICTIONS, 2)
    log.append(PREDICTIONS, value=b"raise")
    rig = Rig(log=log)
    async with rig:
        await rig.until(lambda: rig.durable().get(PREDICTIONS) == 3)
    view = PartitionView.model_validate_json(rig.store.views(0)["_"])
    assert offsets(view.dead_samples) == {"handler": [2]}
    stored = Meta.from_bytes((await rig.store.load(0)).meta or b"")
    assert stored.dead_samples == view.dead_samples
