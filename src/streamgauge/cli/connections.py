"""Connections to Redis and Kafka that say what is not there, at which address, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from streamgauge.cli.failures import CommandFailed, Unreachable, WrongUsage

if TYPE_CHECKING:
    from redis import Redis

    from streamgauge.settings import Settings

CONNECT_SECONDS = 3.0


def address_of(url: str) -> str:
    """Host and port of a URL, without user and password.

    >>> address_of("redis://ann:secret@db:6380/0?x=1")
    'db:6380'
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    host = parts.netloc.rsplit("@", 1)[-1]
    return host or "localhost:6379"


@contextmanager
def open_redis(settings: Settings) -> Iterator[Redis]:
    """A Redis that answered just now. Whatever fails inside becomes one line."""
    from redis import exceptions as errors
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from streamgauge.access.redis import redis_client
    from streamgauge.access.redis_refusal import redis_refusal

    url = settings.redis.url.get_secret_value()
    where = f"Redis at {address_of(url)}"
    try:
        client: Any = redis_client(
            settings.redis,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=10.0,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise WrongUsage(
            f"the address of Redis is wrong: {error}", "give redis://HOST:PORT/0"
        ) from None
    try:
        with client:
            client.ping()
            yield client
    except (errors.BusyLoadingError, errors.ReadOnlyError) as error:
        raise Unreachable(f"{where} can't serve now: {error}", "wait, or ask its owner") from error
    except (errors.ConnectionError, errors.TimeoutError, errors.NoPermissionError) as error:
        if (refusal := redis_refusal(settings.redis, error)) is not None:
            raise Unreachable(refusal.cause, refusal.remedy) from error
        raise Unreachable(
            f"{where} is not reachable: {_cause(error)}",
            "start it (`python -m services.stack` brings one) or set STREAMGAUGE_REDIS__URL",
        ) from error
    except errors.RedisError as error:
        raise CommandFailed(f"{where}: {error}") from error


@contextmanager
def open_consumer(settings: Settings) -> Iterator[Any]:
    """A Kafka consumer without a group, for reading along. The broker answered just now."""
    from confluent_kafka import Consumer, KafkaException

    from streamgauge.access.kafka import kafka_address

    consumer = Consumer(
        {
            **kafka_address(settings.kafka),
            # Partitions are assigned, so nobody ever joins this group; the name is required.
            "group.id": "streamgauge-tail",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "allow.auto.create.topics": False,
            "socket.connection.setup.timeout.ms": int(CONNECT_SECONDS * 1000),
            # librdkafka would write to standard error by itself; errors are said once, by us.
            "log_level": 0,
            "error_cb": lambda error: None,
        }
    )
    try:
        consumer.list_topics(timeout=CONNECT_SECONDS + 2.0)
        yield consumer
    except KafkaException as error:
        raise kafka_away(settings, error) from error
    finally:
        consumer.close()


def kafka_admin(settings: Settings) -> Any:
    """A client for questions about the cluster; its answers raise ``KafkaException``."""
    import logging

    from confluent_kafka.admin import AdminClient

    from streamgauge.access.kafka import kafka_address

    options = {
        **kafka_address(settings.kafka),
        "socket.connection.setup.timeout.ms": int(CONNECT_SECONDS * 1000),
        "log_level": 0,
        "error_cb": lambda error: None,
    }
    return AdminClient(options, logger=logging.getLogger(f"{__name__}.librdkafka"))


def kafka_away(settings: Settings, error: Any) -> Unreachable:
    """What is said of a Kafka that does not answer, or that refuses us: then also why."""
    from streamgauge.access import kafka_away as away

    refusal = away.kafka_away(settings.kafka, error)
    return Unreachable(refusal.cause, refusal.remedy)


def _cause(error: BaseException) -> str:
    inner = error.__cause__ or error.__context__ or error
    return str(getattr(inner, "strerror", None) or inner or type(error).__name__).rstrip(".")
