"""The whole width at once, and however the log is cut: the same state, alarms and dead letters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import orjson
import pytest

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import Effects, LogRecord
from streamgauge.references.build import build_profile
from streamgauge.specs.model_spec import ModelSpec
from tests.monitor.streams import START, drive, monitor
from tests.monitor.test_invariance import outcome

SMALL: dict[str, Any] = {
    "defaults": {
        "pane": 1.0,
        "min_duration": 4.0,
        "min_events": 40,
        "max_duration": 60.0,
        "grace": 2.0,
    },
    "reference": {"min_events": 100, "min_duration": 10.0},
}
PREDICTIONS, LABELS, FEEDBACK = (
    "streamgauge.predictions",
    "streamgauge.labels",
    "streamgauge.feedback",
)
Outcome = tuple[Any, dict[str, bytes]]


class Log:
    """Collects records of all kinds by their time, and numbers them as one partition would."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._records: list[tuple[float, LogRecord]] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def add(
        self,
        event: Mapping[str, Any],
        at: float,
        *,
        kind: str = "prediction",
        topic: str = PREDICTIONS,
        headers: tuple[tuple[str, bytes], ...] = (),
        structured: bool = False,
    ) -> None:
        """Put an event into the log at ``at`` seconds."""
        value = orjson.dumps(event)
        if structured:
            envelope = {
                "specversion": "1.0",
                "id": f"e{len(self._records)}",
                "source": "/tests",
                "type": f"streamgauge.{kind}.v1",
                "data": event,
            } | {name.removeprefix("ce_"): text.decode() for name, text in headers}
            value = orjson.dumps(envelope)
            headers = (("content-type", b"application/cloudevents+json"),)
        elif kind != "prediction" or headers:
            headers = (("ce_type", f"streamgauge.{kind}.v1".encode()), *headers)
        key = str(event["model"]).encode()
        self._records.append((at, LogRecord(topic, 0, 0, at, key, headers, value)))

    def numbered(
        self, producer: str, topic: str = PREDICTIONS, *, weight: int = 1
    ) -> tuple[tuple[str, bytes], ...]:
        """Headers with the next number; one in fifty is lost, so the log has gaps."""
        key = (producer, topic)
        self._numbers[key] = self._numbers.get(key, -1) + 1 + int(self.rng.random() < 0.02)
        headers: tuple[tuple[str, bytes], ...] = (
            ("ce_sequence", f"{producer}-{self._numbers[key]}".encode()),
        )
        return (*headers, ("ce_sampledrate", b"%d" % weight)) if weight > 1 else headers

    def last(self, producer: str) -> int:
        return self._numbers.get((producer, PREDICTIONS), 0)

    def records(self, *, mixed: bool = True) -> list[LogRecord]:
        """All records in order of time; where they are ``mixed``, some change places."""
        ordered = [record for _, record in sorted(self._records, key=lambda each: each[0])]
        for i in range(0, len(ordered) - 5 if mixed else 0, 5):
            if self.rng.random() < 0.3:
                ordered[i], ordered[i + 4] = ordered[i + 4], ordered[i]
        return [record._replace(offset=i) for i, record in enumerate(ordered)]


def features_of(rng: np.random.Generator, i: int, *, moved: float) -> dict[str, Any]:
    x = rng.normal(size=3)
    made: dict[str, Any] = {
        "amount": float(x[0]) + moved,
        "twin": float(x[0] + 0.1 * x[1]),
        "limit": float(x[2]) * 10 + 50,
        "country": str(rng.choice(["SE", "NO", "DK"], p=[0.6, 0.3, 0.1])),
        "email": f"user{i}@example.com",
        "age": float(rng.integers(18, 80)),
    }
    if i % 3 == 0:
        made["note"] = "word " * int(rng.integers(1, 20)) + str(rng.random())
    if i > 400:
        made["brand_new"] = [1.0] * int(rng.integers(1, 6))
    if i > 900 and rng.random() < 0.5:
        made["country"] = "XX"
    if rng.random() < 0.02:
        made["limit"] = None
    if rng.random() < 0.01:
        made["twin"] = "N/A"
    return made


def scored(rng: np.random.Generator, classes: int) -> dict[str, Any]:
    p = rng.dirichlet([2.0] * classes)
    names = ["ham", "spam", "eggs"][:classes]
    return {
        "label": names[int(np.argmax(p))],
        "scores": {name: round(float(each), 4) for name, each in zip(names, p, strict=True)},
    }


