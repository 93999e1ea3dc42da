"""Views built by hand: small ones with what a test is about, everything else plausible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamgauge.exposition.source import Reading
from streamgauge.state.reader import Snapshot
from streamgauge.state.views import (
    AlarmView,
    ClientView,
    CriterionView,
    FeatureView,
    JudgementState,
    JudgementView,
    ModelView,
    PartitionView,
    SeriesView,
    SliceView,
)

NOW = 1_800_000_000.0
HOSTILE = {
    "quotes": 'a"b\\"c\\',
    "newline": "a\nb\r\nc\td",
    "right-to-left": "\u202egnp.exe \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "markup": "</bdi><script>alert(1)</script><img src=x onerror=alert(2)>",
    "long": "x" * 10_000,
    "nul": "a\x00b\x1b[31mred",
    "emoji": "🚰" * 40,
    "surrogate": "a\ud800b",
    "template": "{{7*7}} {} %s {0.__class__}",
    "other": "_other",
    "empty version-like": " ",
}


def judgement(
    target: str = "amount",
    *,
    severity: float | None = 0.4,
    state: JudgementState = "ok",
    detector: str = "js",
    threshold: float = 0.05,
) -> JudgementView:
    return JudgementView(
        target=target,
        detector=detector,
        state=state,
        value=None if severity is None else severity * threshold,
        threshold=None if severity is None else threshold,
        severity=severity,
        n=600,
        needed=500,
    )


def feature(name: str = "amount", *, missing: float | None = 0.0, **options: Any) -> FeatureView:
    return FeatureView(
        name=name,
        type="numeric",
        judgements=[judgement(name, **options)],
        missing_ratio=missing,
    )


def series(version: str = "1", *, ok: int = 100, **options: Any) -> SeriesView:
    values: dict[str, Any] = {
        "counts": {"ok": ok},
        "latency_buckets": {"0.001": 10, "0.01": 90, "+Inf": ok},
        "latency_sum": 0.5,
        "latency_quantiles": {"0.95": 0.0121},
        "state": "ok",
        "window_n": 600,
        "window_end": NOW - 2,
        "rate": 10.0,
        "features": [feature()],
    }
    return SeriesView(version=version, **{**values, **options})


def model(name: str = "fraud", *, partition: int = 0, **options: Any) -> ModelView:
    values: dict[str, Any] = {
        "last_event": NOW - 1,
        "watermark": NOW - 2,
        "series": [series()],
    }
    return ModelView(model=name, partition=partition, **{**values, **options})


def alarm(**options: Any) -> AlarmView:
    values: dict[str, Any] = {
        "fingerprint": "f",
        "kind": "feature_drift",
        "status": "firing",
        "severity": "warning",
        "severity_ratio": 8.2,
        "summary": "fraud: amount is 100 times as large as before",
        "feature": "amount",
        "starts_at": NOW - 90,
        "alarm_id": "a",
    }
    return AlarmView(**{**values, **options})


def client(instance: str = "web-1", *, seen: float = NOW - 5, **measured: float) -> ClientView:
    return ClientView(service="checkout", instance=instance, last_seen=seen, measurements=measured)


def part(value: str = "SE", *, n: int = 600, **options: Any) -> SliceView:
    return SliceView(**{"segment": "country", "value": value, "n": n, **options})


def criterion(name: str = "fast", state: str = "PASS", **options: Any) -> CriterionView:
    values = {"name": name, "kind": "software", "expr": "p95_latency_ms <= 120", "state": state}
    return CriterionView.model_validate({**values, **options})


def partition(number: int = 0, **options: Any) -> PartitionView:
    values: dict[str, Any] = {
        "positions": {"streamgauge.predictions": 110, "streamgauge.labels": 20},
        "first_positions": {"streamgauge.predictions": 10, "streamgauge.labels": 20},
        "counts": {"prediction/ok": 95, "prediction/late": 2, "prediction/dead": 1},
        "dead": {"schema": 1},
        "lost": 1,
        "holes": 1,
        "log_time": NOW - 3,
        "written_at": NOW - 0.5,
        "checkpoint": 12,
        "gauges": {"models": 1.0, "models_dropped": 0.0},
    }
    return PartitionView(partition=number, **{**values, **options})


def reading(
    models: Sequence[ModelView] = (),
    partitions: Sequence[PartitionView] = (),
    *,
    up: bool = True,
    **options: Any,
) -> Reading:
    snapshot = Snapshot(
        read_at=options.pop("read_at", NOW),
        models=tuple(models),
        partitions=tuple(("g", view) for view in partitions),
        **options,
    )
    return Reading(snapshot, up=up)
