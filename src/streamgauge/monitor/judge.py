"""The judgement of one target over one window: pure functions from counts to findings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from streamgauge.alarms import sentence
from streamgauge.alarms.finding import Finding, State
from streamgauge.distances import JensenShannon
from streamgauge.distances.base import sampling_noise
from streamgauge.distances.js_rows import Measured
from streamgauge.metrics.histogram import quantile
from streamgauge.metrics.traffic import LATENCY_EDGES
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.calibration import CAUTION, ENOUGH_BLOCKS, regroup
from streamgauge.monitor.contents import SeriesCounts, TargetCounts
from streamgauge.monitor.evidence import from_recent, other_distances, picture
from streamgauge.monitor.target import FEWEST, Target
from streamgauge.monitor.window_table import Compared
from streamgauge.references.bins import NumericBins
from streamgauge_client.events import Histogram

MONTH_SECONDS = 30 * 86_400.0
#: Jensen-Shannon distance of a shift by half a standard deviation of a normal (0.209).
EFFECT_FLOOR = 0.2
#: A threshold from which hardly anything can be told: 1 is the distance of what shares nothing.
BLIND = 0.8
#: A young reference speaks softly of anything smaller than this.
LARGE_EFFECT = 2 * EFFECT_FLOOR
#: Factor on how far windows lie apart while only the first days of them are known: a day does not
#: show by how much days differ. Measured on seasonal and slowly wandering models.
PROVISIONAL = 1.25
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


class Verdict(NamedTuple):
    """A distance, what it is compared with, and what it was measured against."""

    value: float
    threshold: float
    against: Literal["reference", "season"]

    @property
    def severity(self) -> float:
        return self.value / self.threshold


def distribution(
    target: Target,
    counts: TargetCounts,
    kind: str,
    *,
    alpha: float,
    start: float,
    end: float,
    seasons: bool = True,
    compared: Compared | None = None,
) -> Finding:
    """Compare a window with the reference: Jensen-Shannon judges, the others are evidence.

    ``start`` and ``end`` are the window's, in seconds; ``compared`` is what was measured of it
    beside other targets. Where seven days have shown what is usual at this hour of the week, the
    window is compared with that as well, and with the long reference only for what it is sure of.
    """
    if target.reference is None or target.bins is None:
        return Finding(target.name, kind, "js", "warming", n=counts.n, reason=_stage(target))
    n, measured = compared or (counts.n, None)
    if n < FEWEST or counts.histogram is None:
        return Finding(target.name, kind, "js", "too_few", n=n, needed=FEWEST, reason="too few")
    floor = EFFECT_FLOOR if target.spec.min_effect is None else target.spec.min_effect
    verdict = _from_reference(target, measured or _alone(target, counts, alpha), alpha, floor)
    reason = _doubt(target, verdict)
    seasonal = _from_season(target, counts, alpha=alpha, floor=floor, start=start, end=end)
    if seasons and seasonal is not None:
        reason = ""
        if seasonal.severity > verdict.severity:
            verdict = seasonal
    value, threshold, against = verdict
    exceeds, severity = value > threshold, value / threshold
    reference, mean = target.reference, counts.moments.mean if counts.moments else None
    needed = ENOUGH_BLOCKS if target.uncalibrated else 0
    mild = target.provisional and value < LARGE_EFFECT
    if not exceeds:
        # Nearly always: no words and no pictures, and by position for a third of the price.
        state: State = "warming" if reason else "ok"
        direction = sentence.direction_of(reference.mean, mean, reference.std)
        judged = (value, threshold, severity, n, needed, "", direction, reason, mild)
        return Finding(target.name, kind, "js", state, *judged)
    change, direction = sentence.mean_change(reference.mean, mean, reference.std)
    return Finding(
        target.name,
        kind,
        "js",
        "exceeding",
        value=value,
        threshold=threshold,
        severity=severity,
        n=n,
        needed=needed,
        change=change or _category_change(target, counts),
        direction=direction,
        reason=reason if against == "reference" else "",
        mild=mild,
        others=other_distances(target, counts),
        histogram=picture(target, counts),
    )


def _alone(target: Target, counts: TargetCounts, alpha: float) -> Measured:
    merged = target.merged(counts.n)
    p, q = merged.counts, regroup(counts.effective, merged.groups)
    chance = _js.threshold(p, q, alpha=alpha)
    return Measured(_js.value(p, q), chance, sampling_noise(p, q))


def _from_reference(target: Target, measured: Measured, alpha: float, floor: float) -> Verdict:
    value, chance, noise = measured
    threshold = (
        # Independent events are not to be counted on before live windows have shown it.
        min(chance * math.sqrt(CAUTION), 0.9)
        if target.uncalibrated
        else max(chance, spread_of(target, noise, alpha=alpha))
    )
    return Verdict(value, max(threshold, floor, 1e-9), "reference")


def spread_of(target: Target, noise: float, *, alpha: float) -> float:
    """How far its own windows lie apart, by chance ``alpha``; 0 while nothing is known."""
    known = target.blocks.threshold(noise, alpha=alpha)
    return min(known * PROVISIONAL, 1.0) if target.provisional else known


def _from_season(
    target: Target, counts: TargetCounts, *, alpha: float, floor: float, start: float, end: float
) -> Verdict | None:
    season = target.season
    usual = season.usual(start, end) if season is not None else None
    if season is None or usual is None:
        return None
    own = season.grouped(counts.effective)
    noise = sampling_noise(usual, own)
    learned = season.threshold(noise, alpha=alpha)
    if learned is None:
        return None
    chance = _js.threshold(usual, own, alpha=alpha)
    return Verdict(_js.value(usual, own), max(chance, learned, floor, 1e-9), "season")


def _doubt(target: Target, verdict: Verdict) -> str:
    """Why the long reference alone can't be relied on, or nothing."""
    if target.uncalibrated:
        return f"calibrating: {target.blocks.count} of {ENOUGH_BLOCKS} windows"
    if verdict.threshold >= BLIND and verdict.severity <= 1:
        # Seasons and slow noise: a judgement here would be a formality.
        return "its windows differ by themselves as much as a change would; try longer ones"
    return ""


