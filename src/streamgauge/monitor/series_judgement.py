"""All judgements of one series: hard rules over short spans, distances over full windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamgauge.alarms.finding import Finding
from streamgauge.batch.columns import ERROR
from streamgauge.metrics.quality import KINDS
from streamgauge.monitor import judge
from streamgauge.monitor.baseline_ratio import BaselineRatio
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.release import release_findings
from streamgauge.monitor.step import ANOMALY, CONFIDENCE, LABEL, LATENCY, OUTPUT, SCORE
from streamgauge.monitor.unusual import UNUSUAL_RULE
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.windows.judgement import Fullness, JudgementWindow

if TYPE_CHECKING:
    from streamgauge.monitor.series import Series

EVERY_RULE = frozenset(KINDS)
#: Targets of findings that are about no column.
RULE, PREDICTION_ID, TIMESTAMP = "rule ", "prediction_id", "timestamp"
#: The share of unusual inputs must double, and rise by this much.
LEAST_UNUSUAL = 0.1
UNUSUAL_WINDOWS = 30
#: Sampled ids (one in 16) of which a share means something.
FEWEST_SAMPLED = 30


def judge_rules(series: Series, span: JudgementWindow[SeriesCounts]) -> list[Finding]:
    """Judge what is wrong with values and answers; what is not exceptional becomes usual."""
    findings: list[Finding] = []
    step = series.step
    settles_after = series.configuration.spec.reference.min_duration_seconds
    for name, target in series.targets.items():
        counts = span.contents.targets.get(name)
        rules = judged_rules(series, name)
        if counts is None or not rules:
            continue
        quality = counts.quality
        if target.born > series.born and name not in series.joined:
            # Another version brought it later: this one does not miss what it never had.
            if quality.missing == quality.seen:
                continue
            series.joined.add(name)
        usual = step.usual_of(name)
        for finding in judge.quality(target, counts, usual):
            rule = finding.rule
            if rule not in rules:
                continue
            findings.append(finding)
            if finding.state != "exceeding":
                usual[rule].add(
                    getattr(quality, rule),
                    quality.seen,
                    events=counts.events,
                    at=span.end,
                    settles_after=settles_after,
                )
    findings += _low_confidence(series, span)
    findings += _clocks(series, span, settles_after)
    findings += _broken_rules(series, span)
    errors = judge.errors(span.contents, step.usual_errors)
    if not errors.exceeds:
        traffic = span.contents.traffic
        failed = int(traffic.statuses[ERROR])
        step.usual_errors.add(
            failed, traffic.n, events=traffic.events, at=span.end, settles_after=settles_after
        )
    return [*findings, errors]


def judged_rules(series: Series, name: str) -> frozenset[str]:
    """Which hard rules make sense for a target: an output that is absent is not missing."""
    if name not in series.outputs:
        return EVERY_RULE
    said = series.configuration.spec.output
    if name == OUTPUT:
        return frozenset({"missing"})
    if name == SCORE and said.range is not None:
        return frozenset({"out_of_range"})
    if name == LABEL and said.allowed is not None:
        return frozenset({"new_category"})
    return frozenset()


def _low_confidence(series: Series, span: JudgementWindow[SeriesCounts]) -> list[Finding]:
    """The share of answers of which the model was not sure, against what the spec allows.

    Without a limit it is shown only: confidence goes with the inputs, which have hours and moods.
    That its distribution moved is told by the distance.
    """
    counts = span.contents.targets.get(CONFIDENCE)
    quality = counts.quality if counts is not None else None
    told = quality.seen - quality.missing if quality is not None else 0
    if counts is None or quality is None or not told:
        return []
    most = series.configuration.spec.output.low_confidence_max
    value, n = quality.out_of_range / told, counts.events
    if most is None:
        return [
            Finding(
                CONFIDENCE,
                "prediction_drift",
                "low_confidence",
                "warming",
                value=value,
                n=n,
                reason="no limit: set output.low_confidence_max",
            )
        ]
    return [
        judge.fault(
            CONFIDENCE,
            "low_confidence",
            value,
            max(most, 0.5 / max(n, 1)),
            n=n,
            before=most,
            most=most,
            kind="prediction_drift",
        )
    ]


def _broken_rules(series: Series, span: JudgementWindow[SeriesCounts]) -> list[Finding]:
    """The spec's own rules: the share of events that break one, of those it applies to."""
    found = []
    counts = span.contents.rules
    for rule in series.configuration.spec.rules:
        applicable, n = counts.applicable(rule.name), counts.events(rule.name)
        if not applicable:
            found.append(Finding(RULE + rule.name, "data_quality", "rule", "no_data"))
            continue
        value = counts.violated(rule.name) / applicable
        verdict = judge.fault(
            RULE + rule.name,
            "rule",
            value,
            max(rule.max_ratio, 0.5 / max(n, 1)),
            n=n,
            before=rule.max_ratio,
            most=rule.max_ratio,
        )
        found.append(verdict)
    return found


