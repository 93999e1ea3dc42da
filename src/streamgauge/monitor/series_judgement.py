"""All judgements of one series: hard rules over short spans, distances over full windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamgauge.alarms.finding import Finding
from streamgauge.batch.columns import ERROR
from streamgauge.monitor import judge
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.step import LABEL, LATENCY, OUTPUT, SCORE
from streamgauge.windows.judgement import Fullness, JudgementWindow

if TYPE_CHECKING:
    from streamgauge.monitor.series import Series


def judge_rules(series: Series, span: JudgementWindow[SeriesCounts]) -> list[Finding]:
    """Judge what is wrong with values and answers; what is not exceptional becomes usual."""
    findings: list[Finding] = []
    step = series.step
    settles_after = series.configuration.spec.reference.min_duration_seconds
    for name, target in series.targets.items():
        counts = span.contents.targets.get(name)
        if counts is None or name in (SCORE, LABEL, LATENCY):
            continue
        quality = counts.quality
        if target.born > series.born and name not in series.joined:
            # Another version brought it later: this one does not miss what it never had.
            if quality.missing == quality.seen:
                continue
            series.joined.add(name)
        usual = step.usual_of(name)
        found = judge.quality(target, counts, usual)
        for finding in found:
            if not finding.exceeds:
                usual[finding.rule].add(
                    getattr(quality, finding.rule),
                    quality.seen,
                    at=span.end,
                    settles_after=settles_after,
                )
        findings += found
    errors = judge.errors(span.contents, step.usual_errors)
    if not errors.exceeds:
        failed = int(span.contents.traffic.statuses[ERROR])
        step.usual_errors.add(failed, span.contents.n, at=span.end, settles_after=settles_after)
    return [*findings, errors]


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
    alpha = judge.alpha(
        spec.false_alarms_per_month,
        targets=sum(target.reference is not None for target in present.values()),
        duration=window.end - window.start,
    )
    findings: list[Finding] = []
    for name, target in present.items():
        counts = window.contents.targets[name]
        kind = "prediction_drift" if name in series.outputs else "feature_drift"
        if fullness == "too_few":
            needed = series.configuration.window.min_events
            findings.append(
                Finding(name, kind, "js", "too_few", n=window.contents.n, needed=needed)
            )
        elif name == LATENCY:
            findings.append(judge.latency(target, counts, alpha=alpha, now=window.end))
        else:
            findings.append(judge.distribution(target, counts, kind, alpha=alpha, now=window.end))
            jump = judge.scale(target, counts)
            findings += [jump] if jump is not None else []
    return findings