def changed_this_week(target: Target, counts: TargetCounts) -> bool | None:
    """Whether a window differs from the last weeks too; None where they are not known.

    The frozen reference says "not what it was", this one "not what it was last week".
    """
    distance = from_recent(target, counts)
    return distance > EFFECT_FLOOR if distance is not None else None


def quality(target: Target, counts: TargetCounts, usual: dict[str, BaselineRatio]) -> list[Finding]:
    """Hard rules: missing, another type, out of range, new category."""
    seen, name, spec = counts.events, target.name, target.spec
    # Where none is allowed, half an event is the most.
    least = 0.5 / max(seen, 1)
    findings: list[Finding] = []
    of = counts.quality.get()
    if not of:
        return findings
    for (rule, value), base in zip(of.items(), _bases(target), strict=True):
        known = usual.get(rule)
        if known is None:
            known = usual[rule] = BaselineRatio()
        declared = spec.missing_max if rule == "missing" else None
        if declared is not None:
            threshold = declared
        elif base is not None or known.believed:
            threshold = known.threshold(seen, base=base)
        else:
            findings.append(Finding(name, "data_quality", rule, "warming", n=seen))
            continue
        if threshold > MOST and rule == "wrong_type":
            threshold = MOST
        if threshold < least:
            threshold = least
        if value <= threshold:
            # Nearly always: this is what ``fault`` says as well.
            severity = value / threshold
            found = Finding(name, "data_quality", rule, "ok", value, threshold, severity, seen)
        else:
            before = known.ratio if base is None else base
            found = fault(name, rule, value, threshold, n=seen, before=before, most=declared)
        findings.append(found)
    return findings


def fault(
    target: str,
    rule: str,
    value: float,
    threshold: float,
    *,
    n: int,
    before: float,
    most: float | None = None,
    kind: str = "data_quality",
) -> Finding:
    """The finding of a share that must not rise: ``before`` is usual, ``most`` was declared."""
    if value <= threshold:
        return Finding(
            target,
            kind,
            rule,
            "ok",
            value=value,
            threshold=threshold,
            severity=value / threshold,
            n=n,
        )
    return Finding(
        target,
        kind,
        rule,
        "exceeding",
        value=value,
        threshold=threshold,
        severity=value / threshold,
        n=n,
        change=f"usually {100 * before:.2g} %" if most is None else _allowed(most),
        direction="up",
        histogram=Histogram(
            bins=["right", rule.replace("_", " ")],
            reference=[1.0 - before, before],
            current=[1.0 - value, value],
        ),
    )


def _allowed(most: float) -> str:
    return f"at most {100 * most:.2g} %" if most > 0 else "none is allowed"


def reworded(finding: Finding, change: str) -> Finding:
    """The same finding, said otherwise."""
    return replace(finding, change=change)


def _bases(target: Target) -> tuple[float | None, None, float, float | None]:
    """The ratios, in the order of ``KINDS``, that a declaration or a reference gives.

    None where only habit can tell.
    """
    missing = target.reference.missing_ratio if target.reference is not None else None
    return missing, None, 0.0, 0.0 if target.spec.allowed is not None else None


def scale(target: Target, counts: TargetCounts) -> Finding | None:
    """A jump of scale, told even while a reference is still learned."""
    if target.reference is not None or target.learning is None or counts.n < FEWEST:
        return None
    moments = counts.moments.get() if counts.moments is not None else {}
    if not isinstance(target.bins, NumericBins) or "mean" not in moments or not target.bins.scale:
        return None
    if counts.histogram is None or _js.value(target.learning.counts, counts.effective) < 0.8:
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
    value = float(counts.traffic.statuses[1]) / max(counts.traffic.n, 1)
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


def latency(
    target: Target,
    counts: TargetCounts,
    *,
    alpha: float,
    start: float,
    end: float,
    seasons: bool = True,
    compared: Compared | None = None,
) -> Finding:
    """Whether predictions take longer: p95 against the reference's, with the distance as proof."""
    found = distribution(
        target,
        counts,
        "latency",
        alpha=alpha,
        start=start,
        end=end,
        seasons=seasons,
        compared=compared,
    )
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
    after = counts.histogram.counts / max(counts.histogram.n, 1)
    most = int(np.argmax(np.abs(after - before)))
    label = target.reference.bins.labels[most]
    return f"{label}: {100 * before[most]:.0f} % → {100 * after[most]:.0f} %"
