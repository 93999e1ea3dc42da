"""What predictions turned out to be: performance, how labels come, calibration."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import links, marks, variables
from deploy.grafana.colours import FIRES
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number
from deploy.grafana.queries import RATE, or_zero
from deploy.grafana.severity import TIMES

MODEL = 'model="$model"'
SERIES = 'model="$model", version=~"$version"'
SCORE = "streamgauge_performance_score"
END = "streamgauge_performance_end_timestamp_seconds"
LEGEND = "{{version}} {{step}} {{maturity}}"
OF_ERRORS = 'detector="error_ratio", feature="errors"'


def dashboard() -> Dashboard:
    """Truth."""
    return page(
        links.TRUTH,
        "Truth",
        "Whether the answers were right, and how much of the truth that stands on.",
        variables=[
            variables.model("streamgauge_labels_pending"),
            variables.version(),
            variables.one(
                "metric",
                "Which figure of performance; the model's task decides which there are.",
                metric=f"{SCORE}{{{MODEL}}}",
                label="metric",
            ),
        ],
        annotations=[marks.alarms(MODEL), marks.deploys(MODEL)],
        rows=[
            ("Is it all right?", _well()),
            ("Were the answers right?", _performance()),
            ("Do labels come?", _labels()),
            ("Do scores mean what they say?", _calibration()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "$metric, settled",
            "The chosen figure of the last window whose labels have settled, the mean of the chosen"
            " versions.",
            f'avg({SCORE}{{{SERIES}, metric="$metric", maturity="settled"}})',
            unit="short",
            decimals=4,
        ),
        number(
            "Wrong answers, severity",
            "Share of wrong answers divided by its threshold; from 1 on it exceeds.",
            f"max(streamgauge_drift_severity_ratio{{{SERIES}, {OF_ERRORS}}})",
            unit=TIMES,
            turns=FIRES,
            decimals=2,
        ),
        number(
            "Labelled",
            "Share of settled predictions that got a label, since the start.",
            f"max(streamgauge_label_coverage_ratio{{{MODEL}}})",
            unit="percentunit",
        ),
        number(
            "Waiting",
            "Predictions that wait for their label.",
            f"sum(streamgauge_labels_pending{{{MODEL}}})",
            unit="short",
        ),
        number(
            "Label delay, p95",
            "By when 95 of 100 predictions have their label. None while labels leave it open.",
            f'max(streamgauge_label_delay_seconds{{{MODEL}, quantile="0.95"}})',
            unit="s",
        ),
        number(
            "Age of the truth",
            "Age of the newest prediction behind the settled figures.",
            f'time() - max({END}{{{SERIES}, maturity="settled"}})',
            unit="s",
        ),
    ]


def _performance() -> list[Panel]:
    return [
        graph(
            "$metric",
            "The chosen figure: settled, of the last window of labels; provisional, of those on"
            " the way.",
            (
                f'max by (version, step, maturity) ({SCORE}{{{SERIES}, metric="$metric"}})',
                LEGEND,
            ),
            unit="short",
            least=None,
        ),
        graph(
            "Labelled behind it",
            "Share of the predictions behind a figure whose label is in. A figure that stands on"
            " few labels says little.",
            (
                "max by (version, step, maturity)"
                f" (streamgauge_performance_labelled_ratio{{{SERIES}}})",
                LEGEND,
            ),
            unit="percentunit",
            most=1,
        ),
        graph(
            "Wrong answers by slice",
            "Share of wrong answers in the last settled window, by value of a declared segment;"
            " regressions have none.",
            (
                f"max by (segment, value) (streamgauge_performance_slice_error_ratio{{{SERIES}}})",
                "{{segment}}={{value}}",
            ),
            unit="percentunit",
        ),
    ]


def _labels() -> list[Panel]:
    outcomes = f"streamgauge_label_outcomes_total{{{MODEL}, outcome=~"
    return [
        graph(
            "Predictions and labels",
            "Predictions and labels each second, and pairs that were joined.",
            (f'sum(rate({outcomes}"predictions"}}{RATE}))', "predictions"),
            (f"sum(rate(streamgauge_labels_total{{{MODEL}}}{RATE}))", "labels"),
            (f'sum(rate({outcomes}"joined"}}{RATE}))', "joined"),
            unit="eps",
        ),
        graph(
            "Label delay",
            "Time from prediction to label, by quantile of all predictions.",
            (
                f"max by (quantile) (streamgauge_label_delay_seconds{{{MODEL}}})",
                "{{quantile}}",
            ),
            unit="s",
        ),
        graph(
            "Labels that came to nothing",
            "Each second: labels without their prediction, predictions that expired without a"
            " label, labels in conflict, outdated or of the wrong type; and what corrected others.",
            (f"sum(rate(streamgauge_label_orphans_total{{{MODEL}}}{RATE}))", "without prediction"),
            (
                "sum by (outcome) (rate("
                f'{outcomes}"expired|conflicts|corrections|outdated|mismatched|unsampled"}}{RATE}))',
                "{{outcome}}",
            ),
            unit="eps",
        ),
        graph(
            "Coverage",
            "Share of settled predictions that got a label, and share of predictions that may"
            " wait for one: below 1 more wait than may.",
            (f"max(streamgauge_label_coverage_ratio{{{MODEL}}})", "labelled"),
            (f"min(streamgauge_label_sampling_ratio{{{MODEL}}})", "may wait"),
            unit="percentunit",
            span=12,
            most=1,
        ),
        graph(
            "Waiting for labels",
            "Predictions that wait for their label.",
            (or_zero(f"sum(streamgauge_labels_pending{{{MODEL}}})"), "waiting"),
            unit="short",
            span=12,
        ),
    ]


def _calibration() -> list[Panel]:
    of_metric = f'max by (version, step) ({SCORE}{{{SERIES}, maturity="settled", metric='
    return [
        graph(
            "Calibration error",
            "How far scores are from the share that turned out so: in the mean (ECE) and at worst"
            " (MCE). Classifiers that give scores have them.",
            (f'{of_metric}"ece"}})', "ECE {{version}} {{step}}"),
            (f'{of_metric}"mce"}})', "MCE {{version}} {{step}}"),
            unit="percentunit",
            span=12,
        ),
        graph(
            "Brier score and log loss",
            "Proper scores: they get worse whether ranking or calibration does.",
            (f'{of_metric}"brier"}})', "Brier {{version}} {{step}}"),
            (f'{of_metric}"log_loss"}})', "log loss {{version}} {{step}}"),
            unit="short",
            span=12,
        ),
    ]
