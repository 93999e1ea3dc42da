"""The ingest service as an object: wires settings, policies, producer, routes and listener."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streamgauge.access.kafka import librdkafka_security
from streamgauge.access.redis import async_redis
from streamgauge.clock import Clock, system_clock
from streamgauge.ingest.appender import Appender
from streamgauge.ingest.budget import Budget
from streamgauge.ingest.intake import Intake
from streamgauge.ingest.listener import Listener
from streamgauge.ingest.pairing import Pairing
from streamgauge.ingest.privacy import Policies
from streamgauge.ingest.routes import Limits, Routes
from streamgauge.ingest.tokens import Tokens, check_exposure
from streamgauge.settings import Settings
from streamgauge.state.processes import ProcessView, announce
from streamgauge.telemetry import Telemetry, processes
from streamgauge.telemetry import ingest as numbers

logger = logging.getLogger(__name__)

SERVICE = "ingest"
REFRESH_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 2.0


class IngestService:
    """Takes events while it runs: ``async with service.running(): …``.

    Raises ``TokenError`` where it would take events from anybody, and ``ValueError`` for a Redis
    URL that can't be used.
    """

    def __init__(self, settings: Settings, *, clock: Clock = system_clock) -> None:
        own = settings.ingest
        tokens = Tokens.of(own.token.get_secret_value() if own.token else None)
        check_exposure(own.host, tokens)
        key = settings.privacy.key
        self._clock = clock
        self._settings = settings
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._version = version("streamgauge")
        self._telemetry = Telemetry(self._registry, service=SERVICE, version=self._version)
        for definition, labels in numbers.FROM_THE_START:
            self._telemetry.declare(definition, **labels)
        self._policies = Policies(key=key.get_secret_value().encode() if key else None)
        self._redis = async_redis(
            settings.redis,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._tokens = tokens
        self._appender: Appender | None = None
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._listener is not None
        return self._listener.url

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[IngestService]:
        """Listen, read policies, hold halves of calls. Raises ``CannotListen``."""
        own = self._settings.ingest
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._redis.aclose)
            appender = self._appender = Appender(
                self._settings.kafka.bootstrap_servers,
                ack_seconds=own.ack_seconds,
                max_bytes=own.max_inflight_bytes,
                security=librdkafka_security(self._settings.kafka.security),
            )
            appender.start()
            # Off the loop, which has the acknowledgements to deliver.
            stack.push_async_callback(asyncio.to_thread, appender.stop)
            intake = self._intake(appender)
            listener = self._listener = self._listening(intake)
            await listener.start()
            stack.push_async_callback(listener.stop)
            started_at = self._clock()
            instance = own.instance or f"{socket.gethostname()}-{os.getpid()}"
            for work in (
                self._follow(),
                intake.tend(),
                announce(
                    self._redis,
                    lambda: ProcessView(
                        service=SERVICE,
                        instance=instance,
                        version=self._version,
                        started_at=started_at,
                        url=listener.url,
                    ),
                ),
            ):
                stack.push_async_callback(_ended, asyncio.create_task(work))
            yield self

    def _intake(self, appender: Appender) -> Intake:
        own = self._settings.ingest
        return Intake(
            log=appender,
            policies=self._policies,
            pairing=Pairing(
                seconds=own.join_seconds,
                max_halves=own.max_held_halves,
                max_bytes=own.max_held_bytes,
                count=lambda outcome: self._telemetry.count(numbers.HALVES, outcome=outcome),
            ),
            prefix=self._settings.kafka.topic_prefix,
            telemetry=self._telemetry,
            clock=self._clock,
        )

    def _listening(self, intake: Intake) -> Listener:
        own = self._settings.ingest
        routes = Routes(
            intake,
            budget=Budget(max_events=own.max_inflight_events, max_bytes=own.max_inflight_bytes),
            limits=Limits(
                max_body_bytes=own.max_body_bytes,
                max_events=own.max_events,
                read_seconds=own.read_seconds,
            ),
            tokens=self._tokens,
            telemetry=self._telemetry,
            registry=self._registry,
            ready=self._unready,
        )
        return Listener(
            routes.application(),
            host=own.host,
            port=own.port,
            max_connections=own.max_connections,
            idle_seconds=own.read_seconds,
            drain_seconds=own.ack_seconds,
        )

    def _unready(self) -> str | None:
        if not self._policies.known:
            return "the models' privacy policies have not been read yet: Redis does not answer"
        return (self._appender.down if self._appender else "starting") or None

    async def _follow(self) -> None:
        """Keep the policies fresh for ever. Whatever goes wrong, the known ones hold."""
        failing = ""
        while True:
            try:
                await self._policies.refresh(self._redis)
                failing = ""
            except (RedisError, OSError) as error:
                self._telemetry.count(processes.REDIS_ERRORS, error=type(error).__name__)
                if failing != "Redis":
                    logger.warning("Redis does not answer; the known privacy policies hold")
                failing = "Redis"
            except Exception as error:
                # Nobody looks at this task: were it to end, no policy would ever change again.
                if failing != repr(error):
                    logger.exception("specs can't be read, a defect; the known policies hold")
                failing = repr(error)
            self._show()
            await asyncio.sleep(REFRESH_SECONDS)

    def _show(self) -> None:
        assert self._appender is not None and self._listener is not None
        self._telemetry.set(numbers.KAFKA_UP, 0 if self._appender.down else 1)
        self._telemetry.set(numbers.CONNECTIONS, self._listener.connections)
        self._telemetry.set(numbers.TURNED_AWAY, self._listener.turned_away)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
