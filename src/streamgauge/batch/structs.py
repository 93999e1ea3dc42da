"""The contract's events as msgspec structs: the models' verdicts at a quarter of their cost.

They mirror the models of ``streamgauge_client.events`` field by field, because a wrong type in a
field that nobody reads makes an event invalid too. A test holds both sides to each other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from streamgauge_client.events.base import (
    MAX_ARRAY,
    MAX_FEATURES,
    MAX_IDENTIFIER,
    MAX_INTEGER,
    MAX_STRING,
    check_plain,
    check_timestamp,
)
from streamgauge_client.events.feedback import FEEDBACK_KINDS
from streamgauge_client.events.prediction_batch import MAX_ROWS, check_even
from streamgauge_client.events.timestamp import FIRST_MILLISECONDS

# A "$" would match before a last line break, in Python's expressions but not in the contract's.
_KIND_PATTERN = rf"^({'|'.join(FEEDBACK_KINDS)}|custom:.{{1,100}})\Z"

Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_IDENTIFIER)]
Text = Annotated[str, Meta(max_length=MAX_STRING)]
Integer = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
#: JSON carries no NaN, and msgspec refuses numbers beyond a double: what arrives is finite.
Positive = Annotated[float, Meta(ge=0)]
Ratio = Annotated[float, Meta(ge=0, le=1)]
Vector = Annotated[list[float], Meta(max_length=MAX_ARRAY)]
FeatureValue = bool | float | Text | Vector | None
Features = Annotated[dict[Identifier, FeatureValue], Meta(max_length=MAX_FEATURES)]
StringMap = Annotated[dict[Identifier, Text], Meta(max_length=MAX_FEATURES)]
Scores = Annotated[dict[Identifier, float], Meta(max_length=MAX_FEATURES)]
Measurements = Annotated[dict[Identifier, float], Meta(max_length=100)]
Timestamp = float | Text
Identifiers = list[Identifier | None]
Numbers = list[float | None]

Status = Literal["ok", "error", "fallback"]
Variant = Literal["champion", "challenger", "shadow", "canary"]
Source = Literal["human", "system", "delayed_batch"]
Action = Literal[
    "registered",
    "promoted",
    "rolled_back",
    "retired",
    "reference_set",
    "retrain_requested",
    "snapshot",
]
Reset = Literal["detectors", "reference", "none"]


# gc=False throughout: what JSON holds has no cycles, and tracking 5,000 events costs a fifth more.
class ScoredLabel(Struct, frozen=True, gc=False):
    """A class, how sure the model is of it, and what it gave the others."""

    label: Identifier
    score: float | None = None
    scores: Scores | None = None


Output = bool | float | Text | ScoredLabel | Vector | None


class Prediction(Struct, frozen=True, gc=False):
    """Mirror of ``PredictionEvent``."""

    prediction_id: Identifier
    model: Identifier
    version: Identifier
    output: Output
    timestamp: Timestamp | None = None
    features: Features = field(default_factory=dict)
    latency_ms: Positive | None = None
    status: Status = "ok"
    segment: StringMap = field(default_factory=dict)
    variant: Variant | None = None
    step: Identifier | None = None
    parent_id: Identifier | None = None
    lineage: StringMap = field(default_factory=dict)
    tags: StringMap = field(default_factory=dict)
    error_type: Text | None = None
    entity_id: Identifier | None = None
    interaction_id: Identifier | None = None
    embedding: dict[Identifier, Vector] | None = None
    tokens: dict[Identifier, Integer] | None = None
    cost: float | None = None


class BatchOutput(Struct, frozen=True, gc=False):
    """Scored labels as columns."""

    label: Identifiers
    score: Numbers | None = None
    scores: Annotated[dict[Identifier, Numbers], Meta(max_length=MAX_FEATURES)] | None = None


class PredictionBatch(Struct, frozen=True, gc=False):
    """Mirror of ``PredictionBatch``: columns as long as ``prediction_id``."""

    prediction_id: Annotated[list[Identifier], Meta(min_length=1, max_length=MAX_ROWS)]
    model: Identifier
    version: Identifier
    output: list[Output] | BatchOutput
    timestamp: Timestamp | list[Timestamp | None] | None = None
    features: Annotated[dict[Identifier, list[FeatureValue]], Meta(max_length=MAX_FEATURES)] = (
        field(default_factory=dict)
    )
    latency_ms: Positive | list[Positive | None] | None = None
    status: Status | list[Status] = "ok"
    segment: Annotated[
        dict[Identifier, Text | list[Text | None]], Meta(max_length=MAX_FEATURES)
    ] = field(default_factory=dict)
    variant: Variant | None = None
    step: Identifier | None = None
    parent_id: Identifiers | None = None
    lineage: StringMap = field(default_factory=dict)
    tags: StringMap = field(default_factory=dict)
    entity_id: Identifiers | None = None
    interaction_id: Identifiers | None = None

    def __post_init__(self) -> None:
        check_even(self)
        if isinstance(self.timestamp, list):
            _named("timestamp", _check_timestamps, self.timestamp)
        elif self.timestamp is not None:
            _named("timestamp", check_timestamp, self.timestamp)


class Label(Struct, frozen=True, gc=False):
    """Mirror of ``LabelEvent``."""

    prediction_id: Identifier
    model: Identifier
    label: Output
    observed_at: Timestamp | None = None
    source: Source | None = None
    annotator: Identifier | None = None
    revision: Count = 0
    weight: Positive | None = None
    confidence: Ratio | None = None
    scores: Scores | None = None
    horizon: Identifier | None = None
    value: float | None = None
    tags: StringMap = field(default_factory=dict)

    @property
    def timestamp(self) -> Timestamp | None:
        """A label's event time is when the truth was observed."""
        return self.observed_at


