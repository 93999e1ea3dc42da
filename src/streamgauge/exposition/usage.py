"""Who uses a model and what they do with it, its claims and its clients, as series."""

from __future__ import annotations

from streamgauge.exposition.clients import service_summaries
from streamgauge.exposition.fleet import STATES, VERDICTS, ModelSummary, SeriesSummary
from streamgauge.exposition.sheet import Sheet
from streamgauge.telemetry import clients, models, usage

#: Kinds of feedback of one model that have a series each; users invent their own.
FEEDBACK_KINDS = 20
#: Services of one model that have series, those with most processes.
SERVICES = 20
#: As the label ``state`` has them, which is in small letters everywhere.
_VERDICTS = tuple(verdict.lower() for verdict in VERDICTS)


def put_criteria(sheet: Sheet, model: ModelSummary) -> None:
    """The claims of the spec and whether they hold."""
    for each in model.criteria:
        labels = {"model": model.model, "criterion": each.name}
        sheet.states(models.CRITERION_STATE, each.state.lower(), _VERDICTS, **labels)


def put_behaviour(sheet: Sheet, model: ModelSummary) -> None:
    """Rates of what users do; judged ones stand among all other judgements too.

    Where nothing comes any more, the rates of the last window are not of now.
    """
    if model.silent:
        return
    if model.behaviour:
        sheet.gauge(usage.INTERACTIONS, model.interactions, model=model.model)
    for place, each in enumerate(model.behaviour):
        if place >= FEEDBACK_KINDS:
            sheet.dropped["feedback"] += 1
            continue
        sheet.gauge(usage.FEEDBACK_RATE, each.ratio, model=model.model, kind=each.kind)
        judgement = each.judgement
        if judgement.threshold is None:
            continue
        labels = {"model": model.model, "version": "", "step": ""}
        labels |= {"feature": f"feedback {each.kind}", "detector": judgement.detector}
        sheet.states(models.DETECTOR_STATE, judgement.state, STATES, **labels)
        sheet.gauge(models.DRIFT_SEVERITY, judgement.severity, **labels)
        sheet.gauge(models.DRIFT_SCORE, judgement.value, **labels)
        sheet.gauge(models.DRIFT_THRESHOLD, judgement.threshold, **labels)


def put_clients(sheet: Sheet, model: ModelSummary, *, now: float) -> None:
    """How the services fare. One without a living process is at 0, and measures nothing."""
    for place, service in enumerate(service_summaries(model.clients, now=now)):
        if place >= SERVICES:
            sheet.dropped["services"] += 1
            continue
        labels = {"model": model.model, "service": service.service}
        sheet.gauge(clients.CLIENT_PROCESSES, service.processes, **labels)
        for name, definition in clients.MEASUREMENTS.items():
            sheet.gauge(definition, service.measurements.get(name), **labels)


def put_slices(sheet: Sheet, model: str, series: SeriesSummary) -> None:
    """Declared segments of the last window, as long as that is of now."""
    for each in () if series.silent else series.slices:
        labels = {"model": model, "version": series.version, "step": series.step}
        labels |= {"segment": each.segment, "value": each.value}
        sheet.gauge(usage.SLICE_PREDICTIONS, each.n, **labels)
        sheet.gauge(usage.SLICE_ERRORS, each.error_ratio, **labels)
        sheet.gauge(usage.SLICE_SEVERITY, each.severity, **labels)
