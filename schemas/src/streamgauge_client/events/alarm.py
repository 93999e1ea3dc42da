"""An alarm: what changed, how much, since when, and what shows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from streamgauge_client.events.base import Event, Identifier, Number, Severity

#: The kinds known today. The field is a plain string, so that a later kind breaks no old reader.
ALARM_KINDS = (
    "feature_drift",
    "prediction_drift",
    "concept_drift",
    "performance",
    "data_quality",
    "traffic",
    "latency",
    "staleness",
    "feedback",
    "release",
    "pipeline",
)


class AlarmWindow(BaseModel):
    """The span of event time that was judged, in seconds since 1970, and the events in it."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    start: Number
    end: Number
    n: int


class Histogram(BaseModel):
    """Shares of one feature before and after, over the same bins.

    ``bins`` names each bin; ``reference`` and ``current`` hold its share of the values, 0 to 1.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    bins: list[str]
    reference: list[Number]
    current: list[Number]


class FeatureEvidence(BaseModel):
    """One feature's part in an alarm, judged by one detector."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    feature: str
    detector: str
    value: Number
    threshold: Number
    severity_ratio: Number
    #: Share of the whole excess over all the alarm's features, 0 to 1.
    contribution: Number = 0.0
    #: What the change is in words: "mean 0.52 → 51.9 (×100)".
    change: str = ""
    #: Other measures of the same change, by name (psi, ks).
    others: dict[str, Number] = Field(default_factory=dict)


class SliceEvidence(BaseModel):
    """One declared segment's part in an alarm: how far its own events moved."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    segment: str
    value: str
    n: int
    severity_ratio: Number
    #: The feature (or output) that moved most within it.
    feature: str | None = None
    change: str = ""


class Position(BaseModel):
    """Where in the log an example lies."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    topic: str
    partition: int
    offset: int


class AlarmEvidence(BaseModel):
    """What an alarm stands on."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    top_features: list[FeatureEvidence] = Field(default_factory=list)
    histograms: dict[str, Histogram] = Field(default_factory=dict)
    positions: list[Position] = Field(default_factory=list)
    changed_lineage: dict[str, list[str]] = Field(default_factory=dict)
    #: Times (seconds since 1970) at which online detectors dated a change.
    detections: dict[str, list[Number]] = Field(default_factory=dict)
    #: Declared segments in which it shows, the worst first.
    slices: list[SliceEvidence] = Field(default_factory=list)
    #: Whether the window differs from the last seven days too, and not only from the reference.
    changed_this_week: bool | None = None
    #: What else is odd about the values, in words: "looks like cents instead of units".
    hints: list[str] = Field(default_factory=list)


class AlarmDetector(BaseModel):
    """The detector whose judgement leads the alarm."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    name: str
    params: dict[str, Any] = Field(default_factory=dict)


class AlarmReference(BaseModel):
    """What the window was compared with: its id and the events in it."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    id: str
    n: int


class AlarmHandling(BaseModel):
    """Which alarm somebody took, or silenced the cause of, and who. Times in seconds since 1970.

    Why is the event's ``reason``. A silence holds ``until`` a time; an acknowledgement has none.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    alarm_id: str
    by: str
    at: Number
    until: Number | None = None


class AlarmEvent(Event):
    """One edge of an alarm: it began to fire, or it resolved. Or what somebody did about it.

    ``alarm_id`` is a function of the log, so a replay repeats it and subscribers drop the
    duplicate. ``fingerprint`` is the same for every edge of one cause. That somebody acknowledged
    or silenced it has an id of its own, and says in ``handling`` which alarm is meant.
    """

    alarm_id: Identifier
    fingerprint: Identifier
    status: Literal["firing", "acknowledged", "silenced", "resolved"]
    severity: Severity
    kind: str
    scope: dict[str, str]
    model: Identifier
    summary: str
    severity_ratio: Number | None = None
    version: str | None = None
    shard: int | None = None
    feature: str | None = None
    segment: dict[str, str] | None = None
    rule: str | None = None
    detector: AlarmDetector | None = None
    metric: str | None = None
    value: Number | None = None
    threshold: Number | None = None
    direction: Literal["up", "down", "changed"] | None = None
    p_value: Annotated[Number, Field(ge=0, le=1)] | None = None
    e_value: Number | None = None
    effect_size: Number | None = None
    window: AlarmWindow | None = None
    reference: AlarmReference | None = None
    starts_at: Number | None = None
    ends_at: Number | None = None
    reason: str | None = None
    description: str | None = None
    runbook_url: str | None = None
    dashboard_url: str | None = None
    owner: str | None = None
    #: What the model is for, and what its owners planned to do when this goes wrong.
    objective: str | None = None
    contingency: str | None = None
    #: The first step of the model's pipeline that moved; this alarm's own, or one before it.
    earliest_step: str | None = None
    affected: int | None = None
    evidence: AlarmEvidence = Field(default_factory=AlarmEvidence)
    sequence: int | None = None
    handling: AlarmHandling | None = None
