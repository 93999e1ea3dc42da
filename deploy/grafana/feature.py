"""One feature of one model: why its judgement fired, and what moved with it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import ladders, links, marks, variables
from deploy.grafana.colours import FIRES
from deploy.grafana.page import page
from deploy.grafana.panels import Panel, graph, number, states
from deploy.grafana.severity import TIMES, severities

MODEL = 'model="$model"'
SERIES = 'model="$model", version=~"$version"'
FEATURE = f'{SERIES}, feature="$feature"'
SEVERITY = "streamgauge_drift_severity_ratio"
STATE = "streamgauge_detector_state"
BY = "version, step, detector"
LEGEND = "{{version}} {{step}} {{detector}}"


def dashboard() -> Dashboard:
    """Feature."""
    return page(
        links.FEATURE,
        "Feature",
        "Why a judgement on a feature fired. Its histogram before and now:"
        " streamgauge explain MODEL.FEATURE.",
        variables=[
            variables.model(),
            variables.version(),
            variables.one(
                "feature",
                "What is judged: a feature, an output, latency, errors, what users do.",
                metric=f"{SEVERITY}{{{MODEL}}}",
                label="feature",
            ),
        ],
        annotations=[marks.alarms(MODEL), marks.deploys(MODEL)],
        rows=[
            ("Is it all right?", _well()),
            ("Why did it fire?", _why()),
            ("What is wrong with its values?", _values()),
            ("Did anything move with it, and did the answers?", _context()),
        ],
    )


def _well() -> list[Panel]:
    return [
        number(
            "State",
            "State of the judgement shown for this feature, the worst over versions.",
            ladders.ranked(STATE, ladders.STATES, by="feature", where=FEATURE),
            unit="none",
            ladder=ladders.STATES,
        ),
        number(
            "Severity",
            "Score divided by threshold; from 1 on it exceeds.",
            f"max({SEVERITY}{{{FEATURE}}})",
            unit=TIMES,
            turns=FIRES,
            decimals=2,
        ),
        number(
            "Score",
            "Statistic of the judgement, in the detector's own measure.",
            f"max(streamgauge_drift_score{{{FEATURE}}})",
            unit="short",
            decimals=3,
        ),
        number(
            "Threshold",
            "What the statistic is compared with.",
            f"max(streamgauge_drift_threshold{{{FEATURE}}})",
            unit="short",
            decimals=3,
        ),
        number(
            "Missing",
            "Share of predictions without this feature, last judged window. Outputs, errors and"
            " what users do have none.",
            f"max(streamgauge_feature_missing_ratio{{{FEATURE}}})",
            unit="percentunit",
        ),
        number(
            "Predictions judged",
            "Predictions in the last judged window, over all shards.",
            f"sum(streamgauge_window_events{{{SERIES}}})",
            unit="short",
        ),
    ]


def _why() -> list[Panel]:
    return [
        graph(
            "Severity",
            "Score divided by threshold, by detector. One window beyond 1 is pending; it fires"
            " when windows agree.",
            (f"max by ({BY}) ({SEVERITY}{{{FEATURE}}})", LEGEND),
            unit=TIMES,
            limit=1,
        ),
        graph(
            "Score against its threshold",
            "What the detector measured, and what it compares it with.",
            (f"max by ({BY}) (streamgauge_drift_score{{{FEATURE}}})", LEGEND),
            (f"max by ({BY}) (streamgauge_drift_threshold{{{FEATURE}}})", f"threshold {LEGEND}"),
            unit="short",
        ),
        states(
            "State",
            "State of each judgement on this feature.",
            (ladders.ranked(STATE, ladders.STATES, by=BY, where=FEATURE), LEGEND),
            ladder=ladders.STATES,
            span=8,
        ),
    ]


def _values() -> list[Panel]:
    shares = {
        "missing": "streamgauge_feature_missing_ratio",
        "wrong type": "streamgauge_feature_wrong_type_ratio",
        "out of range": "streamgauge_feature_out_of_range_ratio",
        "new category": "streamgauge_feature_new_category_ratio",
    }
    return [
        graph(
            "What is wrong with its values",
            "Shares of the last judged window: missing, of the wrong type, outside the declared"
            " range, in a category that the reference does not have.",
            *((f"max({metric}{{{FEATURE}}})", name) for name, metric in shares.items()),
            unit="percentunit",
            span=12,
        ),
        graph(
            "Missing, by version",
            "Share of predictions without this feature, by version: a deploy breaks its own.",
            (
                f"max by (version, step) (streamgauge_feature_missing_ratio{{{FEATURE}}})",
                "{{version}} {{step}}",
            ),
            unit="percentunit",
            span=12,
        ),
    ]


def _context() -> list[Panel]:
    return [
        severities(
            "Severity of all features",
            "Whether it is this feature alone: red from 1 on.",
            (f"max by (model, feature) ({SEVERITY}{{{SERIES}}})", "{{feature}}"),
            span=16,
            links=[links.of_series("Why?", links.FEATURE, model="model", feature="feature")],
        ),
        graph(
            "Severity of the outputs",
            "Whether the model's answers moved, too.",
            (
                f'max by (feature, detector) ({SEVERITY}{{{SERIES}, feature=~"output.*"}})',
                "{{feature}} {{detector}}",
            ),
            unit=TIMES,
            limit=1,
            links=[links.of_series("Were the answers right?", links.TRUTH)],
        ),
    ]
