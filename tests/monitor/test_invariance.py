"""However the log is cut, and wherever a worker dies: the same state, alarms and dead letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamgauge.monitor import (
    Configuration,
    PartitionMonitor,
    catalogue,
    feature_budget,
    partition_monitor,
    step,
)
from streamgauge.processing import Effects, LogRecord
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.generate import stream
from tests.monitor.streams import QUICK, START, drive, monitor, prediction, record

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


def crowded_log() -> list[LogRecord]:
    """More models, versions, steps and features than there is room for, in the way of each other.

    Among them free text with numbers in it, and a model whose spec changes while others go on.
    """
    rng = np.random.default_rng(11)
    records: list[LogRecord] = []
    for i in range(4_000):
        at = START + i / 100
        model = "m1" if rng.random() < 0.5 else f"m{int(rng.integers(9))}"
        features: dict[str, Any] = {
            "text": float(i) if rng.random() < 0.1 else f"{rng.random()}",
            "number": float(rng.normal()) if rng.random() > 0.05 else "N/A",
        }
        if rng.random() < 0.02:
            features[f"f{int(rng.integers(400))}"] = 1.0
        version = f"{i // 400 + int(rng.integers(2))}"
        step = f"s{int(rng.integers(5))}" if rng.random() < 0.1 else None
        if rng.random() < 0.05:
            label = {"prediction_id": "a", "model": f"l{int(rng.integers(9))}", "label": 1}
            records.append(record(i, orjson.dumps(label), at, topic="streamgauge.labels"))
            continue
        status = "error" if i > 2_000 and model == "m1" else "ok"
        records.append(
            prediction(i, at, features, model=model, version=version, step=step, status=status)
        )
    return records


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_monitor, "MOST_MODELS", 8)
    monkeypatch.setattr(catalogue, "MOST_VERSIONS", 4)
    monkeypatch.setattr(catalogue, "MOST_STEPS", 3)
    monkeypatch.setattr(step, "MOST_FEATURES", 12)
    monkeypatch.setattr(feature_budget.FeatureBudget.__init__, "__defaults__", (60,))


def specified() -> PartitionMonitor:
    """Specs that take effect in the middle: another pane, a range, a type, a feature ignored."""
    documents: list[dict[str, Any]] = [
        {"model": "m1", "features": {"number": {"range": [-1, 1]}}},
        {"model": "m2", "features": {"number": {"type": "categorical"}}},
        {"model": "m3", "defaults": {"pane": "2s"}},
        {"model": "m4", "features": {"text": {"ignore": True}}, "owner": "me"},
    ]
    versions = [
        Configuration(
            ModelSpec.from_document(document).over(QUICK),
            number=1,
            effective_at=START + 12.345 + 3 * i,
        )
        for i, document in enumerate(documents)
    ]
    return monitor(*versions)


def test_places_and_specs_are_given_in_log_order_however_it_is_cut(no_room: None) -> None:
    log = crowded_log()
    subject = specified()
    whole = (outcome(drive(subject, log)), dict(subject.dirty().blobs))
    assert whole[0][0], "the log must raise alarms, or nothing is shown"
    assert whole[0][2][("prediction", "skipped")] > 0
    for cuts in (range(1, len(log)), range(1, len(log), 7), range(100, len(log), 333)):
        subject = specified()
        assert (outcome(drive(subject, log, cuts)), dict(subject.dirty().blobs)) == whole
    # And over restarts.
    kept: dict[str, bytes] = {}
    effects = Effects()
    for start in range(0, len(log), 250):
        subject = specified()
        subject.restore(kept)
        effects.extend(subject.process(log[start : start + 250]))
        kept |= subject.dirty().blobs
    assert (outcome(effects), kept) == whole
