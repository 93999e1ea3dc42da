"""Events told one by one, as a person decides: each acknowledged by Kafka, or said not to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaException, Producer

from streamgauge.access.kafka import kafka_address
from streamgauge.access.kafka_away import kafka_away
from streamgauge.access.refusal import Refusal
from streamgauge.access.rights import missing_right
from streamgauge.settings.sections import KafkaSettings
from streamgauge_client.codec import encode, event_name, source_uri
from streamgauge_client.events import AlarmEvent, ModelEvent
from streamgauge_client.topics import TOPICS

CONNECT_SECONDS = 3.0
#: How long Kafka has to say that it is there.
ANSWER_SECONDS = CONNECT_SECONDS + 2.0
ACK_SECONDS = 10.0


class KafkaAway(Exception):
    """Kafka does not answer, or does not take us; nothing was told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class NotTold(Exception):
    """Kafka did not acknowledge an event. The text says of which topic and why."""


class EventLog:
    """Puts events on their topics. Made by ``open_event_log``."""

    def __init__(self, producer: Any, *, prefix: str, service: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._source = source_uri(service)

    def tell(
        self,
        event: AlarmEvent | ModelEvent,
        *,
        time: float,
        extensions: Mapping[str, str] | None = None,
    ) -> None:
        """Return when Kafka has it. ``time`` is seconds since 1970. Raises ``NotTold``."""
        (topic,) = (t.under(self._prefix) for t in TOPICS if t.event == event_name(type(event)))
        encoded = encode(event, source=self._source, time=time, extensions=extensions)
        failures: list[str] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failures.append(str(missing_right(error, topic) or error.str()))

        try:
            self._producer.produce(
                topic,
                key=event.model.encode(),
                value=encoded.value,
                headers=encoded.headers,
                on_delivery=delivered,
            )
        except (KafkaException, BufferError) as error:
            raise NotTold(f"{topic}: {error}") from error
        if self._producer.flush(ACK_SECONDS) or failures:
            said = failures[0] if failures else f"no acknowledgement within {ACK_SECONDS:g} s"
            raise NotTold(f"{topic}: {said}")


@contextmanager
def open_event_log(kafka: KafkaSettings, *, service: str) -> Iterator[EventLog]:
    """A Kafka that answered just now. Raises ``KafkaAway``.

    Opened before anything is decided: a decision that nobody hears of is half of one.
    """
    producer = Producer(
        {
            **kafka_address(kafka),
            # As every producer of ours: the model's events lie on one partition.
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "delivery.timeout.ms": int(ACK_SECONDS * 1000),
            "socket.connection.setup.timeout.ms": int(CONNECT_SECONDS * 1000),
            # librdkafka would write to standard error by itself; errors are said once, by us.
            "log_level": 0,
            "error_cb": lambda error: None,
        }
    )
    try:
        producer.list_topics(timeout=ANSWER_SECONDS)
    except KafkaException as error:
        raise KafkaAway(kafka_away(kafka, error)) from error
    yield EventLog(producer, prefix=kafka.topic_prefix, service=service)
