"""What is said of a Kafka that does not answer, or that refuses us: then also why."""

from __future__ import annotations

from typing import Any

from streamgauge.access.kafka import aiokafka_security
from streamgauge.access.kafka_refusal import ask_kafka
from streamgauge.access.refusal import Refusal
from streamgauge.access.rights import missing_right
from streamgauge.settings.sections import KafkaSettings


def kafka_away(kafka: KafkaSettings, error: Any) -> Refusal:
    """Cause and remedy of confluent-kafka's error. Asks Kafka once more, for some seconds at most.

    To be called where no event loop runs.
    """
    servers = kafka.bootstrap_servers
    if (right := missing_right(error)) is not None:
        return Refusal(f"Kafka at {servers}: {right.cause}", right.remedy)
    refusal = ask_kafka(servers, aiokafka_security(kafka.security))
    return refusal or Refusal(
        f"Kafka at {servers} is not reachable: {_text(error)}",
        "start it (`python -m services.stack` brings one) or set"
        " STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS",
    )


def _text(error: Any) -> str:
    first = error.args[0] if error.args else error
    return str(first.str()) if hasattr(first, "str") else str(first)
