"""A model's criteria as its view shows them, from the last windows of its versions."""

from __future__ import annotations

from streamgauge.monitor.catalogue import PAUSE_WINDOWS
from streamgauge.monitor.criteria import evaluate
from streamgauge.monitor.figures import Figure, Level
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.series import Series
from streamgauge.monitor.truth.figures import performance_figures
from streamgauge.monitor.truth.performance import Performance
from streamgauge.monitor.usage_figures import feedback_figures, telemetry_figures
from streamgauge.monitor.window_figures import figures_of
from streamgauge.specs.criteria import every_criterion
from streamgauge.state.views import CriterionView

_DRIFT = ("feature_drift", "prediction_drift")


def criteria_views(monitor: ModelMonitor) -> list[CriterionView]:
    """Verdicts on every criterion of the spec in force; none where it claims nothing."""
    criteria = every_criterion(monitor.configuration.spec)
    return evaluate(criteria, model_figures(monitor)) if criteria else []


def model_figures(monitor: ModelMonitor) -> dict[str, Figure]:
    """The figures of all steps. Where steps have the same one, it is that of the answering step.

    That is the nameless step of a model of one step, else the one that came last in the log.
    """
    found: dict[str, Figure] = {}
    worst = 0.0
    # An earlier step's figure is overwritten by a later one's.
    for step in sorted(monitor.steps, key=lambda name: name == ""):
        live = _live([s for s in monitor.series.values() if s.step.name == step])
        severities: dict[str, float] = {}
        for series in live:
            for findings in series.last.findings.values():
                for finding in findings:
                    if finding.severity is not None and finding.kind in _DRIFT:
                        known = severities.get(finding.target, 0.0)
                        severities[finding.target] = max(known, finding.severity)
        windows = [(s.last.counts, (s.last.end or 0.0) - (s.last.start or 0.0)) for s in live]
        worst = max(worst, *severities.values(), 0.0)
        found |= figures_of(windows, severities=severities)
    found |= _truth_figures(monitor)
    acts, kinds = monitor.behaviour.last_acts, monitor.behaviour.usual
    found |= feedback_figures(acts.acts, acts.interactions, kinds=kinds)
    found |= telemetry_figures([each.measurements for each in monitor.clients.views()])
    if "drift_severity" in found:
        found["drift_severity"] = Level(worst)
    return found


def _truth_figures(monitor: ModelMonitor) -> dict[str, Figure]:
    """Figures of performance in the last settled windows, of all live versions of a step."""
    truth = monitor.truth.truth
    found: dict[str, Figure] = {}
    # Steps as above; a version that no window closed of for long says nothing of today.
    for step in sorted({step for _, step in truth.series}, key=lambda name: name == ""):
        windows = [s.last for s in truth.series.values() if s.step == step and s.last is not None]
        newest = max((window.end for window in windows), default=0.0)
        live = [
            window.whole
            for window in windows
            if window.end >= newest - PAUSE_WINDOWS * (window.end - (window.start or 0.0))
        ]
        together = live[0] if len(live) == 1 else Performance()
        for each in live if len(live) > 1 else ():
            together.merge(each)
        found |= performance_figures(together, truth.task)
    return found


def _live(series: list[Series]) -> list[Series]:
    """Those with a window that is not long past: a retired version says nothing of today."""
    judged = [each for each in series if each.last.end is not None and each.last.start is not None]
    newest = max((each.last.end or 0.0 for each in judged), default=0.0)

    def recent(each: Series) -> bool:
        start, end = each.last.start or 0.0, each.last.end or 0.0
        return end >= newest - PAUSE_WINDOWS * (end - start)

    return [each for each in judged if recent(each)]
