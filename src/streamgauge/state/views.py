"""Views: what others may read of a worker's state, as versioned models.

Written in the same compare-and-set as the state, so a view is never ahead of what is durable.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

JudgementState = Literal["ok", "firing", "pending", "warming", "too_few", "no_data", "poisoned"]


class View(BaseModel):
    """Base of all views. Readers ignore what they do not know; ``v`` is the major version."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    v: int = 1


class JudgementView(View):
    """One judgement: a detector's verdict on one target at the end of one window.

    ``severity`` is statistic ÷ threshold (above 1 fires); None where there is no verdict.
    ``others`` are measures that are shown and do not judge. ``kind`` is that of the alarm that it
    would raise; one target may have two of the same detector, as drift and as ``release``.
    """

    target: str
    detector: str
    kind: str = ""
    state: JudgementState
    value: float | None = None
    threshold: float | None = None
    severity: float | None = None
    others: dict[str, float] = Field(default_factory=dict)
    n: int = 0
    needed: int = 0
    as_of: float | None = None
    reason: str = ""


class HistogramView(View):
    """A target's shares over the reference's bins, before and now."""

    bins: list[str]
    reference: list[float]
    current: list[float]


class DetectorView(View):
    """An online detector's inside: samples seen, last value, detections so far."""

    series: str
    detector: str
    state: JudgementState
    samples: int
    needed: int
    estimate: float | None = None
    detections: int = 0
    last_detection: float | None = None


class FeatureView(View):
    """One feature (or output, score) in the last judged window."""

    name: str
    type: Literal["numeric", "categorical", "unknown"]
    judgements: list[JudgementView] = Field(default_factory=list)
    histogram: HistogramView | None = None
    missing_ratio: float | None = None
    wrong_type_ratio: float | None = None
    out_of_range_ratio: float | None = None
    new_category_ratio: float | None = None
    mean: float | None = None
    std: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    #: What is odd about its values, in words; nothing that alarms by itself.
    hints: list[str] = Field(default_factory=list)
    #: Whether its reference is of a short time yet, and will be replaced once.
    provisional: bool = False


class SliceView(View):
    """One value of a declared segment in the last judged window.

    ``severity`` is that of the target that moved most against the slice's own past; None where
    there are too few events, or too little past.
    """

    segment: str
    value: str
    n: int
    error_ratio: float | None = None
    severity: float | None = None
    feature: str | None = None


class ClientView(View):
    """A process that publishes for a model, by its newest heartbeat."""

    service: str
    instance: str
    last_seen: float
    measurements: dict[str, float] = Field(default_factory=dict)


class SeriesView(View):
    """One (version, step) of a model: its last judged window and its totals since the start.

    ``counts`` are totals of predictions by status. ``latency_buckets`` are cumulative totals by
    upper bound in seconds, as Prometheus has them.
    """

    version: str
    step: str = ""
    counts: dict[str, int] = Field(default_factory=dict)
    latency_buckets: dict[str, int] = Field(default_factory=dict)
    latency_sum: float = 0.0
    latency_quantiles: dict[str, float] = Field(default_factory=dict)
    state: JudgementState = "warming"
    reason: str = ""
    window_start: float | None = None
    window_end: float | None = None
    window_n: int = 0
    #: Events per second in the last judged window.
    rate: float | None = None
    error_ratio: float | None = None
    features: list[FeatureView] = Field(default_factory=list)
    judgements: list[JudgementView] = Field(default_factory=list)
    detectors: list[DetectorView] = Field(default_factory=list)
    #: Declared segments, the largest slices of each.
    slices: list[SliceView] = Field(default_factory=list)
    #: What is odd about the window as a whole: its clocks, its ids.
    hints: list[str] = Field(default_factory=list)
    #: The version whose outputs this one's are held against, while it is new.
    rival: str | None = None
    reference_id: str | None = None
    reference_n: int | None = None
    reference_kind: Literal["profile", "learned", "none"] = "none"


