"""Before a service starts: do Kafka and Redis take us? One that is away is waited for later."""

from __future__ import annotations

from streamgauge.access.kafka import aiokafka_security
from streamgauge.access.kafka_refusal import ask_kafka
from streamgauge.access.redis_refusal import ask_redis
from streamgauge.settings import Settings


class AccessRefused(Exception):
    """Kafka or Redis refuses us for good. The text says why and what to do."""


def check_access(settings: Settings, *, kafka: bool = True) -> None:
    """Raise ``AccessRefused`` where a certificate, a user or a port is wrong.

    It takes milliseconds where all is well, and a few seconds at most. To be called where no event
    loop runs.
    """
    try:
        refused = ask_redis(settings.redis)
    except ValueError as error:
        raise AccessRefused(f"STREAMGAUGE_REDIS__URL can't be used: {error}") from None
    if refused is None and kafka:
        own = settings.kafka
        refused = ask_kafka(own.bootstrap_servers, aiokafka_security(own.security))
    if refused is not None:
        raise AccessRefused(str(refused))
