"""Producers that misbehave: bounded state, everything counted, the neighbours unharmed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamgauge.monitor import catalogue, partition_monitor, step
from streamgauge.processing import LogRecord, StateError
from streamgauge.state.keys import model_id
from streamgauge.state.views import ModelView
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor, prediction, record


def view_of(subject: Any, model: str = "fraud") -> ModelView:
    return ModelView.model_validate_json(subject.dirty().views[model_id(model)])


def test_models_beyond_the_catalogue_are_counted_and_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partition_monitor, "MOST_MODELS", 3)
    records = [prediction(i, START + i / 100, {"x": 1.0}, model=f"m{i % 10}") for i in range(1_000)]
    subject = monitor()
    counts = drive(subject, records).counts
    changes = subject.dirty()
    assert counts == {("prediction", "ok"): 300, ("prediction", "skipped"): 700}
    assert changes.gauges == {"models": 3.0, "models_dropped": 700.0}
    assert len(changes.views) == 3


def test_features_beyond_the_catalogue_do_not_grow_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step, "MOST_FEATURES", 5)
    records = [prediction(i, START + i / 100, {"x": 1.0, f"f{i}": 2.0}) for i in range(500)]
    subject = monitor()
    assert drive(subject, records).counts == {("prediction", "ok"): 500}
    names = [f.name for f in view_of(subject).series[0].features]
    assert names[:5] == ["f0", "x", "f1", "f2", "f3"] and "f4" not in names


def test_versions_that_look_like_pods_do_not_grow_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "MOST_VERSIONS", 4)
    records = stream(2_000, version=lambda i: f"pod-{i // 20}")
    subject = monitor()
    assert drive(subject, records).counts == {("prediction", "ok"): 2_000}
    view = view_of(subject)
    assert len([series for series in view.series if series.version != "_other"]) <= 4
    assert sum(series.counts["ok"] for series in view.series) == 2_000, "none is lost from the sum"
    assert view.unmonitored > 0


def test_hostile_records_die_with_a_reason_and_the_good_ones_all_count() -> None:
    # Given a good stream with every kind of rubbish in between
    rubbish: list[tuple[bytes | None, str]] = [
        (None, "decode"),
        (b"\xff\xfe", "decode"),
        (b"{", "decode"),
        (b"x" * (2 * 1024 * 1024), "too_large"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "too_large"),
        (b'{"prediction_id":"p","model":"fraud","version":"1","output":NaN}', "decode"),
        (b'{"prediction_id":"p","model":"fraud","version":"1"}', "schema"),
        (b'{"prediction_id":1,"model":"fraud","version":"1","output":1}', "schema"),
        (
            b'{"prediction_id":"p","model":"fraud","version":"1","output":1,"timestamp":-1}',
            "schema",
        ),
        (
            b'{"prediction_id":"p","model":"fraud","version":"1","output":1,"timestamp":1.79e12}',
            "schema",
        ),
        (
            b'{"prediction_id":"p","model":"fraud","version":"1","output":1,"timestamp":4102444800}',
            "future",
        ),
    ]
    good = stream(1_000)
    log: list[LogRecord] = []
    for i, each in enumerate(good):
        log.append(each._replace(offset=len(log)))
        if i % 50 == 0:
            value, _ = rubbish[(i // 50) % len(rubbish)]
            log.append(record(len(log), value, each.timestamp or 0.0))
    # When all of it is processed
    effects = drive(monitor(), log)
    # Then each has its reason and its bytes, and the good ones all count
    expected = [rubbish[i % len(rubbish)][1] for i in range(20)]
    reasons = [letter.reason for letter in effects.dead_letters]
    for letter, reason in zip(effects.dead_letters, expected, strict=True):
        assert letter.reason == reason or (letter.reason, reason) == ("schema", "decode")
        assert letter.error
    assert len(reasons) == 20
    assert effects.counts == {("prediction", "ok"): 1_000, ("prediction", "dead"): 20}


def test_extreme_numbers_leave_no_nan_in_the_view() -> None:
    extremes = [1e308, -1e308, 5e-324, -0.0, 1e-300, 0.0]
    records = [
        prediction(i, START + i / 200, {"x": extremes[i % 6]}, output=extremes[(i + 1) % 6])
        for i in range(8_000)
    ]
    subject = monitor()
    drive(subject, records)
    text = next(iter(subject.dirty().views.values()))
    assert b"NaN" not in text and b"Infinity" not in text
    assert orjson.loads(text)["series"][0]["counts"]["ok"] == 8_000


def test_after_poison_a_shift_is_still_found() -> None:
    def poisoned(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        features = fields["features"]
        if i % 100 == 0:
            features["x0"] = [1e308, -1e308, 5e-324, None][(i // 100) % 4]
        if i >= 12_000:
            features["x0"] = (features["x0"] or 0.0) + 5
        return {}

    events = drive(monitor(), stream(16_000, fault=poisoned)).events
    assert "x0" in {getattr(event, "feature", None) for event in events}


def test_too_few_events_say_so_and_do_not_look_healthy() -> None:
    slow = {
        "defaults": {
            "pane": 1.0,
            "min_duration": 5.0,
            "min_events": 500,
            "max_duration": 20.0,
            "grace": 0.0,
        }
    }
    subject = monitor(overrides=slow)
    drive(subject, stream(200, rate=2.0))
    series = view_of(subject).series[0]
    assert (series.state, series.window_n) == ("too_few", 40)
    assert "500" in series.reason


def test_an_independent_recount_agrees_with_the_view() -> None:
    records = stream(3_000, version=lambda i: "12"[i % 2])
    events = [orjson.loads(each.value or b"") for each in records]
    subject = monitor()
    drive(subject, records)
    view = view_of(subject)
    for series in view.series:
        own = [e for e in events if e["version"] == series.version]
        assert series.counts == {"ok": len(own), "error": 0, "fallback": 0}
        assert series.latency_sum == pytest.approx(sum(e["latency_ms"] for e in own) / 1000)
        assert series.latency_buckets["+Inf"] == len(own)
        for bound, count in series.latency_buckets.items():
            assert count == sum(e["latency_ms"] / 1000 <= float(bound) for e in own)


def test_a_damaged_blob_is_refused() -> None:
    subject = monitor()
    drive(subject, stream(100))
    blobs = dict(subject.dirty().blobs)
    field = model_id("fraud")
    blobs[field] = blobs[field][:-1] + bytes([blobs[field][-1] ^ 1])
    with pytest.raises(StateError, match="damaged, forged, or another key"):
        monitor().restore(blobs)
