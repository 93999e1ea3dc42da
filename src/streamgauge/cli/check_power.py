"""What a spec finds at a traffic, and what that costs: the figures of ``check --rate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamgauge.cli.traffic import Load

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec

#: What recall may be expected to be; the width of its interval hardly depends on it.
_RECALL = 0.8


def planned(spec: ModelSpec, load: Load, *, positives: float | None) -> dict[str, Any]:
    """All figures for programs; ``power_page`` shows the same to people."""
    from streamgauge.cli.costs import cost
    from streamgauge.monitor.power import SURE, WITHIN_WINDOWS, power, share_power

    found = power(
        spec, rate=load.rate, features=load.features, reference_events=load.reference_events
    )
    slices = sum(segment.max_values for segment in spec.segments.values())
    costs = cost(features=load.features, slices=slices, seasons=spec.watch.seasons)
    document: dict[str, Any] = {
        "load": load.source,
        "rate": load.rate,
        "features": load.features,
        "window_seconds": found.window.seconds,
        "window_events": found.window.events,
        "judged": found.window.judged,
        "tests_per_window": found.tests,
        "alpha": found.alpha,
        "threshold": found.threshold,
        "reference_events": found.reference_events,
        "smallest_shift": found.smallest_shift,
        "sure": SURE,
        "within_windows": WITHIN_WINDOWS,
        "shifts": [shift._asdict() for shift in found.shifts],
        "false_alarms_per_month": spec.false_alarms_per_month,
        "prometheus_series": costs.series,
        "redis_bytes": costs.redis_bytes * spec.shards,
    }
    if positives is not None:
        document["positives"] = {
            "share": positives,
            "per_window": positives * found.window.events,
            "found_from": share_power(
                spec,
                positives,
                rate=load.rate,
                features=load.features,
                reference_events=load.reference_events,
            ),
            **_recall(spec, load.rate, positives),
        }
    return document


def _recall(spec: ModelSpec, rate: float, positives: float) -> dict[str, Any]:
    """How well recall is known from one day's labels, where the spec says when they come."""
    from streamgauge.monitor.figures import Ratio

    delay = spec.label_delay.expected_seconds
    if delay is None:
        return {}
    coverage = spec.labels.coverage if spec.labels.coverage is not None else 1.0
    n = rate * 86_400.0 * positives * coverage
    estimate = Ratio(_RECALL * n, n).estimate(0.95)
    if estimate is None or estimate.low is None or estimate.high is None:
        return {}
    return {"recall_within": (estimate.high - estimate.low) / 2, "labels_after": delay}
