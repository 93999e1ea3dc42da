"""The real Kafka and Redis that the ways share, and what of them is missing here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from load_tests.faults.broker import Broker
from load_tests.faults.redis_server import RedisServer
from services.stack.reach import create_topics
from services.stack.redis_server import real_server
from streamgauge_client.topics import TOPICS
from tests.integration.conftest import START


def missing() -> dict[str, str]:
    """What is needed and not there, and what to do about it, by ``kafka`` and ``redis``."""
    found: dict[str, str] = {}
    home = Path(os.environ.get("STREAMGAUGE_KAFKA_HOME", START.parent / ".cache"))
    if shutil.which("java") is None:
        found["kafka"] = "no java on PATH; install a Java runtime, 17 or newer"
    elif shutil.which("mvn") is None and not any(home.glob("*.complete")):
        found["kafka"] = "no mvn on PATH; install Maven, which fetches the broker once"
    if real_server() is None:
        found["redis"] = "neither redis-server nor valkey-server on PATH; install one"
    return found


class Site:
    """``with Site(directory) as site``: a broker of this run's own, and a Redis.

    They run on the core of who starts them.
    """

    def __init__(self, directory: Path, *, redis: bool = True) -> None:
        self.directory = directory
        self._with_redis = redis
        self._stack = ExitStack()

    def __enter__(self) -> Site:
        with ExitStack() as stack:
            (self.directory / "kafka").mkdir(parents=True)
            broker = Broker(self.directory / "kafka")
            stack.callback(broker.kill)
            broker.start()
            self.servers = broker.servers
            self.redis = RedisServer(self.directory / "redis")
            stack.callback(self.redis.kill)
            stack.callback(self.redis.client.close)
            if self._with_redis:
                self.redis.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def create(self, prefix: str) -> None:
        """Make the contract's topics under a prefix."""
        create_topics(self.servers, [topic.under(prefix) for topic in TOPICS])

    def settings(
        self, prefix: str, group: str, monitoring: Mapping[str, float] | None = None
    ) -> dict[str, str]:
        """What a monitor is told; all else as users have it."""
        return {
            "KAFKA__BOOTSTRAP_SERVERS": self.servers,
            "KAFKA__TOPIC_PREFIX": prefix,
            "REDIS__URL": self.redis.url,
            "MONITOR__GROUP": group,
            "MONITOR__PORT": "0",
            **{f"MONITORING__{name}": str(value) for name, value in (monitoring or {}).items()},
        }
