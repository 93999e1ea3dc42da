"""Look before starting: is Kafka there, is Redis there, is the port free; else say what to do."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from services.stack.ports import port_is_free
from streamgauge.access.kafka import aiokafka_security, librdkafka_security
from streamgauge.access.kafka_refusal import ask_kafka
from streamgauge.access.redis import redis_client
from streamgauge.access.redis_refusal import redis_refusal
from streamgauge.settings import KafkaSecurity, ProcessSettings, RedisSettings
from streamgauge_client.topics import TOPICS

#: Of a Kafka that asks for nothing.
_OPEN = KafkaSecurity()
_SILENT = logging.getLogger(f"{__name__}.librdkafka")


class Unreachable(RuntimeError):
    """Something that we need is not there. The text says which and what to do."""


def kafka_topics(
    servers: str, *, security: KafkaSecurity = _OPEN, timeout: float = 8.0
) -> dict[str, int]:
    """The topics of a Kafka and their numbers of partitions. Raises ``Unreachable``."""
    try:
        metadata = _admin(servers, security).list_topics(timeout=timeout)
    except KafkaException as error:
        if (refusal := ask_kafka(servers, aiokafka_security(security))) is not None:
            raise Unreachable(f"{refusal.cause}.\n  {_sentence(refusal.remedy)}") from None
        raise Unreachable(
            f"Kafka is not there: no answer from {servers} in {timeout:g} s"
            f" ({error.args[0].str()}).\n"
            "  Start one (deploy/kafka/start), correct STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS,"
            " or unset it for the embedded broker."
        ) from None
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _config(name: str) -> dict[str, str]:
    """What the contract says of a topic: above all that a dead letter is larger than its event."""
    topic = next(
        (topic for topic in TOPICS if name == topic.name or name.endswith(f".{topic.name}")), None
    )
    if topic is None:
        return {}
    days = topic.retention_days
    # The newest segment is never compacted, and a restore reads all there is.
    segments = {"segment.bytes": str(64 * 1024 * 1024)} if topic.compacted else {}
    return {
        **segments,
        "max.message.bytes": str(topic.max_message_bytes),
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": "-1" if days is None else str(days * 86_400_000),
    }


def create_topics(
    servers: str,
    names: Iterable[str],
    *,
    partitions: int = 4,
    existing: Iterable[str] = (),
    security: KafkaSecurity = _OPEN,
) -> list[str]:
    """Create the topics that a real Kafka lacks; the answer is those. Raises ``Unreachable``."""
    missing = sorted(set(names) - set(existing))
    if not missing:
        return []
    wanted = [
        NewTopic(name, num_partitions=partitions, replication_factor=-1, config=_config(name))
        for name in missing
    ]
    # Held by a name: the answers never come once the client has been collected.
    admin = _admin(servers, security)
    for name, future in admin.create_topics(wanted, request_timeout=15).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise Unreachable(
                    f"Kafka at {servers} refuses to create {name}: {error.args[0].str()}.\n"
                    "  Create the topics by hand, with the same number of partitions each."
                ) from None
    # Created is not yet known: a broker tells of a topic a moment after it made it.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if set(missing) <= set(kafka_topics(servers, security=security)):
            break
        time.sleep(0.05)
    return missing


def check_redis(settings: RedisSettings, *, timeout: float = 5.0) -> None:
    """Raise ``Unreachable`` where no Redis answers, or where it refuses us."""
    client = redis_client(settings, socket_connect_timeout=timeout, socket_timeout=timeout)
    where = _without_secrets(client)
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        if (refusal := redis_refusal(settings, error)) is not None:
            raise Unreachable(f"{refusal.cause}.\n  {_sentence(refusal.remedy)}") from None
        raise Unreachable(
            f"Redis is not there: {where} says: {str(error).rstrip('.')}.\n"
            "  Start it, correct STREAMGAUGE_REDIS__URL, or unset it for the embedded one."
        ) from None
    finally:
        client.close()


def check_ports(listeners: Sequence[tuple[str, ProcessSettings]]) -> None:
    """Raise ``Unreachable`` where somebody else already listens."""
    for name, settings in listeners:
        if not port_is_free(settings.host, settings.port):
            raise Unreachable(
                f"Port {settings.port} on {settings.host}, where the {name} would listen, is in"
                f" use.\n  Stop what uses it, or give another:"
                f" STREAMGAUGE_{name.upper()}__PORT={settings.port + 100}"
            )


def _admin(servers: str, security: KafkaSecurity) -> AdminClient:
    # Its own complaints would repeat ours, twice a second.
    options = {"bootstrap.servers": servers, **librdkafka_security(security), "log_level": 0}
    return AdminClient(options, logger=_SILENT)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _without_secrets(client: redis.Redis) -> str:
    known = client.connection_pool.connection_kwargs
    return str(known.get("path") or f"{known.get('host')}:{known.get('port')}")
