"""What the owners planned to do when an alarm of this kind comes: the risk that it fulfils."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streamgauge.specs.claims import parse_figure
from streamgauge.specs.measures import ALIASES, MEASURES
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

    ``target`` is the feature or output that leads the alarm. A risk fits by its monitor (the rule,
    else the kind of alarm) or by its metric; one that names the target fits better than one that is
    of all. Of equal ones the first in the spec counts.
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
        if risk.monitor == rule:
            fit += 8
        elif risk.monitor == kind:
            fit += 2
        elif risk.metric is None:
            return 0
    if risk.metric is not None:
        name, of = parse_figure(risk.metric)
        if of is not None and of != target:
            return 0
        if _speaks_of(kind, rule, ALIASES.get(name, name)):
            fit += 3 + (4 if of is not None else 0)
    return fit


def _speaks_of(kind: str, rule: str, figure: str) -> bool:
    own = {rule, f"{rule}_ratio", f"{rule}_latency_ms"}
    if figure in own:
        return True
    # A rule that has a figure of its own is not about the kind's others.
    known = any(name in MEASURES for name in own)
    return not known and figure in _FIGURES.get(kind, ())
