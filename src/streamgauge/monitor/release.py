"""A new version beside the one before it: the same outputs, on the same traffic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from streamgauge.alarms import sentence
from streamgauge.alarms.finding import Finding
from streamgauge.batch.columns import ERROR
from streamgauge.distances import JensenShannon
from streamgauge.distances.base import sampling_noise
from streamgauge.monitor import judge
from streamgauge.monitor.calibration import merge_rare, regroup
from streamgauge.monitor.contents import SeriesCounts, TargetCounts
from streamgauge.monitor.shown_histogram import shown_histogram
from streamgauge.monitor.target import Target
from streamgauge.windows.judgement import JudgementWindow

if TYPE_CHECKING:
    from streamgauge.monitor.series import Series

#: Events that each side needs.
ENOUGH = 500

_js = JensenShannon()


def release_findings(
    series: Series, rival: Series, window: JudgementWindow[SeriesCounts], *, alpha: float
) -> list[Finding]:
    """Compare a window's outputs with the rival version's.

    Concurrent traffic is the best witness: both saw the same world. Where the rival no longer
    predicts, its reference stands in for it, as long as the new version has none of its own.
    """
    other = rival.last
    length = window.end - window.start
    concurrent = (
        other.end is not None
        and other.fullness == "full"
        and other.end > window.start - length
        and (other.start or 0.0) < window.end + length
    )
    findings = []
    for name, counts in window.contents.beside.items():
        target = rival.outputs.get(name)
        own = series.outputs.get(name)
        if target is None or own is None:
            continue
        theirs = other.counts.targets.get(name) if concurrent else None
        if theirs is None and own.reference is not None:
            continue
        found = _outputs(target, theirs, counts, rival=rival.version, alpha=alpha, window=window)
        if found is not None:
            findings.append(found)
    if concurrent:
        findings.append(_errors(other.counts, window.contents, rival=rival.version))
    return findings


def _outputs(
    target: Target,
    theirs: TargetCounts | None,
    own: TargetCounts,
    *,
    rival: str,
    alpha: float,
    window: JudgementWindow[SeriesCounts],
) -> Finding | None:
    if target.bins is None or own.histogram is None or own.n < ENOUGH:
        return None
    after, floor = own.effective, judge.EFFECT_FLOOR
    if theirs is not None and theirs.histogram is not None and theirs.n >= ENOUGH:
        before, moments = theirs.effective, theirs.moments
        mean = moments.get().get("mean") if moments is not None else None
        std = moments.get().get("std") if moments is not None else None
        where = f"than with version {rival} on the same traffic"
    elif target.reference is not None:
        mean, std = target.reference.mean, target.reference.std
        season = target.season
        usual = season.usual(window.start, window.end) if season is not None else None
        if season is not None and usual is not None:
            before, after = usual, season.grouped(after)
            where = f"than with version {rival} at this hour"
        else:
            # Another day, another hour: only what is large is the new version's doing.
            before, floor = target.reference.counts, judge.LARGE_EFFECT
            where = f"than with version {rival} before"
    else:
        return None
    if before.shape != after.shape:
        return None
    groups = merge_rare(before, own.n)
    p, q = regroup(before, groups), regroup(after, groups)
    value = _js.value(p, q)
    chance = _js.threshold(p, q, alpha=alpha)
    apart = judge.spread_of(target, sampling_noise(p, q), alpha=alpha)
    threshold = max(chance, apart, floor)
    exceeds = value > threshold
    now = own.moments.get().get("mean") if own.moments is not None else None
    change, direction = sentence.mean_change(mean, now, std)
    return Finding(
        target.name,
        "release",
        "js",
        "exceeding" if exceeds else "ok",
        value=value,
        threshold=threshold,
        severity=value / threshold,
        n=own.n,
        change=f"{where}{f': {change}' if change else ''}",
        direction=direction,
        mild=value < judge.LARGE_EFFECT,
        histogram=(
            shown_histogram(target.bins, before, after)
            if exceeds and len(before) == target.bins.size
            else None
        ),
    )


def _errors(theirs: SeriesCounts, own: SeriesCounts, *, rival: str) -> Finding:
    before = float(theirs.traffic.statuses[ERROR]) / max(theirs.traffic.n, 1)
    value = float(own.traffic.statuses[ERROR]) / max(own.traffic.n, 1)
    n, m = max(own.n, 1), max(theirs.n, 1)
    pooled = max((before * m + value * n) / (n + m), 1 / n)
    error = math.sqrt(pooled * (1 - min(pooled, 1 - 1 / n)) * (1 / n + 1 / m))
    threshold = min(before + max(0.02, 5 * error), 1.0)
    found = judge.fault(
        "errors", "error_ratio", value, threshold, n=own.n, before=before, kind="release"
    )
    if not found.exceeds:
        return found
    return judge.reworded(found, f"than with version {rival} ({100 * before:.2g} %)")
