"""What all events of one publisher have in common, worked out once at its first use."""

from __future__ import annotations

from dataclasses import dataclass

from streamgauge_client.codec import (
    CONTENT_TYPE,
    SPEC_VERSION,
    Headers,
    event_name,
    source_uri,
    type_name,
)
from streamgauge_client.environment import ClientSettings
from streamgauge_client.events import (
    Event,
    FeedbackEvent,
    LabelEvent,
    ModelEvent,
    PredictionBatch,
    PredictionEvent,
    TelemetryEvent,
)
from streamgauge_client.fields import identifier
from streamgauge_client.keys import MAX_KEY_BYTES, partition_key
from streamgauge_client.moments import WallText
from streamgauge_client.sequences import Sequences
from streamgauge_client.topics import FEEDBACK, LABELS, MODELS, PREDICTIONS, Topic
from streamgauge_client.unfit import Unfit

#: Where the header of a sampled event goes: right after its sequence.
SAMPLED_AT = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of event on its topic under the publisher's prefix."""

    event: type[Event]
    name: str
    topic: str
    type_header: tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Identity, settings and constant headers of one publisher."""

    model: str
    version: str
    service: str
    shards: int
    settings: ClientSettings
    key: bytes
    source: tuple[str, bytes]
    subject: tuple[str, bytes]
    clock: WallText
    sequences: Sequences
    predictions: Kind
    batches: Kind
    telemetry: Kind
    labels: Kind
    feedback: Kind
    models: Kind

    @classmethod
    def of(
        cls,
        settings: ClientSettings,
        *,
        model: object,
        version: object,
        service: object,
        shards: int,
    ) -> Envelope:
        """Raises ``Unfit`` where a name breaks the contract."""
        name = identifier(model, "model")
        longest = partition_key(name, "", shards)
        if len(longest) > MAX_KEY_BYTES:
            raise Unfit(f"the model's name takes {len(longest)} bytes; {MAX_KEY_BYTES} are allowed")
        sender = name if service is None else identifier(service, "service")
        return cls(
            model=name,
            version=identifier(version, "version"),
            service=sender,
            shards=shards,
            settings=settings,
            key=name.encode(),
            source=("ce_source", source_uri(sender).encode()),
            subject=("ce_subject", name.encode()),
            clock=WallText(),
            sequences=Sequences(),
            predictions=_kind(PredictionEvent, PREDICTIONS, settings),
            batches=_kind(PredictionBatch, PREDICTIONS, settings),
            telemetry=_kind(TelemetryEvent, PREDICTIONS, settings),
            labels=_kind(LabelEvent, LABELS, settings),
            feedback=_kind(FeedbackEvent, FEEDBACK, settings),
            models=_kind(ModelEvent, MODELS, settings),
        )

    def key_for(self, subject_id: str) -> bytes:
        return self.key if self.shards <= 1 else partition_key(self.model, subject_id, self.shards)

    def headers(self, kind: Kind, event_id: str, key: bytes) -> Headers:
        """All headers of one more event.

        The sequence comes right after the type: readers look from the front until they have both.
        """
        return [
            SPEC_VERSION,
            ("ce_id", event_id.encode()),
            kind.type_header,
            ("ce_sequence", self.sequences.take(kind.topic, key)),
            self.source,
            ("ce_time", self.clock.now()),
            self.subject,
            CONTENT_TYPE,
        ]


def _kind(event: type[Event], topic: Topic, settings: ClientSettings) -> Kind:
    return Kind(
        event,
        event_name(event),
        topic.under(settings.topic_prefix),
        ("ce_type", type_name(event).encode()),
    )
