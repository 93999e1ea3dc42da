"""Metrics about the models that are watched, and the judgements on them."""

from __future__ import annotations

from streamgauge.telemetry.definition import Definition

SERIES = ("model", "version", "step")
FEATURE = (*SERIES, "feature")
JUDGEMENT = (*FEATURE, "detector")

MODEL_EXPECTED = Definition(
    "model_expected",
    "gauge",
    "1 for each model that was seen or has a spec; what it does not send is missing.",
    ("model",),
)
MODEL_STATE = Definition(
    "model_state",
    "states",
    "State of the last judged window, the worst over shards; no_data once nothing comes any more.",
    SERIES,
)
PREDICTIONS = Definition(
    "predictions", "counter", "Predictions counted, by status.", (*SERIES, "status")
)
LATENCY = Definition(
    "prediction_latency_seconds",
    "histogram",
    "Latency of predictions as their services measured it.",
    SERIES,
    unit="seconds",
)
LABELS = Definition("labels", "counter", "Labels (truth) received.", ("model",))
FEEDBACK = Definition("feedback", "counter", "User feedback received, by kind.", ("model", "kind"))
LATE = Definition(
    "late_events", "counter", "Events that came after their window had closed.", ("model",)
)
UNMONITORED = Definition(
    "unmonitored_predictions",
    "counter",
    "Predictions counted but not judged: too many versions or steps of one model.",
    ("model",),
)
FEATURES_DROPPED = Definition(
    "dropped_feature_values",
    "counter",
    "Values of features that are not judged: too many names.",
    ("model",),
)
LAST_EVENT = Definition(
    "last_event_timestamp_seconds",
    "gauge",
    "Event time of the newest prediction, since 1970.",
    ("model",),
    unit="seconds",
)
WATERMARK = Definition(
    "watermark_timestamp_seconds",
    "gauge",
    "How far event time has come, since 1970; the shard that is furthest behind.",
    ("model",),
    unit="seconds",
)
WINDOW_EVENTS = Definition(
    "window_events", "gauge", "Predictions in the last judged window, over all shards.", SERIES
)
FEATURE_MISSING = Definition(
    "feature_missing_ratio",
    "gauge",
    "Share of predictions without this feature, last judged window.",
    FEATURE,
    unit="ratio",
)
FEATURE_WRONG_TYPE = Definition(
    "feature_wrong_type_ratio",
    "gauge",
    "Share of values of the wrong type, last judged window.",
    FEATURE,
    unit="ratio",
)
FEATURE_OUT_OF_RANGE = Definition(
    "feature_out_of_range_ratio",
    "gauge",
    "Share of values outside the declared range, last judged window.",
    FEATURE,
    unit="ratio",
)
FEATURE_NEW_CATEGORY = Definition(
    "feature_new_category_ratio",
    "gauge",
    "Share of values in categories the reference does not have, last judged window.",
    FEATURE,
    unit="ratio",
)
DRIFT_SCORE = Definition(
    "drift_score", "gauge", "Statistic of the judgement, in the detector's own measure.", JUDGEMENT
)
DRIFT_THRESHOLD = Definition(
    "drift_threshold", "gauge", "What the statistic is compared with.", JUDGEMENT
)
DRIFT_SEVERITY = Definition(
    "drift_severity_ratio",
    "gauge",
    "Score divided by threshold; above 1 fires, whatever the detector.",
    JUDGEMENT,
    unit="ratio",
)
DETECTOR_STATE = Definition(
    "detector_state", "states", "State of the judgement shown for a feature.", JUDGEMENT
)
SILENT_SINCE = Definition(
    "model_silent_since_timestamp_seconds",
    "gauge",
    "When the last event of a silent step came, since 1970; absent while events come.",
    ("model", "step"),
    unit="seconds",
)
CRITERION_STATE = Definition(
    "criterion_state",
    "states",
    "Verdict of the last windows on a criterion of the spec, the worst over shards.",
    ("model", "criterion"),
)
ALARMS = Definition(
    "alarms", "counter", "Alarms that began to fire.", ("model", "kind", "severity")
)
ALARMS_ACTIVE = Definition(
    "alarms_active", "gauge", "Alarms firing now.", ("model", "kind", "severity")
)
ALARMS_HANDLED = Definition(
    "alarms_handled",
    "gauge",
    "Alarms firing now that somebody acknowledged or silenced.",
    ("model", "status"),
)
ALARMS_JUDGED = Definition(
    "alarms_judged",
    "gauge",
    "Alarms of which somebody said that they were right (true) or not (false).",
    ("model", "kind", "verdict"),
)
SPEC_VERSION = Definition(
    "spec_version", "gauge", "Version of the spec that the monitor has taken.", ("model",)
)
SPEC_STORED = Definition(
    "spec_stored_version", "gauge", "Newest version of the spec that is stored.", ("model",)
)

MODELS = (
    MODEL_EXPECTED,
    MODEL_STATE,
    PREDICTIONS,
    LATENCY,
    LABELS,
    FEEDBACK,
    LATE,
    UNMONITORED,
    FEATURES_DROPPED,
    LAST_EVENT,
    WATERMARK,
    WINDOW_EVENTS,
    FEATURE_MISSING,
    FEATURE_WRONG_TYPE,
    FEATURE_OUT_OF_RANGE,
    FEATURE_NEW_CATEGORY,
    DRIFT_SCORE,
    DRIFT_THRESHOLD,
    DRIFT_SEVERITY,
    DETECTOR_STATE,
    SILENT_SINCE,
    CRITERION_STATE,
    ALARMS,
    ALARMS_ACTIVE,
    ALARMS_HANDLED,
    ALARMS_JUDGED,
    SPEC_VERSION,
    SPEC_STORED,
)