def wide_log() -> list[LogRecord]:
    log = Log(5)
    rng = log.rng
    producers = [f"{n:016x}" for n in (0xA, 0xB, 0xC)]
    at, i = START, 0
    while at < START + 160:
        at += float(rng.exponential(1 / 13))
        i += 1
        early = START + 26 < at < START + 39
        if early or (START + 90 < at < START + 112 and i % 150):
            # Hardly anything comes: a silence while other models go on.
            log.add(other(rng, i), at, headers=log.numbered("d" * 16))
            continue
        version = "1"
        if at > START + 60 and rng.random() < 0.4:
            version = "2"
        if at > START + 120 and rng.random() < 0.3:
            version = "3"
        producer = producers[int(rng.integers(3))]
        weight = 3 if producer == producers[2] else 1
        # Errors of one step begin while the other is silent.
        broken = at > START + 140 or START + 63 < at < START + 72
        failed = rng.random() < (0.6 if broken else 0.03)
        step = "score" if i % 3 or START + 61 < at < START + 72 else "enrich"
        event = {
            "prediction_id": f"p{i}" if rng.random() > 0.03 else f"p{i - 3}",
            "model": "fraud",
            "version": version,
            "timestamp": at - float(rng.exponential(4.0) if rng.random() < 0.1 else 0.0),
            "features": features_of(rng, i, moved=3.0 if START + 75 < at < START + 88 else 0.0),
            "output": None if failed else scored(rng, 3 if version == "3" else 2),
            "status": "error" if failed else "ok",
            "latency_ms": float(rng.gamma(2.0, 2.0)),
            "step": step,
            "segment": {"country": f"c{int(rng.integers(8))}", "channel": f"w{i // 8}"},
            "interaction_id": f"i{i // 2}" if i % 4 else None,
        }
        if failed:
            weight = 1
        log.add(
            event,
            at,
            headers=log.numbered(producer, weight=weight) if i % 5 else (),
            structured=i % 9 == 0,
        )
        if rng.random() < 0.3:
            log.add(
                {
                    "model": "fraud",
                    "kind": str(rng.choice(["redo", "thumbs_up", "custom:shrug", "abandon"])),
                    "interaction_id": f"i{i // 2 - int(rng.integers(3)) + 500 * (i % 7 == 0)}",
                    "timestamp": at - float(rng.exponential(3.0)),
                },
                at + float(rng.exponential(1.0)),
                kind="feedback",
                topic=FEEDBACK,
                headers=log.numbered(producer, FEEDBACK),
            )
        if rng.random() < 0.05:
            log.add(
                {"model": "fraud", "prediction_id": f"p{i}", "label": True, "observed_at": at},
                at + 2,
                kind="label",
                topic=LABELS,
                headers=log.numbered(producer, LABELS),
            )
        if rng.random() < 0.03:
            log.add(*batch(rng, i, at), kind="prediction_batch", headers=log.numbered(producer))
        if rng.random() < 0.4:
            log.add(other(rng, i), at + 0.01, headers=log.numbered("d" * 16))
        if rng.random() < 0.02:
            log.add({"model": "fraud", "prediction_id": 7}, at)
    for tick in range(16):
        for n, producer in enumerate(producers):
            at = START + 10 * tick + n - (5.0 if tick < 2 else 0.0)
            # The processes begin to speak behind the first silence, and one pauses.
            if tick < 4 or (n == 0 and 6 <= tick <= 10):
                continue
            beat = {
                "model": "fraud" if n else "beats",
                "service": "api",
                "instance": f"host-1-{producer[:8]}",
                "timestamp": at,
                "sequence": 140 * tick // 10,
                "measurements": {"cpu_ratio": 0.1 * n, "memory_bytes": 1e9},
            }
            log.add(beat, at, kind="telemetry", headers=log.numbered(producer) if n else ())
    # What users did before anything was predicted, and on a model of which nothing else comes.
    for n in range(20):
        act = {"model": "fraud", "kind": "redo", "interaction_id": f"i{n}", "timestamp": START - 5}
        log.add(act, START - 5 + n * 0.3, kind="feedback", topic=FEEDBACK)
        log.add(act | {"model": "ghost"}, START + n, kind="feedback", topic=FEEDBACK)
    return log.records()


