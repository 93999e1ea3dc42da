"""All models on one screen: which of them need a look, and where to look then."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import ladders, links, marks
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number, states
from deploy.grafana.queries import PREDICTIONS, RATE, error_ratio, or_zero, quantile
from deploy.grafana.severity import TIMES, severities
from deploy.grafana.table import Column, table

STATE = "streamgauge_model_state"
WORST = "max by (model) (streamgauge_drift_severity_ratio)"
#: 0 for a model that never had one: it has no such series.
ALARMS = (
    "sum by (model) (streamgauge_alarms_active) or max by (model) (streamgauge_model_expected) * 0"
)
AGE = "time() - max by (model) (streamgauge_last_event_timestamp_seconds)"


def dashboard() -> Dashboard:
    """Fleet overview."""
    return page(
        links.FLEET,
        "Fleet overview",
        "Which models need a look: states, alarms, traffic, drift of all of them.",
        annotations=[marks.alarms(), marks.deploys()],
        rows=[
            ("Is it all right?", _well()),
            ("Which model?", [_models()]),
            ("Traffic, errors, latency", _traffic()),
            ("What moved, and what was told", _drift()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "Models",
            "Models that were seen or have a spec.",
            "count(streamgauge_model_expected)",
            unit="short",
        ),
        number(
            "Models firing",
            "Models with a version whose last judged window fires.",
            or_zero(f'count(max by (model) ({STATE}{{state="firing"}}) == 1)'),
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Silent models",
            "Models of which nothing comes: no version and no step of them sends.",
            or_zero(f'count(min by (model) ({STATE}{{state="no_data"}}) == 1)'),
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Open alarms",
            "Alarms that fire now; one for each cause.",
            or_zero("sum(streamgauge_alarms_active)"),
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Criteria that fail",
            "Claims of specs that the last windows refute.",
            or_zero('sum(streamgauge_criterion_state{state="fail"})'),
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Newest prediction",
            "Age of the newest prediction of any model, by its own time.",
            "time() - max(streamgauge_last_event_timestamp_seconds)",
            unit="s",
            turns={60: "orange", 300: "red"},
        ),
    ]


def _models() -> Panel:
    return table(
        "Models",
        "A row for each model, all its versions together. A click on its name leads on.",
        label="model",
        links=[
            links.of_row("What about it?", links.MODEL, model="model"),
            links.of_row("Were its answers right?", links.TRUTH, model="model"),
        ],
        columns=[
            Column(
                "State",
                ladders.ranked(STATE, ladders.STATES, by="model"),
                "none",
                ladder=ladders.STATES,
            ),
            Column("Open alarms", ALARMS, "short", red=1),
            Column("Worst severity", WORST, TIMES, red=1),
            Column("Predictions", f"sum by (model) (rate({PREDICTIONS}{RATE}))", "eps"),
            Column("Errors", error_ratio(by="model"), "percentunit"),
            Column(
                "p95", quantile(0.95, "streamgauge_prediction_latency_seconds", by="model"), "s"
            ),
            Column("Labelled", "max by (model) (streamgauge_label_coverage_ratio)", "percentunit"),
            Column("Newest prediction", AGE, "s", red=300),
        ],
    )


def _traffic() -> list[Panel]:
    more = [links.of_series("What about ${__field.labels.model}?", links.MODEL, model="model")]
    return [
        graph(
            "Predictions",
            "Predictions counted each second, whatever their status.",
            (f"sum by (model) (rate({PREDICTIONS}{RATE}))", "{{model}}"),
            unit="eps",
            links=more,
        ),
        graph(
            "Errors",
            "Share of predictions that ended in an error.",
            (error_ratio(by="model"), "{{model}}"),
            unit="percentunit",
            links=more,
        ),
        graph(
            "Latency, p95",
            "95 of 100 predictions were faster, as their services measured it.",
            (
                quantile(0.95, "streamgauge_prediction_latency_seconds", by="model"),
                "{{model}}",
            ),
            unit="s",
            links=more,
        ),
    ]


def _drift() -> list[Panel]:
    more = [links.of_series("What about ${__field.labels.model}?", links.MODEL, model="model")]
    return [
        severities(
            "Worst severity by model",
            "Score of the worst judgement divided by its threshold: red from 1 on, which fires"
            " when windows agree.",
            (WORST, "{{model}}"),
            links=more,
        ),
        graph(
            "Open alarms",
            "Alarms that fire, by model and kind.",
            (or_zero("sum by (model, kind) (streamgauge_alarms_active)"), "{{model}} {{kind}}"),
            unit="short",
            span=12,
            stacked=True,
            links=more,
        ),
        states(
            "States",
            "State of the last judged window, the worst over versions and steps.",
            (ladders.ranked(STATE, ladders.STATES, by="model"), "{{model}}"),
            ladder=ladders.STATES,
        ),
    ]
