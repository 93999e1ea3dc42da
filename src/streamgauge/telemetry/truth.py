"""Metrics about the truth: how labels come, and how good the answers were."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition
from streamgauge.telemetry.models import SERIES

SPAN = (*SERIES, "maturity")

PERFORMANCE_SCORE = Definition(
    "performance_score",
    "gauge",
    "Performance by metric: settled of the last window of labels, provisional of those on the way.",
    (*SERIES, "metric", "maturity"),
)
PERFORMANCE_LABELLED = Definition(
    "performance_labelled_ratio",
    "gauge",
    "Share of the predictions behind a performance whose label is in.",
    SPAN,
    unit="ratio",
)
PERFORMANCE_END = Definition(
    "performance_end_timestamp_seconds",
    "gauge",
    "Event time of the newest prediction behind a performance, since 1970.",
    SPAN,
    unit="seconds",
)
PERFORMANCE_SLICE_ERRORS = Definition(
    "performance_slice_error_ratio",
    "gauge",
    "Share of wrong answers in the last settled window, by value of a declared segment.",
    (*SERIES, "segment", "value"),
    unit="ratio",
)
LABEL_COVERAGE = Definition(
    "label_coverage_ratio",
    "gauge",
    "Share of settled predictions that got a label, since the start.",
    ("model",),
    unit="ratio",
)
LABEL_DELAY = Definition(
    "label_delay_seconds",
    "gauge",
    "Time from prediction to label by quantile of all predictions; absent while labels leave it "
    "open.",
    ("model", "quantile"),
    unit="seconds",
)
LABELS_PENDING = Definition(
    "labels_pending", "gauge", "Predictions that wait for their label.", ("model",)
)
LABEL_OUTCOMES = Definition(
    "label_outcomes",
    "counter",
    "What became of labels and of predictions that wait for one.",
    ("model", "outcome"),
)
LABEL_SAMPLING = Definition(
    "label_sampling_ratio",
    "gauge",
    "Share of predictions that may wait for a label now; below 1 where more wait than may.",
    ("model",),
    unit="ratio",
)
LABEL_ORPHANS = Definition(
    "label_orphans", "counter", "Labels whose prediction did not come in time.", ("model",)
)

TRUTH = (
    PERFORMANCE_SCORE,
    PERFORMANCE_LABELLED,
    PERFORMANCE_END,
    PERFORMANCE_SLICE_ERRORS,
    LABEL_COVERAGE,
    LABEL_DELAY,
    LABELS_PENDING,
    LABEL_OUTCOMES,
    LABEL_SAMPLING,
    LABEL_ORPHANS,
)
