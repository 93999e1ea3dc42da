"""The exporter as an object: wires reader, collector and console. Tests run it in-process."""

from __future__ import annotations

import contextlib
import os
import socket
from importlib.metadata import version

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from pydantic import SecretStr
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from streamgauge.access.redis import redis_client
from streamgauge.clock import Clock, system_clock
from streamgauge.console.access import Access
from streamgauge.console.acts import Acts
from streamgauge.console.documents import Documents
from streamgauge.console.server import ConsoleServer
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.collector import ViewCollector
from streamgauge.exposition.source import Reading, ViewSource
from streamgauge.exposition.summaries import Summaries
from streamgauge.settings import Settings
from streamgauge.state.processes import ANNOUNCE_SECONDS, EXPIRY_SECONDS, ProcessView
from streamgauge.state.reader import ViewReader
from streamgauge.telemetry import Telemetry, processes

#: Redis must answer within this time; the next attempt comes a second later anyway.
REDIS_TIMEOUT_SECONDS = 2.0


class Exporter:
    """Reads views, serves them. Never fails because Redis is away: it says so.

    Raises ``TokenError`` where it would show everything to anybody, and ``ValueError`` for a Redis
    URL that can't be used.
    """

    def __init__(self, settings: Settings, *, clock: Clock = system_clock) -> None:
        own = settings.exporter
        access = Access(
            host=own.host,
            token=_plain(own.token),
            operator_token=_plain(own.operator_token),
            admin_token=_plain(own.admin_token),
        )
        self._clock = clock
        self._version = version("streamgauge")
        self._instance = own.instance or f"{socket.gethostname()}-{os.getpid()}"
        self._started_at = clock()
        self._announced_at = float("-inf")
        self._redis = redis_client(
            settings.redis,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._telemetry = Telemetry(self._registry, service="exporter", version=self._version)
        for error in processes.REDIS_FAILURES:
            self._telemetry.declare(processes.REDIS_ERRORS, error=error)
        self.source = ViewSource(
            ViewReader(
                self._redis,
                group=settings.monitor.group,
                learners=settings.learner.group,
                clock=clock,
            ),
            refresh_seconds=own.refresh_seconds,
            after=self._after,
            clock=clock,
        )
        self._activity = Activity()
        summaries = Summaries()
        self._documents = Documents(
            bootstrap_servers=settings.kafka.bootstrap_servers,
            topic_prefix=settings.kafka.topic_prefix,
            stale_seconds=own.stale_seconds,
            activity=self._activity,
            summaries=summaries,
            clock=clock,
        )
        self._registry.register(
            ViewCollector(
                lambda: self.source.reading,
                max_series=own.max_series,
                stale_seconds=own.stale_seconds,
                activity=self._activity,
                summaries=summaries,
                clock=clock,
            )
        )
        self._server = ConsoleServer(
            self._registry,
            documents=self._documents,
            access=access,
            acts=Acts(
                self._redis,
                redis_settings=settings.redis,
                kafka=settings.kafka,
                reading=lambda: self.source.reading,
                clock=clock,
            ),
            host=own.host,
            port=own.port,
            ready=self._ready,
            setting="STREAMGAUGE_EXPORTER__PORT",
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def start(self) -> None:
        """Listen, then read views on a thread. Raises ``PortInUse``."""
        self._server.start()
        self.source.start()

    def stop(self) -> None:
        """Stop reading and listening, and take the process key away."""
        self.source.stop()
        self._server.stop()
        with contextlib.suppress(RedisError, OSError):
            self._redis.delete(self._process().key)
        self._redis.close()

    def _ready(self) -> str | None:
        return None if self.source.reading.up else "Redis does not answer"

    def _after(self, reading: Reading) -> None:
        if reading.snapshot is not None:
            self._activity.note(reading.snapshot)
        self._documents.take(reading)
        self._server.publish()
        if not reading.up:
            self._telemetry.count(processes.REDIS_ERRORS, error=reading.error)
            return
        now = self._clock()
        # A clock that was set back would else keep it silent until it has caught up.
        if 0 <= now - self._announced_at < ANNOUNCE_SECONDS:
            return
        process = self._process()
        try:
            self._redis.set(process.key, process.to_bytes(), ex=EXPIRY_SECONDS)
            self._announced_at = now
        except (RedisError, OSError) as error:
            self._telemetry.count(processes.REDIS_ERRORS, error=type(error).__name__)

    def _process(self) -> ProcessView:
        return ProcessView(
            service="exporter",
            instance=self._instance,
            version=self._version,
            started_at=self._started_at,
            url=self._server.url,
        )


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
