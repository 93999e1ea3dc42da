"""The judgement of one target over one window: pure functions from counts to findings."""

from __future__ import annotations

import math

import numpy as np

from streamgauge.alarms import sentence
from streamgauge.alarms.finding import Finding
from streamgauge.distances import Distance, JensenShannon
from streamgauge.distances.base import sampling_noise
from streamgauge.metrics.histogram import quantile
from streamgauge.metrics.traffic import LATENCY_EDGES
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.calibration import CAUTION, ENOUGH_BLOCKS, merge_rare, regroup
from streamgauge.monitor.contents import SeriesCounts, TargetCounts
from streamgauge.monitor.shown_histogram import shown_histogram
from streamgauge.monitor.target import Target
from streamgauge.references.bins import NumericBins
from streamgauge_client.events import Histogram

MONTH_SECONDS = 30 * 86_400.0
WEEK_SECONDS = 7 * 86_400.0
#: Jensen-Shannon distance of a shift by half a standard deviation of a normal (0.209).
EFFECT_FLOOR = 0.2
#: A threshold from which hardly anything can be told: 1 is the distance of what shares nothing.
BLIND = 0.8
#: Values below which a distribution is not judged.
FEWEST = 50
#: A young reference speaks softly of anything smaller than this.
LARGE_EFFECT = 2 * EFFECT_FLOOR
#: While a reference is learned, only a change of scale like this is told.
SCALE_JUMP = 10.0
#: No model has errors, or values of another type, in more than this, and is well.
MOST = 0.5
#: Latency: p95 must be this many times its usual, and this much longer in seconds.
SLOWER, SLOWER_BY = 3.0, 0.005

_js = JensenShannon()


def alpha(budget: float, *, targets: int, duration: float) -> float:
    """Chance that one test may err: the month's budget over the month's tests.

    ``duration`` is the window's length in seconds.
    """
    tests = max(targets, 1) * MONTH_SECONDS / max(duration, 1e-3)
    return min(max(budget / tests, 1e-12), 0.01)


def distribution(
    target: Target, counts: TargetCounts, kind: str, *, alpha: float, now: float
) -> Finding:
    """Compare a window with the reference: Jensen-Shannon judges, the others are evidence.

    ``now`` is the window's end in seconds; a reference learned less than a week before it is young.
    """
    if target.reference is None or target.bins is None:
        return Finding(target.name, kind, "js", "warming", n=counts.n, reason=_stage(target))
    n = counts.n
    if n < FEWEST or counts.histogram is None:
        return Finding(target.name, kind, "js", "too_few", n=n, needed=FEWEST, reason="too few")
    before, after = target.reference.counts, counts.histogram.counts
    groups = merge_rare(before, n)
    p, q = regroup(before, groups), regroup(after, groups)
    value = _js.value(p, q)
    chance = _js.threshold(p, q, alpha=alpha)
    warming = target.blocks.own and not target.blocks.calibrated
    threshold = (
        # Independent events are not to be counted on before live windows have shown it.
        min(chance * math.sqrt(CAUTION), 0.9)
        if warming
        else max(chance, target.blocks.threshold(sampling_noise(p, q), alpha=alpha))
    )
    floor = EFFECT_FLOOR if target.spec.min_effect is None else target.spec.min_effect
    threshold = max(threshold, floor, 1e-9)
    exceeds = value > threshold
    reason = ""
    if warming:
        reason = f"calibrating: {target.blocks.count} of {ENOUGH_BLOCKS} windows"
    elif threshold >= BLIND and not exceeds:
        # Seasons and slow noise: a judgement here would be a formality.
        reason = "its windows differ by themselves as much as a change would; try longer ones"
    young = target.learned_at is not None and now - target.learned_at < WEEK_SECONDS
    reference, moments = target.reference, counts.moments.get() if counts.moments else {}
    change, direction = sentence.mean_change(reference.mean, moments.get("mean"), reference.std)
    return Finding(
        target.name,
        kind,
        "js",
        "exceeding" if exceeds else "warming" if reason else "ok",
        value=value,
        threshold=threshold,
        severity=value / threshold,
        n=n,
        needed=ENOUGH_BLOCKS if warming else 0,
        change=change or _category_change(target, counts),
        direction=direction,
        reason=reason,
        mild=young and value < LARGE_EFFECT,
        others={
            name: distance.create(name).value(before, after)
            for name, distance in Distance.classes().items()
            if name != "js" and (not distance.ordered or isinstance(target.bins, NumericBins))
        },
        histogram=shown_histogram(target.bins, before, after),
    )