def other(rng: np.random.Generator, i: int) -> dict[str, Any]:
    """An unconfigured model with a text that is none at first, and many versions and steps."""
    return {
        "prediction_id": f"o{i}",
        "model": "other",
        "version": f"{i // 500}",
        "features": {
            "text": f"{rng.random()}" * int(rng.integers(1, 4)) if rng.random() > 0.1 else float(i),
            "second": f"{rng.random()}",
            "len(second)" if i % 1_000 > 900 else "number": float(rng.normal()),
            **({f"late{i // 300}": 1.0} if i % 100 > 50 else {}),
        },
        "output": float(rng.normal()) + (4.0 if i % 500 > 350 and i > 500 else 0.0),
        "latency_ms": float(rng.gamma(2.0, 2.0)),
    }


def batch(rng: np.random.Generator, i: int, at: float) -> tuple[dict[str, Any], float]:
    n = int(rng.integers(2, 30))
    rows = [features_of(rng, i, moved=0.0) for _ in range(n)]
    event = {
        "model": "fraud",
        "version": "1",
        "step": "score",
        "prediction_id": [f"b{i}-{row}" for row in range(n)],
        "timestamp": [at - float(rng.exponential(2.0)) for _ in range(n)],
        "features": {name: [row.get(name) for row in rows] for name in rows[0]},
        "output": [scored(rng, 2)["label"] for _ in range(n)],
        "latency_ms": [float(rng.gamma(2.0, 2.0)) for _ in range(n)],
        "segment": {"country": [f"c{int(rng.integers(8))}" for _ in range(n)]},
        "interaction_id": [f"i{i // 2}" for _ in range(n)],
    }
    return event, at


RULES = [
    {"name": "adult", "check": "age >= 18", "severity": "critical"},
    {"name": "limit-holds", "check": "amount <= limit", "max_ratio": 0.01},
    {"name": "sure", "check": "score >= 0.4", "max_ratio": 0.5},
]
FIRST: dict[str, Any] = {
    "model": "fraud",
    "task": "binary",
    "segments": {"country": {"max_values": 4}, "channel": {"max_values": 200}},
    "steps": ["enrich", "score"],
    "rules": RULES,
    "output": {"allowed": ["ham", "spam"], "low_confidence": 0.6, "low_confidence_max": 0.4},
    "behaviour": {"custom:shrug": {"max_ratio": 0.02}},
    "silence_after": "8s",
    "privacy": {"email": "hash", "age": {"bucket": 10}},
    "features": {"country": {"new_category": "critical"}, "limit": {"range": [0, 100]}},
}


def profile_rows() -> list[dict[str, Any]]:
    rng = np.random.default_rng(8)
    return [
        {"amount": float(rng.normal()), "country": str(rng.choice(["SE", "NO"]))}
        for _ in range(400)
    ]


def specified() -> PartitionMonitor:
    """Specs that take effect in mid-log: most of a spec, another pane, a profile, an acceptance."""
    profile = build_profile(profile_rows(), model="other", ordered=True)
    accepted = {"at": START + 84.0, "by": "ann"}
    documents: list[tuple[float, dict[str, Any]]] = [
        (21.3, FIRST),
        (50.2, FIRST | {"rules": RULES[1:], "silence_after": "3s", "behaviour": {}}),
        (84.1, FIRST | {"reference": {"accepted": accepted}}),
        (97.0, FIRST | {"silence_after": "30s", "reference": {"accepted": accepted}}),
        (125.0, FIRST | {"defaults": {"pane": "2s"}, "watch": {"behaviour": False}}),
        (140.0, FIRST | {"watch": {"silence": False, "anomaly": False}}),
        (150.0, {"model": "fraud", "segments": {"channel": {}}}),
    ]
    others: list[tuple[float, dict[str, Any]]] = [
        (45.0, {"model": "other", "owner": "me", "silence_after": "2s"}),
        (
            110.0,
            {"model": "other", "reference": {"kind": "profile", "id": profile.id}},
        ),
        (135.0, {"model": "other", "segments": {"country": {}}}),
    ]
    versions = [
        Configuration(
            ModelSpec.from_document(document).over(SMALL),
            number=number,
            effective_at=START + at,
            profile=profile if document.get("reference", {}).get("kind") == "profile" else None,
        )
        for each in (documents, others)
        for number, (at, document) in enumerate(each, start=1)
    ]
    return monitor(*versions, overrides=SMALL)