class AlarmView(View):
    """An open alarm, or one that resolved a short while ago."""

    fingerprint: str
    kind: str
    status: Literal["firing", "resolved"]
    severity: str
    severity_ratio: float
    summary: str
    feature: str | None = None
    starts_at: float
    ends_at: float | None = None
    alarm_id: str


class CriterionView(View):
    """A criterion of the spec against the last judged windows.

    PASS: the whole interval from ``low`` to ``high`` satisfies it; FAIL: nothing of it does. An end
    is None where the data do not bound it. ``n`` are the events behind it.
    """

    name: str
    kind: str
    expr: str
    state: Literal["PASS", "FAIL", "UNDECIDED"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""


class LabelsView(View):
    """How labels meet predictions.

    ``counts`` are the join's counters by name, since the start. ``coverage_ratio`` is the share of
    settled predictions that got a label, ``labelled_ratio`` that of all that were admitted so far:
    it grows while labels are on their way. ``sampling_ratio`` is the share of predictions that is
    admitted now, ``admitted_ratio`` that since the start. ``delay_quantiles`` are seconds from a
    prediction to its label, by quantile; one that missing labels leave open is not there.
    ``mismatched`` are labels that fit no answer of the model's kind.
    """

    counts: dict[str, int] = Field(default_factory=dict)
    coverage_ratio: float | None = None
    labelled_ratio: float | None = None
    sampling_ratio: float = 1.0
    admitted_ratio: float | None = None
    pending: int = 0
    #: Labels that wait for their prediction, and those whose prediction did not come in time.
    early: int = 0
    orphans: int = 0
    mismatched: int = 0
    delay_quantiles: dict[str, float] = Field(default_factory=dict)
    #: Of labels by a second annotator, those that say something else.
    disagreement_ratio: float | None = None


class CalibrationView(View):
    """Reliability by bin of confidence, as columns: upper edge, weight, mean confidence, accuracy.

    ``threshold`` is what the ``ece`` of a calibrated model exceeds in one window of a hundred.
    """

    upper: list[float]
    n: list[float]
    confidence: list[float]
    accuracy: list[float]
    ece: float
    threshold: float | None = None


class ClassView(View):
    """One class against all others; ``n`` and ``predicted`` are weights of rows."""

    name: str
    precision: float
    recall: float
    n: float
    predicted: float


class PerformanceView(View):
    """How good the answers of a span were.

    ``maturity``: settled figures stand on predictions of which all labels are in or will never be;
    provisional ones on those of which labels are still on their way, so they may be wrong by as
    much as late labels differ from early ones. ``intervals`` are of 95 % and there for shares and
    means. ``n`` and ``labelled`` are weights of predictions, and of those with a fitting label.
    ``start`` and ``end`` are event times; None of a total.
    """

    version: str
    step: str = ""
    maturity: Literal["settled", "provisional"]
    #: A declared segment and one of its values; None for the whole.
    segment: tuple[str, str] | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    n: float = 0.0
    labelled: float = 0.0
    start: float | None = None
    end: float | None = None
    #: Of provisional figures: the median prediction's age in seconds, by the newest one.
    age_seconds: float | None = None
    #: What the decisions were worth together, by the spec's ``labels.values``.
    worth: float | None = None
    calibration: CalibrationView | None = None
    #: Of more than two classes, those that are found worst.
    classes: list[ClassView] = Field(default_factory=list)

    @property
    def labelled_ratio(self) -> float | None:
        """The share of predictions whose label is in."""
        return min(self.labelled / self.n, 1.0) if self.n > 0 else None


class GapView(View):
    """How much better a model is than something else, in the metric's own unit.

    ``against`` is a baseline's kind as the spec has it, or a trivial answer (``majority class``,
    ``last truth``, ``mean``). ``gap`` is above 0 where the model is better.
    """

    against: str
    metric: str
    value: float
    other: float
    gap: float
    source: str = ""


class TagView(View):
    """A tag among the errors: were it as good as the rest, all errors would fall by ``impact``."""

    tag: str
    n: float
    error_ratio: float
    impact: float


class TruthSeriesView(View):
    """The truth about one (version, step): its last settled window, and all that settled so far.

    ``usual_error_ratio`` is what errors are held against. ``judgements`` are those of the last
    window: of concept drift, and of criteria.
    """

    version: str
    step: str = ""
    window: PerformanceView | None = None
    total: PerformanceView | None = None
    provisional: PerformanceView | None = None
    slices: list[PerformanceView] = Field(default_factory=list)
    usual_error_ratio: float | None = None
    judgements: list[JudgementView] = Field(default_factory=list)
    detectors: list[DetectorView] = Field(default_factory=list)
    gaps: list[GapView] = Field(default_factory=list)
    tags: list[TagView] = Field(default_factory=list)


class TruthView(View):
    """What predictions turned out to be. ``task`` is None until a label tells it."""

    task: Literal["binary", "multiclass", "regression", "scores"] | None = None
    #: The class that a binary model looks for.
    positive: str | None = None
    #: Classes that labels named, the first of them.
    classes: list[str] = Field(default_factory=list)
    labels: LabelsView = Field(default_factory=LabelsView)
    series: list[TruthSeriesView] = Field(default_factory=list)


class ModelView(View):
    """All that is known of one model on one partition (one shard of it)."""

    model: str
    partition: int
    #: Watermark, seconds since 1970: all windows that end before it (less grace) are closed.
    watermark: float | None = None
    last_event: float | None = None
    spec_version: int | None = None
    owner: str | None = None
    late: int = 0
    #: Predictions whose version or step is beyond the catalogue: counted, not judged.
    unmonitored: int = 0
    #: Values of features beyond the catalogue.
    features_dropped: int = 0
    labels: int = 0
    #: None where no label ever came and the spec speaks of none.
    truth: TruthView | None = None
    feedback: dict[str, int] = Field(default_factory=dict)
    #: Rates of what users do, per interaction, in the last window of them.
    behaviour: list[JudgementView] = Field(default_factory=list)
    interactions: int = 0
    #: Acts on interactions of which no prediction is known.
    feedback_orphans: int = 0
    #: Events that producers numbered and that never came.
    lost_events: int = 0
    clients: list[ClientView] = Field(default_factory=list)
    #: Steps ("" for a model of one) of which nothing comes, and since when.
    silent: dict[str, float] = Field(default_factory=dict)
    #: When somebody made the present the new normal, and who.
    accepted_at: float | None = None
    accepted_by: str | None = None
    alarms_total: dict[str, int] = Field(default_factory=dict)
    alarms: list[AlarmView] = Field(default_factory=list)
    series: list[SeriesView] = Field(default_factory=list)
    #: What the spec claims of the model, and whether it holds.
    criteria: list[CriterionView] = Field(default_factory=list)


class DeadSampleView(View):
    """A dead letter as far as it may be shown: where the record lies and why, not what it holds.

    ``timestamp`` is the broker's, in seconds since 1970; ``bytes`` the length of the value.
    ``model_id`` is the digest of what the key names: of a refused record that may be anything.
    """

    topic: str
    partition: int
    offset: int
    timestamp: float | None = None
    model_id: str = ""
    bytes: int = 0
    error: str = ""
    #: Of the W3C trace that it came from.
    trace_id: str | None = None


class PartitionView(View):
    """Where one partition number stands.

    ``positions`` are the next offsets by topic; ``counts`` the records taken since the first, by
    ``kind/outcome``; ``dead`` the dead letters by reason, ``dead_samples`` the last of each, the
    oldest first. Conservation: the sum of positions' advance equals the sum of counts plus lost
    plus holes.
    """

    partition: int
    positions: dict[str, int] = Field(default_factory=dict)
    first_positions: dict[str, int] = Field(default_factory=dict)
    log_time: float | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    dead: dict[str, int] = Field(default_factory=dict)
    dead_samples: dict[str, list[DeadSampleView]] = Field(default_factory=dict)
    lost: int = 0
    holes: int = 0
    #: Records of the log that were not taken yet; None where nobody said.
    lag: int | None = None
    #: What the processor says of itself, ``models`` and ``models_dropped`` among it.
    gauges: dict[str, float] = Field(default_factory=dict)
    checkpoint: int = 0
    written_at: float | None = None
