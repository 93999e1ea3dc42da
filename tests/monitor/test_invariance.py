"""However the log is cut, and wherever a worker dies: the same state, alarms and dead letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamgauge.processing import Effects, LogRecord
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor, record

HOSTILE = [
    None,
    b"",
    b"\xff\xfe",
    b"{",
    b"[" * 10_000,
    b'{"prediction_id": "a"}',
    b'{"prediction_id":"a","model":"m","version":"1","output":NaN}',
    b'{"prediction_id":"a","model":"m","version":"1","output":1,"timestamp":-5}',
    b'{"prediction_id":"a","model":"m","version":"1","output":1,"timestamp":4102444800}',
    b'{"prediction_id":"a","model":"m","version":"1","output":1,"timestamp":1790000000000}',
]


def mixed_log() -> list[LogRecord]:
    """Two models, three versions, jitter, late events, new features, types that change, rubbish."""
    rng = np.random.default_rng(3)

    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        features = fields["features"]
        if i >= 700:
            features["late_comer"] = float(i % 7)
        if i % 11 == 0:
            features["x0"] = None
        if i % 13 == 0:
            features["x1"] = "text"
        if i > 4_200:
            features["x2"] = features["x2"] + 6
        features["vector"] = [1.0] * (i % 5)
        features["free"] = f"id-{i}"
        return {
            "status": "error" if i > 5_000 and i % 3 == 0 else "ok",
            "step": "b" if i % 50 == 0 else None,
        }

    first = stream(6_000, fault=fault, rate=200.0, version=lambda i: "12"[i % 2])
    second = stream(600, model="other", rate=20.0, seed=9, version=lambda i: f"{i // 250}")
    merged: list[LogRecord] = []
    for each in sorted([*first, *second], key=lambda r: r.timestamp or 0.0):
        event = orjson.loads(each.value or b"")
        recorded = (each.timestamp or 0.0) + float(rng.exponential(0.2))
        event["timestamp"] += -float(rng.exponential(3.0)) if rng.random() < 0.05 else 0.0
        merged.append(record(0, orjson.dumps(event), recorded))
        if rng.random() < 0.02:
            merged.append(record(0, HOSTILE[int(rng.integers(len(HOSTILE)))], recorded))
        if rng.random() < 0.02:
            label = {"prediction_id": "a", "model": "fraud", "label": True}
            merged.append(record(0, orjson.dumps(label), recorded + 50, topic="streamgauge.labels"))
    return [each._replace(offset=i) for i, each in enumerate(merged)]


@pytest.fixture(scope="module")
def log() -> list[LogRecord]:
    return mixed_log()


def outcome(effects: Effects) -> tuple[list[bytes], list[tuple[int, str]], dict[Any, int]]:
    events = [event.model_dump_json().encode() for event in effects.events]
    return (
        sorted(events),
        [(letter.record.offset, letter.reason) for letter in effects.dead_letters],
        effects.counts,
    )


@pytest.fixture(scope="module")
def whole(log: list[LogRecord]) -> tuple[Any, dict[str, bytes]]:
    subject = monitor()
    effects = drive(subject, log)
    assert any(event for event in effects.events), "the log must raise alarms, or nothing is shown"
    return outcome(effects), dict(subject.dirty().blobs)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_cut_gives_the_same_bytes(
    data: st.DataObject, log: list[LogRecord], whole: tuple[Any, dict[str, bytes]]
) -> None:
    cuts = data.draw(st.lists(st.integers(1, len(log) - 1), max_size=40))
    subject = monitor()
    effects = drive(subject, log, cuts)
    assert (outcome(effects), dict(subject.dirty().blobs)) == whole


def test_record_by_record_gives_the_same_bytes(
    log: list[LogRecord], whole: tuple[Any, dict[str, bytes]]
) -> None:
    subject = monitor()
    effects = drive(subject, log, range(1, len(log)))
    assert (outcome(effects), dict(subject.dirty().blobs)) == whole


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_worker_that_dies_and_restores_goes_on_identically(
    data: st.DataObject, log: list[LogRecord], whole: tuple[Any, dict[str, bytes]]
) -> None:
    deaths = sorted(data.draw(st.sets(st.integers(1, len(log) - 1), min_size=1, max_size=6)))
    kept: dict[str, bytes] = {}
    effects = Effects()
    for start, end in zip([0, *deaths], [*deaths, len(log)], strict=True):
        subject = monitor()
        subject.restore(kept)
        effects.extend(subject.process(log[start:end]))
        kept |= subject.dirty().blobs
    assert (outcome(effects), kept) == whole


def test_every_record_is_accounted_for(log: list[LogRecord]) -> None:
    counts = drive(monitor(), log).counts
    assert sum(counts.values()) == len(log)
    assert counts[("prediction", "late")] > 0
    assert counts[("prediction", "dead")] > 0
    assert counts[("label", "ok")] > 0


def test_time_that_passes_without_events_closes_windows() -> None:
    # Given errors in the last seconds before everything falls silent
    def fail(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"status": "error"} if i >= 2_900 else {}

    subject = monitor()
    before = drive(subject, stream(3_000, fault=fail)).events
    # When the clock runs on at the end of the log
    after = subject.advance(START + 60).events
    # Then what was open is judged
    assert (before, [event.model_dump()["kind"] for event in after]) == ([], [])
    assert subject.dirty().views
