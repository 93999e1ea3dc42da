"""The figures of a model's last windows, by the names that criteria use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from streamgauge.metrics.quality import KINDS, Quality
from streamgauge.metrics.traffic import LATENCY_EDGES, Traffic
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.figures import Figure, Level, Mean, Quantile, Rate, Ratio
from streamgauge.monitor.step import CONFIDENCE, OUTPUT, RESERVED, SCORE


def figures_of(
    windows: Iterable[tuple[SeriesCounts, float]],
    *,
    severities: Mapping[str, float] | None = None,
) -> dict[str, Figure]:
    """Gather what criteria may ask for from the windows of all versions of one step.

    Parameters
    ----------
    windows
        What each version's window holds, and how long it is in seconds of event time.
    severities
        Statistic ÷ threshold by feature or output, of those that were judged.

    What is not known is left out. Counts add up over versions although each has bins of its own.
    """
    traffic, means = Traffic(), dict[str, list[Mean]]()
    qualities, seen = dict[str, Quality](), dict[str, int]()
    busiest, per_second = (0, 0.0), 0.0
    for window, seconds in windows:
        if seconds > 0:
            busiest = max(busiest, (window.traffic.n, seconds))
            per_second += window.traffic.n / seconds
        traffic.merge(window.traffic)
        for name, counts in window.targets.items():
            qualities.setdefault(name, Quality()).merge(counts.quality)
            seen[name] = seen.get(name, 0) + counts.events
            moments = counts.moments.get() if counts.moments is not None else {}
            if {"mean", "std"} <= moments.keys() and counts.n:
                part = Mean(moments["mean"], moments["std"], counts.n)
                means.setdefault(name, []).append(part)
    found: dict[str, Figure] = {}
    # Where a client samples, each event stands for several predictions.
    weight = traffic.n / max(traffic.events, 1)
    if traffic.n:
        found["error_ratio"] = Ratio(float(traffic.statuses[1]), traffic.n, weight)
        found["fallback_ratio"] = Ratio(float(traffic.statuses[2]), traffic.n, weight)
    if per_second:
        # Versions have windows of different lengths; their rates add up, their counts do not.
        found["throughput"] = Rate(round(per_second * busiest[1]), busiest[1])
    if traffic.timed:
        for q in (0.5, 0.95, 0.99):
            found[f"p{round(100 * q)}_latency_ms"] = Quantile(
                q, LATENCY_EDGES, traffic.latency, 1000.0, weight
            )
    for name, quality in qualities.items():
        own = quality.seen / max(seen[name], 1)
        if name == OUTPUT:
            found["null_output_ratio"] = Ratio(quality.missing, quality.seen, own)
        elif name == CONFIDENCE:
            # Its range is what the spec calls confident.
            told = quality.seen - quality.missing
            found["low_confidence_ratio"] = Ratio(quality.out_of_range, told, own)
        elif name not in RESERVED:
            for kind in KINDS:
                bad = getattr(quality, kind)
                found[f"{kind}_ratio({name})"] = Ratio(bad, quality.seen, own)
    for name, parts in means.items():
        if name == SCORE:
            found["mean_score"] = _pooled(parts)
        elif name not in RESERVED:
            found[f"mean({name})"] = _pooled(parts)
    for name, severity in (severities or {}).items():
        found[f"drift_severity({name})"] = Level(severity, traffic.n)
    if severities:
        found["drift_severity"] = Level(max(severities.values()), traffic.n)
    return found


def _pooled(parts: list[Mean]) -> Mean:
    n = sum(part.n for part in parts)
    mean = sum(part.mean * part.n for part in parts) / n
    square = sum((part.std**2 + (part.mean - mean) ** 2) * part.n for part in parts) / n
    return Mean(mean, math.sqrt(square), n)
