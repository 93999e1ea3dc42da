"""The options by which each library reaches a Kafka that asks for TLS and for a user."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from streamgauge.settings.kafka_security import KafkaSecurity
from streamgauge.settings.sections import KafkaSettings
from streamgauge_client import security as client

#: Of a Kafka that asks for nothing.
OPEN: Mapping[str, Any] = MappingProxyType({})


def kafka_address(kafka: KafkaSettings) -> dict[str, str]:
    """Where Kafka is and who we are: what every client of confluent-kafka begins with."""
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        **librdkafka_security(kafka.security),
    }


def librdkafka_security(security: KafkaSecurity) -> dict[str, str]:
    """Options of confluent-kafka besides the address; they hold the password."""
    return client.librdkafka_security(
        protocol=security.protocol,
        mechanism=security.mechanism,
        username=security.username or "",
        password=_plain(security.password),
        ca_file=str(security.ca_file or ""),
        certificate_file=str(security.certificate_file or ""),
        key_file=str(security.key_file or ""),
        key_password=_plain(security.key_password),
    )


def aiokafka_security(security: KafkaSecurity) -> dict[str, Any]:
    """Keywords of aiokafka's clients besides the address; they hold the password."""
    if security.protocol == "PLAINTEXT":
        return {}
    options: dict[str, Any] = {"security_protocol": security.protocol}
    if security.encrypted:
        options["ssl_context"] = security.tls()
    if security.sasl:
        options["sasl_mechanism"] = security.mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = _plain(security.password)
    return options


def _plain(secret: Any) -> str:
    return "" if secret is None else str(secret.get_secret_value())
