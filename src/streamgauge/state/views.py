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


class PartitionView(View):
    """Where one partition number stands.

    ``positions`` are the next offsets by topic; ``counts`` the records taken since the first, by
    ``kind/outcome``; ``dead`` the dead letters by reason. Conservation: the sum of positions'
    advance equals the sum of counts plus lost plus holes.
    """

    partition: int
    positions: dict[str, int] = Field(default_factory=dict)
    first_positions: dict[str, int] = Field(default_factory=dict)
    log_time: float | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    dead: dict[str, int] = Field(default_factory=dict)
    lost: int = 0
    holes: int = 0
    #: What the processor says of itself, ``models`` and ``models_dropped`` among it.
    gauges: dict[str, float] = Field(default_factory=dict)
    checkpoint: int = 0
    written_at: float | None = None
