"""What a spec demands of performance, held against a window: criteria and baselines."""

from __future__ import annotations

from collections.abc import Iterator

from streamgauge.alarms.finding import Finding
from streamgauge.monitor.criteria import CONFIDENCE
from streamgauge.monitor.figures import Figure
from streamgauge.monitor.truth.figures import performance_figures
from streamgauge.monitor.truth.series import TruthSeries
from streamgauge.monitor.truth.task import Task
from streamgauge.monitor.truth.window import TruthWindow
from streamgauge.specs.criteria import every_criterion
from streamgauge.specs.measures import measure
from streamgauge.specs.model_spec import ModelSpec


def goal_findings(
    spec: ModelSpec, task: Task | None, series: TruthSeries, window: TruthWindow
) -> list[Finding]:
    """One finding for each criterion about performance; it exceeds when it fails for sure."""
    figures = performance_figures(window.whole, task)
    return list(_findings(spec, figures, window))


def _findings(
    spec: ModelSpec, figures: dict[str, Figure], window: TruthWindow
) -> Iterator[Finding]:
    for criterion in every_criterion(spec):
        claim = criterion.claim
        known = measure(claim.name)
        if known is None or known.needs != "labels":
            continue
        figure = figures.get(claim.figure)
        estimate = figure.estimate(CONFIDENCE) if figure is not None else None
        if estimate is None:
            yield Finding(claim.figure, "performance", "criterion", "no_data", n=window.rows)
            continue
        best = estimate.low if claim.upper else estimate.high
        failed = best is not None and not claim.holds(best)
        # Beyond 1 exactly where the whole interval is on the wrong side.
        gap = abs(estimate.value - claim.bound)
        reach = abs((best if best is not None else claim.bound) - estimate.value)
        severity = gap / reach if reach and not claim.holds(estimate.value) else 0.0
        yield Finding(
            claim.figure,
            "performance",
            "criterion",
            "exceeding" if failed else "ok",
            value=estimate.value,
            threshold=claim.bound,
            severity=max(severity, 1.0 + 1e-9) if failed else min(severity, 1.0),
            n=estimate.n,
            change=f"wanted: {criterion.expr}",
            direction="up" if claim.upper else "down",
        )