def _unusual(
    series: Series, window: JudgementWindow[SeriesCounts], *, alpha: float
) -> list[Finding]:
    """The share of events whose features don't go together as they used to."""
    counts = window.contents.rules
    judged, n = counts.applicable(UNUSUAL_RULE), counts.events(UNUSUAL_RULE)
    if not judged:
        return []
    usual = series.step.usual_of(ANOMALY).setdefault("unusual", BaselineRatio())
    spread = series.step.unusual_spread
    value = counts.violated(UNUSUAL_RULE) / judged
    if spread.windows < UNUSUAL_WINDOWS:
        found = Finding(
            ANOMALY,
            "feature_drift",
            "unusual",
            "warming",
            value=value,
            n=n,
            needed=UNUSUAL_WINDOWS,
            reason=f"learning what is usual: {spread.windows} windows",
        )
    else:
        rise = max(LEAST_UNUSUAL, usual.ratio)
        found = judge.fault(
            ANOMALY,
            "unusual",
            value,
            max(usual.threshold(n, least_rise=rise), spread.threshold(alpha=alpha)),
            n=n,
            before=usual.ratio,
            kind="feature_drift",
        )
    if not found.exceeds:
        settles_after = series.configuration.spec.reference.min_duration_seconds
        usual.add(
            counts.violated(UNUSUAL_RULE),
            judged,
            events=n,
            at=window.end,
            settles_after=settles_after,
        )
        spread.add(value)
    return [found]


def _clocks(
    series: Series, span: JudgementWindow[SeriesCounts], settles_after: float
) -> list[Finding]:
    """The share of events that state a time ahead of their record: somebody's clock is wrong."""
    skew, n = span.contents.skew, span.contents.n
    told = skew.n
    if not told:
        return []
    usual = series.step.usual_of(TIMESTAMP).setdefault("ahead", BaselineRatio())
    ahead = skew.ahead
    value = ahead / told
    if not usual.believed:
        found = Finding(TIMESTAMP, "data_quality", "ahead", "warming", value=value, n=n)
    else:
        found = judge.fault(TIMESTAMP, "ahead", value, usual.threshold(n), n=n, before=usual.ratio)
    if not found.exceeds:
        usual.add(ahead, told, events=n, at=span.end, settles_after=settles_after)
    return [found]


def _duplicates(
    series: Series, span: JudgementWindow[SeriesCounts], settles_after: float
) -> list[Finding]:
    """Prediction ids that come again: a retry that is published twice, a batch that ran twice."""
    counts = span.contents.duplicates
    # Of a short span's sample nothing can be told.
    if counts.sampled < FEWEST_SAMPLED:
        return []
    usual = series.step.usual_of(PREDICTION_ID).setdefault("duplicate", BaselineRatio())
    value = counts.repeated / counts.sampled
    if not usual.believed:
        found = Finding(PREDICTION_ID, "data_quality", "duplicate", "warming", n=counts.sampled)
    else:
        found = judge.fault(
            PREDICTION_ID,
            "duplicate",
            value,
            usual.threshold(counts.sampled),
            n=counts.sampled,
            before=usual.ratio,
        )
    if not found.exceeds:
        usual.add(counts.repeated, counts.sampled, at=span.end, settles_after=settles_after)
    return [found]


def alpha_of(spec: ModelSpec, targets: int, window: JudgementWindow[SeriesCounts]) -> float:
    """Chance that one of a window's tests may err."""
    return judge.alpha(
        spec.false_alarms_per_month, targets=targets, duration=window.end - window.start
    )


def judge_window(
    series: Series, window: JudgementWindow[SeriesCounts], fullness: Fullness
) -> list[Finding]:
    """Compare everything that the window holds with its reference."""
    spec = series.configuration.spec
    present = {
        name: target
        for name, target in series.targets.items()
        # An output that no event ever had is none of this model's.
        if name in window.contents.targets
        and name != OUTPUT
        and not (name in series.outputs and target.type == "unknown")
    }
    if SCORE in present and CONFIDENCE in present and series.outputs[LABEL].type != "unknown":
        # A label's score is its confidence: twice the same would be two tests of one thing.
        del present[CONFIDENCE]
    tests = sum(target.reference is not None for target in present.values())
    alpha = alpha_of(spec, tests, window)
    findings: list[Finding] = []
    pairs = [(target, window.contents.targets[name]) for name, target in present.items()]
    together = fullness != "too_few"
    compared = series.table.compare(pairs, alpha=alpha) if together else {}
    for target, counts in pairs:
        name = target.name
        kind = "prediction_drift" if name in series.outputs else "feature_drift"
        if fullness == "too_few":
            needed = series.configuration.window.min_events
            findings.append(
                Finding(name, kind, "js", "too_few", n=window.contents.n, needed=needed)
            )
            continue
        known: dict[str, Any] = {"compared": compared.get(name), "seasons": spec.watch.seasons}
        known |= {"start": window.start, "end": window.end, "alpha": alpha}
        if name == LATENCY:
            findings.append(judge.latency(target, counts, **known))
            continue
        findings.append(judge.distribution(target, counts, kind, **known))
        jump = judge.scale(target, counts)
        findings += [jump] if jump is not None else []
    if fullness == "full":
        findings += _duplicates(series, window, spec.reference.min_duration_seconds)
        findings += _unusual(series, window, alpha=alpha)
    if fullness == "full" and series.rival is not None and spec.watch.releases:
        findings += release_findings(series, series.rival, window, alpha=alpha)
    return findings
