"""The notifier as an object: wires sinks, routes, memory and server. Tests run it in-process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.notifier.sinks import ConfiguredSink
from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import async_redis
from streamgauge.clock import Clock, system_clock
from streamgauge.exposition.http import TelemetryServer
from streamgauge.routing.alarm_log import AlarmLog
from streamgauge.routing.dispatcher import Dispatcher
from streamgauge.routing.retrying import Patience
from streamgauge.routing.route import Route
from streamgauge.settings import Settings
from streamgauge.state.notified import Notified
from streamgauge.state.processes import ProcessView, announce
from streamgauge.state.silences import Silences
from streamgauge.telemetry import Telemetry, processes
from streamgauge_client.topics import ALARMS

SERVICE = "notifier"
#: Redis must answer within this time, or the alarm goes out without being asked for.
REDIS_TIMEOUT_SECONDS = 2.0
#: How often Redis is told what it missed.
SETTLE_SECONDS = 5.0


class Notifier:
    """Brings alarms from their topic to the sinks. Keeps on while Kafka, Redis or sinks are away.

    Made within a running event loop. Raises ``ValueError`` where the Redis URL is none.
    """

    def __init__(
        self, settings: Settings, sinks: Sequence[ConfiguredSink], *, clock: Clock = system_clock
    ) -> None:
        self._settings = settings
        self._sinks = sinks
        self._started_at = clock()
        own = settings.notifier
        self._instance = own.instance or f"{socket.gethostname()}-{os.getpid()}"
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._telemetry = Telemetry(registry, service=SERVICE, version=version("streamgauge"))
        for error in processes.REDIS_FAILURES:
            self._telemetry.declare(processes.REDIS_ERRORS, error=error)
        self._redis = async_redis(
            settings.redis,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._notified = Notified(
            self._redis,
            keep_seconds=own.remember_seconds,
            on_error=lambda error: self._telemetry.count(processes.REDIS_ERRORS, error=error),
        )
        self._silences = Silences(self._redis, clock=clock)
        self._routes = [self._route(one) for one in sinks]
        self._server = TelemetryServer(
            registry,
            host=own.host,
            port=own.port,
            ready=self._trouble,
            setting="STREAMGAUGE_NOTIFIER__PORT",
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def start(self) -> None:
        """Listen. Raises ``PortInUse``."""
        self._server.start()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop``; then end what is under way, and let everything go."""
        beside = [
            asyncio.create_task(self._keep_telling()),
            asyncio.create_task(announce(self._redis, self._process)),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for route in self._routes:
                    group.create_task(route.run(stop))
        finally:
            for task in beside:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            for one in self._sinks:
                await one.close()
            await self._redis.aclose()
            self._server.stop()

    def _route(self, one: ConfiguredSink) -> Route:
        own, kafka = self._settings.notifier, self._settings.kafka
        dispatcher = Dispatcher(
            one.name,
            one.sink,
            patience=Patience(
                max_attempts=own.max_attempts,
                max_age_seconds=own.max_age_seconds,
                first_retry_seconds=own.first_retry_seconds,
                longest_retry_seconds=own.longest_retry_seconds,
            ),
            memory=self._notified,
            silences=self._silences,
            telemetry=self._telemetry,
        )

        def open_log(on_lost: Callable[[list[int]], None]) -> AlarmLog:
            return AlarmLog(
                kafka.bootstrap_servers,
                ALARMS.under(kafka.topic_prefix),
                group=f"{own.group}.{one.name}",
                since=own.since,
                on_lost=on_lost,
                options=librdkafka_security(kafka.security),
            )

        return Route(
            dispatcher, open_log, severity=one.settings.severity, models=one.settings.models
        )

    def _trouble(self) -> str | None:
        said = [trouble for route in self._routes if (trouble := route.trouble())]
        if not self._notified.up:
            said.append("Redis does not answer: alarms go out, and may come twice after a restart")
        return "; ".join(said) or None

    async def _keep_telling(self) -> None:
        while True:
            await self._notified.settle()
            await asyncio.sleep(SETTLE_SECONDS)

    def _process(self) -> ProcessView:
        return ProcessView(
            service=SERVICE,
            instance=self._instance,
            version=version("streamgauge"),
            started_at=self._started_at,
            url=self._server.url,
        )