class Feedback(Struct, frozen=True, gc=False):
    """Mirror of ``FeedbackEvent``."""

    model: Identifier
    kind: Annotated[str, Meta(pattern=_KIND_PATTERN)]
    prediction_id: Identifier | None = None
    interaction_id: Identifier | None = None
    timestamp: Timestamp | None = None
    name: Text | None = None
    score: float | None = None
    label: Text | None = None
    explanation: Text | None = None
    from_mode: Identifier | None = None
    to_mode: Identifier | None = None
    dwell_ms: Positive | None = None
    edit_distance_ratio: Positive | None = None
    user_hash: Identifier | None = None

    def __post_init__(self) -> None:
        if self.prediction_id is None and self.interaction_id is None:
            raise ValueError("feedback needs a prediction_id or an interaction_id")


class Telemetry(Struct, frozen=True, gc=False):
    """Mirror of ``TelemetryEvent``."""

    model: Identifier
    service: Identifier
    instance: Identifier
    version: Identifier | None = None
    timestamp: Timestamp | None = None
    sequence: Count | None = None
    measurements: Measurements = field(default_factory=dict)


class Model(Struct, frozen=True, gc=False):
    """Mirror of ``ModelEvent``."""

    model: Identifier
    version: Identifier
    action: Action
    timestamp: Timestamp | None = None
    previous_version: Identifier | None = None
    feature_schema: StringMap | None = None
    reference: dict[str, Any] | None = None
    reset: list[Reset] = field(default_factory=list)
    actor: Identifier | None = None
    reason: Text | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] | None = None
    effective_at: Timestamp | None = None
    shadow: bool | None = None

    def __post_init__(self) -> None:
        for name in ("reference", "evidence", "data"):
            content = getattr(self, name)
            if content is not None:
                _named(name, check_plain, content)
        if self.effective_at is not None:
            _named("effective_at", check_timestamp, self.effective_at)


def _check_timestamps(given: list[Timestamp | None]) -> None:
    # Nearly all batches: numbers alone, which two passes in C can judge.
    if set(map(type, given)) <= {float}:
        check_timestamp(min(given))  # type: ignore[type-var, arg-type]
        if max(given) < FIRST_MILLISECONDS:  # type: ignore[type-var, operator]
            return
    for row, value in enumerate(given):
        if value is not None:
            try:
                check_timestamp(value)
            except ValueError as error:
                raise ValueError(f"(row {row}) {error}") from None


def _named(name: str, check: Any, value: object) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
