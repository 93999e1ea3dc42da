"""One model: how it runs, what moved, what was told, who uses it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import ladders, links, marks, variables
from deploy.grafana.colours import FIRES
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number, states
from deploy.grafana.queries import PREDICTIONS, RATE, error_ratio, or_zero, quantile
from deploy.grafana.severity import TIMES, bars, severities

MODEL = 'model="$model"'
SERIES = 'model="$model", version=~"$version"'
SLICE = f'{SERIES}, segment="$segment"'
STATE = "streamgauge_model_state"
SEVERITY = f"streamgauge_drift_severity_ratio{{{SERIES}}}"
LATENCY = "streamgauge_prediction_latency_seconds"


def dashboard() -> Dashboard:
    """Model."""
    return page(
        links.MODEL,
        "Model",
        "One model: how it runs, what moved, what was told, who uses it.",
        variables=[
            variables.model(),
            variables.version(),
            variables.one(
                "segment",
                "Declared segment whose values the slices show.",
                metric='streamgauge_slice_predictions{model="$model"}',
                label="segment",
            ),
        ],
        annotations=[marks.alarms(MODEL), marks.deploys(MODEL)],
        rows=[
            ("Is it all right?", _well()),
            ("Traffic, errors, latency", _traffic()),
            ("What moved?", _drift()),
            ("What was told, and does it keep its promises?", _promises()),
            ("For whom? Slices by $segment", _slices()),
            ("Who uses it, and what is not counted?", _use()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "State",
            "State of the last judged window, the worst over the chosen versions.",
            ladders.ranked(STATE, ladders.STATES, by="model", where=SERIES),
            unit="none",
            ladder=ladders.STATES,
        ),
        number(
            "Open alarms",
            "Alarms of this model that fire now.",
            or_zero(f"sum(streamgauge_alarms_active{{{MODEL}}})"),
            unit="short",
            turns={1: "red"},
        ),
        number(
            "Worst severity",
            "Score divided by threshold of the worst judgement; from 1 on it exceeds.",
            f"max({SEVERITY})",
            unit=TIMES,
            turns=FIRES,
            decimals=2,
            links=[links.of_variables("Which feature?", links.FEATURE, "model")],
        ),
        number(
            "Predictions",
            "Predictions counted each second.",
            f"sum(rate({PREDICTIONS}{{{SERIES}}}{RATE}))",
            unit="eps",
        ),
        number(
            "Errors",
            "Share of predictions that ended in an error.",
            error_ratio(SERIES, by="model"),
            unit="percentunit",
        ),
        number(
            "Latency, p95",
            "95 of 100 predictions were faster, as the service measured it.",
            quantile(0.95, LATENCY, SERIES),
            unit="s",
        ),
    ]


def _traffic() -> list[Panel]:
    return [
        graph(
            "Predictions",
            "Predictions each second, by version and status.",
            (
                f"sum by (version, step, status) (rate({PREDICTIONS}{{{SERIES}}}{RATE}))",
                "{{version}} {{step}} {{status}}",
            ),
            unit="eps",
            stacked=True,
        ),
        graph(
            "Errors",
            "Share of predictions that ended in an error, by version.",
            (error_ratio(SERIES, by="version, step"), "{{version}} {{step}}"),
            unit="percentunit",
        ),
        graph(
            "Latency",
            "Quantiles of the latency that the service measured.",
            (quantile(0.5, LATENCY, SERIES), "p50"),
            (quantile(0.95, LATENCY, SERIES), "p95"),
            (quantile(0.99, LATENCY, SERIES), "p99"),
            unit="s",
        ),
    ]


def _drift() -> list[Panel]:
    why = [links.of_series("Why?", links.FEATURE, model="model", feature="feature")]
    return [
        severities(
            "Severity, feature by time",
            "Score divided by threshold of each feature's judgement: red from 1 on. The firing"
            " features and the ten worst have series; the rest is quiet.",
            (f"max by (model, feature) ({SEVERITY})", "{{feature}}"),
            span=16,
            links=why,
        ),
        bars(
            "Worst features now",
            "The ten gravest judgements of the last window; a click says why.",
            (f"topk(10, max by (model, feature) ({SEVERITY}))", "{{feature}}"),
            links=why,
        ),
    ]


def _promises() -> list[Panel]:
    return [
        graph(
            "Open alarms",
            "Alarms of this model that fire, by kind and severity.",
            (
                or_zero(f"sum by (kind, severity) (streamgauge_alarms_active{{{MODEL}}})"),
                "{{kind}} {{severity}}",
            ),
            unit="short",
            stacked=True,
        ),
        states(
            "State by version",
            "State of the last judged window of each version and step.",
            (
                ladders.ranked(STATE, ladders.STATES, by="version, step", where=SERIES),
                "{{version}} {{step}}",
            ),
            ladder=ladders.STATES,
            span=8,
        ),
        states(
            "Criteria",
            "Verdict of the last windows on each claim of the spec. A model without criteria has"
            " none here.",
            (
                ladders.ranked(
                    "streamgauge_criterion_state",
                    ladders.VERDICTS,
                    by="criterion",
                    where=MODEL,
                ),
                "{{criterion}}",
            ),
            ladder=ladders.VERDICTS,
            span=8,
        ),
    ]


def _slices() -> list[Panel]:
    return [
        graph(
            "Predictions by slice",
            "Predictions in the last judged window, by value of the segment; its ten largest.",
            (f"sum by (value) (streamgauge_slice_predictions{{{SLICE}}})", "{{value}}"),
            unit="short",
        ),
        graph(
            "Errors by slice",
            "Share of a slice's predictions that ended in an error, last judged window.",
            (f"max by (value) (streamgauge_slice_error_ratio{{{SLICE}}})", "{{value}}"),
            unit="percentunit",
        ),
        graph(
            "Severity by slice",
            "Distance of a slice from its own past divided by its threshold. Evidence: it fires"
            " no alarm.",
            (f"max by (value) (streamgauge_slice_severity_ratio{{{SLICE}}})", "{{value}}"),
            unit=TIMES,
            limit=1,
        ),
    ]


def _use() -> list[Panel]:
    return [
        graph(
            "What users do",
            "Share of interactions in which users did this, last window of them.",
            (f"streamgauge_feedback_rate_ratio{{{MODEL}}}", "{{kind}}"),
            unit="percentunit",
        ),
        graph(
            "CPU of clients",
            "CPU of the busiest process of each service that publishes; 1 is one core.",
            (f"streamgauge_client_cpu_ratio{{{MODEL}}}", "{{service}}"),
            unit="percentunit",
        ),
        graph(
            "Not counted or not judged",
            "Events of the last hour that came too late or are beyond a limit (versions,"
            " features); lost ones as they stand, since the start.",
            (f"streamgauge_client_lost_events{{{MODEL}}}", "lost"),
            (f"increase(streamgauge_late_events_total{{{MODEL}}}[1h])", "late"),
            (
                f"increase(streamgauge_unmonitored_predictions_total{{{MODEL}}}[1h])",
                "not judged",
            ),
            (
                f"increase(streamgauge_dropped_feature_values_total{{{MODEL}}}[1h])",
                "feature values",
            ),
            unit="short",
        ),
        graph(
            "Processes of clients",
            "Processes that publish for this model and reported within the last minute.",
            (f"streamgauge_client_processes{{{MODEL}}}", "{{service}}"),
            unit="short",
            span=12,
        ),
        graph(
            "Version of the spec",
            "The newest that is stored and the one that the monitor goes by; 0 without a spec.",
            (f"max(streamgauge_spec_stored_version{{{MODEL}}})", "stored"),
            (f"max(streamgauge_spec_version{{{MODEL}}})", "taken"),
            unit="none",
            span=12,
        ),
    ]