def quality(target: Target, counts: TargetCounts, usual: dict[str, BaselineRatio]) -> list[Finding]:
    """Hard rules: missing, another type, out of range, new category."""
    seen = counts.quality.seen
    findings = []
    for rule, value in counts.quality.get().items():
        known = usual.setdefault(rule, BaselineRatio())
        base = _base(target, rule)
        declared = target.spec.missing_max if rule == "missing" else None
        if declared is None and base is None and not known.believed:
            findings.append(Finding(target.name, "data_quality", rule, "warming", n=seen))
            continue
        threshold = declared if declared is not None else known.threshold(seen, base=base)
        if rule == "wrong_type":
            threshold = min(threshold, MOST)
        threshold = max(threshold, 1e-9)
        before = known.ratio if base is None else base
        usually = f"usually {100 * before:.2g} %"
        findings.append(
            Finding(
                target.name,
                "data_quality",
                rule,
                "exceeding" if value > threshold else "ok",
                value=value,
                threshold=threshold,
                severity=value / threshold,
                n=seen,
                change=f"at most {100 * declared:.2g} %" if declared is not None else usually,
                direction="up",
                histogram=Histogram(
                    bins=["right", rule.replace("_", " ")],
                    reference=[1.0 - before, before],
                    current=[1.0 - value, value],
                ),
            )
        )
    return findings


def _base(target: Target, rule: str) -> float | None:
    """The ratio that a declaration or a reference gives; None where only habit can tell."""
    if rule == "out_of_range" or (rule == "new_category" and target.spec.allowed is not None):
        return 0.0
    if rule == "missing" and target.reference is not None:
        return target.reference.missing_ratio
    return None


def scale(target: Target, counts: TargetCounts) -> Finding | None:
    """A jump of scale, told even while a reference is still learned."""
    if target.reference is not None or target.learning is None or counts.n < FEWEST:
        return None
    moments = counts.moments.get() if counts.moments is not None else {}
    if not isinstance(target.bins, NumericBins) or "mean" not in moments or not target.bins.scale:
        return None
    if counts.histogram is None or _js.value(target.learning.counts, counts.histogram.counts) < 0.8:
        return None
    size = math.hypot(moments["mean"], moments.get("std", 0.0))
    factor = max(size / target.bins.scale, target.bins.scale / max(size, 1e-300))
    return Finding(
        target.name,
        "data_quality",
        "scale",
        "exceeding" if factor > SCALE_JUMP else "ok",
        value=min(factor, 1e300),
        threshold=SCALE_JUMP,
        severity=min(factor / SCALE_JUMP, 1e300),
        n=counts.n,
        change=f"changed its scale: typical size {target.bins.scale:.4g} → {size:.4g}",
        direction="up" if size > target.bins.scale else "down",
    )


def errors(counts: SeriesCounts, usual: BaselineRatio) -> Finding:
    """The ratio of predictions that ended in an error."""
    value = float(counts.traffic.statuses[1]) / max(counts.n, 1)
    # More than half is broken, whatever the habit, and also before there is one.
    threshold = min(usual.threshold(counts.n), MOST) if usual.believed else MOST
    return Finding(
        "errors",
        "traffic",
        "error_ratio",
        "exceeding" if value > threshold else "ok",
        value=value,
        threshold=threshold,
        severity=value / threshold,
        n=counts.n,
        change=f"usually {100 * usual.ratio:.2g} %" if usual.believed else "from the start",
        direction="up",
    )


def latency(target: Target, counts: TargetCounts, *, alpha: float, now: float) -> Finding:
    """Whether predictions take longer: p95 against the reference's, with the distance as proof."""
    found = distribution(target, counts, "latency", alpha=alpha, now=now)
    if found.value is None or target.reference is None or counts.histogram is None:
        return Finding(
            target.name,
            "latency",
            "p95",
            found.state,
            n=found.n,
            needed=found.needed,
            reason=found.reason,
        )
    before = quantile(LATENCY_EDGES, target.reference.counts, 0.95) or 0.0
    after = quantile(LATENCY_EDGES, counts.histogram.counts, 0.95) or 0.0
    threshold = max(SLOWER * before, before + SLOWER_BY)
    if (found.severity or 0.0) <= 1:
        # Without the distance as proof a long tail is no finding.
        threshold = max(threshold, after)
    severity = after / threshold
    return Finding(
        target.name,
        "latency",
        "p95",
        "exceeding" if severity > 1 else "warming" if found.state == "warming" else "ok",
        value=after,
        threshold=threshold,
        severity=severity,
        n=found.n,
        change=f"p95 {1000 * before:.3g} ms → {1000 * after:.3g} ms",
        direction="up" if after > before else "down",
        reason=found.reason,
        others={"js": found.value},
        histogram=found.histogram,
    )


def _stage(target: Target) -> str:
    if target.type == "text":
        return "free text or ids: not compared"
    if target.learning is None:
        return f"collecting the first values: {len(target.sample)}"
    return f"learning a reference: {int(target.learning.counts.sum())} values"


def _category_change(target: Target, counts: TargetCounts) -> str:
    if target.reference is None or counts.histogram is None:
        return ""
    before = target.reference.counts / max(target.reference.n, 1)
    after = counts.histogram.counts / max(counts.n, 1)
    most = int(np.argmax(np.abs(after - before)))
    label = target.reference.bins.labels[most]
    return f"{label}: {100 * before[most]:.0f} % → {100 * after[most]:.0f} %"
