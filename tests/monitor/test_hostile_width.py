"""Producers that mean harm, in all the new places: nothing breaks, state stays bounded."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import orjson
import pytest

from streamgauge.batch.limits import MAX_BATCH_BYTES
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.state.keys import model_id
from streamgauge.state.views import ModelView
from tests.monitor.generate import stream
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.telling import (
    PREDICTIONS,
    alarms,
    feedback,
    heartbeat,
    merged,
    numbers,
    spec,
    told,
    view,
)

NAMES = [
    "a\nb",
    "tab\tand\x00null\x1b[31m",
    "\u202eevil\u2066",
    "rule of-age",
    "rule ",
    "len(x0)",
    "len(len(x0))",
    "output",
    "output.score",
    "output.latency",
    "input.anomaly",
    "prediction_id",
    "errors",
    "timestamp",
    "_other",
    "@unusual",
    "x" * 128,
    "🦆" * 64,
    "<script>alert(1)</script>",
    "{model} %s %(x)s",
]


def restarted(subject: PartitionMonitor, *versions: Any) -> PartitionMonitor:
    """Another worker with the first one's state: what can't be written or read fails here."""
    blobs = dict(subject.dirty().blobs)
    other = monitor(*versions)
    other.restore(blobs)
    return other


def size(subject: PartitionMonitor, model: str = "fraud") -> int:
    """Bytes of a model's state, all of it."""
    blobs = subject.dirty().blobs
    field = model_id(model)
    return len(blobs[field]) + len(blobs.get(field + ".slow", b""))


def readable(summary: str) -> bool:
    """One line, without control characters and what turns the reading around."""
    return len(summary) <= 1000 and all(
        char.isprintable() and not 0x202A <= ord(char) <= 0x202E for char in summary
    )


def test_hostile_names_of_features_are_watched_or_left_out_and_alarms_stay_readable() -> None:
    # Given features with names of all kinds, that all move
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        shift = 5.0 * (i >= 6_000)
        fields["features"] |= {name: fields["features"]["x0"] + shift for name in NAMES}
        return {}

    subject = monitor()
    log = stream(8_000, rate=100.0, features=2, fault=fault)
    found = alarms(drive(subject, log[:7_000]).events)
    subject = restarted(subject)
    found += alarms(drive(subject, log[7_000:]).events)
    # Then there is one alarm of drift, and one can read it
    drifts = [alarm for alarm in found if alarm.kind == "feature_drift"]
    assert len(drifts) == 1
    for alarm in found:
        assert readable(alarm.summary), repr(alarm.summary)
        assert all(readable(hint) for hint in alarm.evidence.hints)
    shown = view(subject)
    assert shown.features_dropped > 0, "what would hide the monitor's own targets is left out"
    # And the model's own outputs are still what they are
    (series,) = shown.series
    score = next(f for f in series.features if f.name == "output.score")
    assert score.maximum is not None and score.maximum <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_hostile_versions_steps_segments_and_kinds_do_no_harm(name: str) -> None:
    declared = spec(segments={"country": {"max_values": 3}}, silence_after="30s")

    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        failing = i >= 600
        return {
            "step": name,
            "segment": {"country": f"{name}{i % 5}", name: name},
            "status": "error" if failing and i % 2 else "ok",
            "interaction_id": name,
        }

    log = stream(1_000, rate=50.0, features=2, fault=fault, version=lambda _: name)
    acts = [
        feedback(START + i / 20, f"custom:{name[:90]}", interaction_id=name) for i in range(400)
    ]
    subject = monitor(declared)
    found = alarms(drive(subject, merged(log, acts)).events)
    subject = restarted(subject, declared)
    found += alarms(subject.advance(START + 100).events)
    assert {"traffic", "staleness"} <= {alarm.kind for alarm in found}
    assert all(readable(alarm.summary) for alarm in found), [a.summary for a in found]


