"""What the owners planned to do when an alarm of this kind comes: the risk that it fulfils."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streamgauge.specs.claims import parse_figure
from streamgauge.specs.measures import ALIASES, MEASURES, measure
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.project import RiskSpec

#: Figures that an alarm of a kind speaks of, where its rule has none of its own.
_FIGURES: Mapping[str, Collection[str]] = {
    "feature_drift": ("drift_severity", "mean"),
    "prediction_drift": ("drift_severity", "mean_score", "low_confidence_ratio"),
    "concept_drift": tuple(n for n, m in MEASURES.items() if m.needs == "labels"),
    "performance": tuple(n for n, m in MEASURES.items() if m.needs == "labels"),
    "latency": ("p50_latency_ms", "p95_latency_ms", "p99_latency_ms"),
    "traffic": ("error_ratio", "fallback_ratio"),
    "staleness": ("throughput",),
}


def contingency_for(spec: ModelSpec, kind: str, rule: str, target: str) -> str | None:
    """The contingency of the risk that fits an alarm best; None where none does.

    ``target`` is what leads the alarm: a feature, an output, a rule of the spec, a kind of
    feedback. A risk fits by its monitor (the rule, else the kind of alarm) or by its metric; one
    that names the target fits better than one that is of all. Of equal ones the first in the spec
    counts.
    """
    risk = risk_for(spec, kind, rule, target)
    return risk.contingency if risk is not None else None


def risk_for(spec: ModelSpec, kind: str, rule: str, target: str) -> RiskSpec | None:
    """The risk that an alarm fulfils; those with a contingency only."""
    best, most = None, 0
    for risk in spec.risks:
        fit = _fit(risk, kind, rule, target)
        if risk.contingency is not None and fit > most:
            best, most = risk, fit
    return best


def _fit(risk: RiskSpec, kind: str, rule: str, target: str) -> int:
    """How well a risk fits: by monitor 8 (rule) or 2 (kind), by metric 3, 4 more for the target."""
    fit = 0
    if risk.monitor is not None:
        if risk.monitor in (rule, target, target.removeprefix("rule ")):
            fit += 8
        elif risk.monitor == kind:
            fit += 2
        elif risk.metric is None:
            return 0
    if risk.metric is not None:
        name, of = parse_figure(risk.metric)
        if of is not None and of != target:
            return 0
        if ALIASES.get(name, name) in _figures(kind, rule, target):
            fit += 3 + (4 if of is not None else 0)
    return fit


def _figures(kind: str, rule: str, target: str) -> Collection[str]:
    """The figures that an alarm speaks of: its rule's own, else those of its kind."""
    own = [f"{target}_ratio"] if kind == "feedback" else [rule, f"{rule}_ratio"]
    if kind == "latency":
        own = [f"{rule}_latency_ms"]
    elif rule == "missing" and target == "output":
        own = ["null_output_ratio"]
    known = [name for name in own if measure(name) is not None]
    return known or _FIGURES.get(kind, ())