def settled_log() -> list[LogRecord]:
    """Long enough for a reference to settle, with what went wrong before and after it did."""
    log = Log(6)
    rng = log.rng
    for i in range(2_500):
        at = START + i / 15
        event = {
            "prediction_id": f"s{i}",
            "model": "calm",
            "version": "1" if i < 2_000 else "2",
            "timestamp": at,
            "features": {
                "a": float(rng.normal()) + (2.5 if 1_200 < i < 1_320 or i > 2_200 else 0.0),
                "b": float(rng.normal()),
                "text": f"{rng.random()}" * (i % 4 + 1),
            },
            "output": scored(rng, 3),
            "latency_ms": float(rng.gamma(2.0, 2.0)),
        }
        log.add(event, at, headers=log.numbered("e" * 16, weight=2 if i % 2 else 1))
        if i % 4 == 0:
            amounts = {"amount": float(rng.normal()), "country": "SE" if i % 3 else "NO"}
            log.add(event | {"model": "profiled", "features": amounts}, at)
    return log.records()


def profiled() -> PartitionMonitor:
    """One model that learns, and one that is compared with a profile from its first event on."""
    profile = build_profile(profile_rows(), model="profiled", ordered=True)
    document = {"model": "profiled", "reference": {"kind": "profile", "id": profile.id}}
    spec = ModelSpec.from_document(document).over(SMALL)
    return monitor(Configuration(spec, number=1, profile=profile), overrides=SMALL)


def seasonal_log() -> list[LogRecord]:
    """Eighteen days, a message of many an hour and some single events; at the end x moves."""
    log = Log(7)
    rng = log.rng
    for hour in range(18 * 24):
        at = START + hour * 3_600
        ages = np.sort(rng.uniform(0, 3_500, size=32))[::-1]
        wave = 2 * np.sin(2 * np.pi * (at - ages) / 86_400)
        moved = 9.0 if hour > 17.5 * 24 else 0.0
        message = {
            "model": "daily",
            "version": "1",
            "prediction_id": [f"d{hour}-{row}" for row in range(32)],
            "timestamp": (at - ages).tolist(),
            "features": {"x": (rng.normal(size=32) + wave + moved).tolist()},
            "output": rng.normal(size=32).tolist(),
            "segment": {"country": [f"c{row % 3}" for row in range(32)]},
        }
        log.add(message, at, kind="prediction_batch")
        single = {
            "prediction_id": f"d{hour}",
            "model": "daily",
            "version": "1",
            "features": {"x": float(rng.normal() + 2 * np.sin(2 * np.pi * at / 86_400) + moved)},
            "output": float(rng.normal()),
        }
        log.add(single, at + 1)
    return log.records(mixed=False)


def daily() -> PartitionMonitor:
    overrides = {
        "defaults": {
            "pane": 1_800.0,
            "min_duration": 3_600.0,
            "min_events": 55,
            "max_duration": 7_200.0,
            "grace": 1_800.0,
        },
        "reference": {"min_events": 200, "min_duration": 86_400.0},
    }
    spec = ModelSpec.from_document({"model": "daily", "segments": {"country": {}}})
    return monitor(Configuration(spec.over(overrides), number=1), overrides=overrides)


def until(log: list[LogRecord], seconds: float) -> list[LogRecord]:
    return [record for record in log if (record.timestamp or 0.0) < START + seconds]


WHOLE = ["wide", "settled", "seasonal"]
Make = Callable[[], PartitionMonitor]
LOGS: dict[str, tuple[Callable[[], list[LogRecord]], Make]] = {
    "wide": (wide_log, specified),
    # The same up to an alarm within a silence, and up to specs that switch things off.
    "early": (lambda: until(wide_log(), 71.0), specified),
    "begun": (lambda: until(wide_log(), 122.0), specified),
    "settled": (settled_log, profiled),
    "seasonal": (seasonal_log, daily),
}
_CACHE: dict[str, tuple[list[LogRecord], Make, Outcome]] = {}


def known(name: str) -> tuple[list[LogRecord], Make, Outcome]:
    """A log, who watches it, and what comes of it in one piece."""
    if name not in _CACHE:
        make_log, make = LOGS[name]
        log = make_log()
        subject = make()
        told = outcome(drive(subject, log))
        _CACHE[name] = (log, make, (told, dict(subject.dirty().blobs)))
    return _CACHE[name]


