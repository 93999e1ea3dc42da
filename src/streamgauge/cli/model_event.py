"""Telling decisions about models on the ``models`` topic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from streamgauge.cli.connections import CONNECT_SECONDS, kafka_address, kafka_away
from streamgauge.cli.failures import CommandFailed

if TYPE_CHECKING:
    from streamgauge.registry.record import Champion
    from streamgauge.settings import Settings

ACK_SECONDS = 10.0
#: How long Kafka has to say that it is there.
ANSWER_SECONDS = CONNECT_SECONDS + 2.0


class ModelEvents:
    """Produces ModelEvents, each acknowledged by Kafka before ``tell`` returns."""

    def __init__(self, producer: Any, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    def tell(
        self,
        champion: Champion,
        action: str,
        *,
        pipeline: str,
        previous: int | None,
        actor: str,
        reason: str,
    ) -> None:
        """Raises ``CommandFailed`` where it was not acknowledged."""
        self._send(
            {
                "model": champion.model,
                "version": str(champion.version),
                "action": action,
                "timestamp": champion.at,
                "previous_version": None if previous is None else str(previous),
                "actor": actor,
                "reason": reason,
                "evidence": {"turn": champion.turn, "sha256": champion.sha256},
                "data": {"pipeline": pipeline},
            }
        )

    def ask_retraining(self, model: str, *, at: float, actor: str, reason: str) -> None:
        """Ask the learner for a retraining. Raises ``CommandFailed`` as ``tell`` does."""
        self._send(
            {
                "model": model,
                "version": "next",
                "action": "retrain_requested",
                "timestamp": at,
                "actor": actor,
                "reason": reason,
            }
        )

    def _send(self, fields: dict[str, Any]) -> None:
        from streamgauge_client.codec import encode, source_uri
        from streamgauge_client.events import ModelEvent

        event = ModelEvent.model_validate(fields)
        encoded = encode(event, source=source_uri("streamgauge-cli"), time=fields["timestamp"])
        failures: list[str] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failures.append(error.str())

        self._producer.produce(
            self._topic,
            key=event.model.encode(),
            value=encoded.value,
            headers=encoded.headers,
            on_delivery=delivered,
        )
        if self._producer.flush(ACK_SECONDS) or failures:
            said = failures[0] if failures else f"no acknowledgement within {ACK_SECONDS:g} s"
            raise CommandFailed(f"{self._topic}: {said}")


@contextmanager
def open_model_events(settings: Settings, *, wanted: bool) -> Iterator[ModelEvents | None]:
    """A Kafka that answered just now; None where no event is wanted.

    Opened before anything is decided: a decision that nobody hears of is half of one.
    """
    if not wanted:
        yield None
        return
    from confluent_kafka import KafkaException, Producer

    from streamgauge_client.topics import MODELS

    producer = Producer(
        {
            **kafka_address(settings),
            # As every producer of ours: the model's events lie on one partition.
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "delivery.timeout.ms": int(ACK_SECONDS * 1000),
            "socket.connection.setup.timeout.ms": int(CONNECT_SECONDS * 1000),
            "log_level": 0,
            "error_cb": lambda error: None,
        }
    )
    try:
        producer.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        away = kafka_away(settings, error)
        away.hint += "; or decide without telling: --no-event"
        raise away from error
    yield ModelEvents(producer, MODELS.under(settings.kafka.topic_prefix))