def test_names_of_ten_kilobytes_are_dead_letters() -> None:
    long = "x" * 10_000
    records = [
        prediction(0, START, {long: 1.0}),
        prediction(1, START, {}, version=long),
        prediction(2, START, {}, step=long),
        prediction(3, START, {}, segment={long: "a"}),
        prediction(4, START, {}, segment={"a": long}),
        feedback(START, f"custom:{long}", prediction_id="p"),
        heartbeat(START, instance=long),
    ]
    effects = drive(monitor(), records)
    assert len(effects.dead_letters) == len(records)
    assert all(len(letter.error) < 1_000 for letter in effects.dead_letters)


def test_a_text_whose_length_is_also_sent_is_one_target_in_any_order() -> None:
    # Given "len(note)" sent beside the note from the start, and elsewhere only later
    def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["note"] = f"text {i}" + "!" * (i % 9)
        if i >= 2_000 * (fields["features"]["x0"] > 99):
            fields["features"]["len(note)"] = 3.0
        return {}

    def late(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        fields["features"]["note"] = f"text {i}" + "!" * (i % 9)
        if i >= 2_000:
            fields["features"]["len(note)"] = 3.0
        return {}

    own, derived = monitor(), monitor()
    drive(own, stream(3_000, rate=100.0, features=2, fault=fault))
    drive(derived, stream(3_000, rate=100.0, features=2, fault=late))
    for subject, mean, dropped in ((own, 3.0, 0), (derived, None, 1_000)):
        shown = view(subject)
        lengths = [f for f in shown.series[0].features if f.name == "len(note)"]
        assert len(lengths) == 1 and shown.features_dropped == dropped
        assert mean is None or lengths[0].mean == mean


# --- how large a state becomes -------------------------------------------------------------------


def test_a_thousand_features_two_hundred_slices_and_fifty_rules_fit_into_a_checkpoint() -> None:
    rules = [{"name": f"r{n}", "check": f"f{n} < 99"} for n in range(50)]
    segments = {f"s{n}": {"max_values": 200} for n in range(8)}
    short: dict[str, Any] = {
        "defaults": {"min_events": 100, "min_duration": 2},
        "reference": {"min_events": 200, "min_duration": 2},
    }
    declared = spec(rules=rules, segments=segments, **short)
    rng = np.random.default_rng(3)
    subject = monitor(declared)
    records = []
    for i in range(1_100):
        values = rng.normal(size=1_000).round(3).tolist()
        records.append(
            prediction(
                i,
                START + i / 50,
                {f"f{n}": value for n, value in enumerate(values)},
                segment={f"s{n}": f"v{int(rng.integers(400))}" for n in range(8)},
            )
        )
    began = time.process_time()
    drive(subject, records, range(0, 1_100, 200))
    assert time.process_time() - began < 30
    changes, field = subject.dirty(), model_id("fraud")
    assert sum(map(len, changes.blobs.values())) < 8 * 2**20
    shown = ModelView.model_validate_json(changes.views[field]).series[0].slices
    assert len(shown) == 80, "ten of each segment"
    assert len(changes.blobs[field + ".slow"]) > 10_000, "references were learned"
    assert len(changes.views[field]) < 8 * 2**20


def test_a_flood_of_feedback_on_a_model_that_never_predicts_is_a_few_bytes() -> None:
    subject = monitor()
    flood = [
        feedback(START + i / 1_000, f"custom:k{i}", model="ghost", interaction_id=f"i{i}")
        for i in range(20_000)
    ]
    began = time.process_time()
    effects = drive(subject, flood, range(0, 20_000, 1_000))
    assert effects.counts == {("feedback", "ok"): 20_000}
    assert time.process_time() - began < 10
    changes = subject.dirty()
    assert len(changes.blobs[model_id("ghost")]) < 2_000
    assert b"custom" in changes.views[model_id("ghost")]


def test_a_flood_of_feedback_on_a_model_that_predicted_once_is_bounded() -> None:
    subject = monitor()
    flood = [feedback(START + 1, f"custom:k{i}", interaction_id=f"i{i}") for i in range(60_000)]
    drive(subject, [prediction(0, START, {}), *flood], range(0, 60_000, 2_000))
    assert size(subject) < 300_000


def test_acts_of_all_future_and_past_times_open_no_pane_without_end() -> None:
    # Given acts with times over a year, on a model that goes on
    rng = np.random.default_rng(1)
    acts = [
        feedback(START - float(rng.integers(31_536_000)), "redo", interaction_id=f"i{i}")._replace(
            timestamp=START + i / 100
        )
        for i in range(5_000)
    ]
    subject = monitor()
    drive(subject, merged(numbers(START + i for i in range(50)), acts), range(0, 5_050, 500))
    assert size(subject) < 100_000


def test_a_model_that_only_sends_heartbeats_is_watched_by_nobody_and_breaks_nothing() -> None:
    subject = monitor(spec(silence_after="10s"))
    beats = [heartbeat(START + 10 * i, cpu_ratio=0.5) for i in range(2_000)]
    assert told(drive(subject, beats, range(0, 2_000, 100)).events) == []
    subject = restarted(subject, spec(silence_after="10s"))
    assert told(subject.advance(START + 1e6).events) == []
    drive(subject, [heartbeat(START + 20_010)])
    shown = view(subject)
    assert [client.service for client in shown.clients] == ["api"]
    assert shown.watermark is None and shown.series == []


@pytest.mark.parametrize("measured", [{"cpu_ratio": 1e308, "x" * 128: -1e308}, {}])
def test_absurd_telemetry_is_kept_as_it_is(measured: dict[str, Any]) -> None:
    subject = monitor()
    drive(subject, [heartbeat(START + i, sequence=2**53 - 1, **measured) for i in range(3)])
    assert view(restarted_with_view(subject)).lost_events == 0


def restarted_with_view(subject: PartitionMonitor) -> PartitionMonitor:
    other = restarted(subject)
    drive(other, [heartbeat(START + 10)])
    return other


def test_ten_thousand_rows_over_a_day_in_random_order_are_one_message_and_none_is_late() -> None:
    rng = np.random.default_rng(2)
    n = 10_000
    times = (START - rng.uniform(0, 86_400, size=n)).round(1).tolist()
    event = {
        "model": "fraud",
        "version": "1",
        "prediction_id": [f"{i}" for i in range(n)],
        "timestamp": times,
        "output": rng.normal(size=n).round(2).tolist(),
        "features": {"x": rng.normal(size=n).round(2).tolist()},
    }
    value = orjson.dumps(event)
    assert len(value) < MAX_BATCH_BYTES
    headers = (("ce_type", b"streamgauge.prediction_batch.v1"),)
    message = LogRecord(PREDICTIONS, 0, 0, START, b"fraud", headers, value)
    declared = spec(defaults={"pane": "60s", "min_duration": "10m"}, silence_after="10s")
    subject = monitor(declared)
    began = time.process_time()
    effects = drive(subject, [message, prediction(1, START + 1, {"x": 1.0}, output=0.1)])
    assert time.process_time() - began < 15
    assert effects.counts == {("prediction_batch", "ok"): 1, ("prediction", "ok"): 1}
    assert told(effects.events) == []
    shown = view(subject)
    assert sum(shown.series[0].counts.values()) == n + 1 and shown.late == 0


def test_versions_and_steps_without_number_are_counted_and_bounded() -> None:
    records = [
        prediction(i, START + i / 100, {"x": 1.0}, version=f"v{i}", step=f"s{i % 977}")
        for i in range(3_000)
    ]
    subject = monitor(spec(silence_after="5s"))
    drive(subject, records, range(0, 3_000, 250))
    assert size(subject) < 200_000