def in_pieces(log: list[LogRecord], make: Make, cuts: Iterable[int]) -> Outcome:
    subject = make()
    return outcome(drive(subject, log, cuts)), dict(subject.dirty().blobs)


def with_deaths(log: list[LogRecord], make: Make, deaths: list[int]) -> Outcome:
    kept: dict[str, bytes] = {}
    effects = Effects()
    for start, end in zip([0, *deaths], [*deaths, len(log)], strict=True):
        subject = make()
        subject.restore(kept)
        effects.extend(subject.process(log[start:end]))
        kept |= subject.dirty().blobs
    return outcome(effects), kept


@pytest.mark.parametrize("name", WHOLE)
def test_the_log_shows_what_it_is_for(name: str) -> None:
    _, _, ((events, _, counts), blobs) = known(name)
    kinds = {orjson.loads(event)["kind"] for event in events}
    assert (
        kinds
        >= {
            "wide": {"staleness", "feedback", "data_quality", "prediction_drift"},
            "settled": {"feature_drift"},
            "seasonal": {"feature_drift"},
        }[name]
    )
    if name == "wide":
        assert counts[("prediction_batch", "ok")] and counts[("prediction", "dead")]
        assert counts[("prediction", "late")] and counts[("telemetry", "ok")]
    if name == "seasonal":
        subject = daily()
        subject.restore(blobs)
        (series,) = subject._models["daily"].series.values()
        season = series.targets["x"].season
        assert season is not None and season.threshold(0.01, alpha=0.01), "the season judges"
    assert any(field.endswith(".slow") for field in blobs)


# Each example costs seconds, so they are few, and none of them is the trivial one.
@pytest.mark.parametrize("name", [*WHOLE, "begun"])
def test_any_cut_gives_the_same_bytes(name: str) -> None:
    log, make, whole = known(name)
    cuts = random.Random(name).sample(range(1, len(log)), 40)
    assert in_pieces(log, make, cuts) == whole


@pytest.mark.parametrize("name", WHOLE)
def test_a_worker_that_dies_and_restores_goes_on_identically(name: str) -> None:
    log, make, whole = known(name)
    deaths = random.Random(name).sample(range(1, len(log)), 7)
    assert with_deaths(log, make, sorted(deaths)) == whole


@pytest.mark.parametrize("name", ["early", "seasonal"])
def test_record_by_record_gives_the_same_bytes(name: str) -> None:
    log, make, whole = known(name)
    assert in_pieces(log, make, range(1, len(log))) == whole


def within_a_second() -> list[LogRecord]:
    """What may come between two panes: texts found out, features, versions and slices that come."""
    rng = np.random.default_rng(4)
    records = []
    for i in range(620):
        # Half a second behind now and then: two panes of one second lie in each other.
        at = START + 60 + i / 1_000 - (0.9 if i % 7 == 0 else 0.0)
        features: dict[str, Any] = {"x": float(rng.normal()), "b": f"{rng.random()}"}
        if i >= 20:
            features["a"] = f"{rng.random()}"
        if i in (505, 515):
            features["new"] = 1.0
        if i >= 530:
            features["len(a)"] = 2.0
            features["len(c)"] = 2.0
        if i >= 60:
            features["c"] = f"{rng.random()}"
        event = {
            "prediction_id": f"p{i}",
            "model": "fraud",
            "version": "3" if i > 510 and i % 3 == 0 else "12"[i % 2 if i < 505 else 0],
            "timestamp": at,
            "features": features,
            "output": float(rng.normal()),
            "segment": {"country": f"c{i}"},
        }
        value = orjson.dumps(event)
        records.append(LogRecord(PREDICTIONS, 0, i, START + 60 + i / 1_000, b"fraud", (), value))
    return records


def test_what_comes_within_one_pane_comes_in_log_order() -> None:
    document = {"model": "fraud", "segments": {"country": {"max_values": 200}}}
    spec = ModelSpec.from_document(document).over(SMALL)

    def make() -> PartitionMonitor:
        return monitor(Configuration(spec, number=1), overrides=SMALL)

    log = within_a_second()
    whole = in_pieces(log, make, ())
    assert in_pieces(log, make, range(490, len(log))) == whole
    assert with_deaths(log, make, [503, 508, 512, 525, 540]) == whole
