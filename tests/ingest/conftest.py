from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from prometheus_client import CollectorRegistry

from streamgauge.ingest.appender import Outgoing
from streamgauge.ingest.budget import Budget
from streamgauge.ingest.intake import Intake
from streamgauge.ingest.listener import Listener
from streamgauge.ingest.pairing import Pairing
from streamgauge.ingest.privacy import Policies
from streamgauge.ingest.routes import Limits, Routes
from streamgauge.ingest.tokens import Tokens
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry import ingest as numbers

NOW = 1_700_000_000.0


async def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.01)


@dataclass
class KeptLog:
    """A log that keeps records in memory. ``problem`` is its answer to each of them."""

    records: list[Outgoing] = field(default_factory=list)
    problem: str = ""
    #: Awaited before each answer, where a test wants requests to be under way.
    gate: Callable[[], Any] | None = None

    async def append(self, records: Sequence[Outgoing]) -> list[str]:
        if self.gate is not None:
            await self.gate()
        if not self.problem:
            self.records += records
        return [self.problem for _ in records]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(record.value) for record in self.records]


@dataclass
class Moment:
    """A clock that a test sets."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    """An intake with everything around it in memory."""

    log: KeptLog
    clock: Moment
    telemetry: Telemetry
    registry: CollectorRegistry
    policies: Policies
    pairing: Pairing
    intake: Intake

    def counted(self, **labels: str) -> dict[str, float]:
        """Halves of calls by what became of them."""
        return {
            sample.labels["outcome"]: sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "streamgauge_ingest_call_halves_total"
        }


@pytest.fixture
def bench() -> Bench:
    log, clock, registry = KeptLog(), Moment(), CollectorRegistry()
    telemetry = Telemetry(registry, service="ingest", version="1")
    policies = Policies(key=b"key")
    policies.known = True
    pairing = Pairing(
        seconds=30.0,
        max_halves=10,
        max_bytes=100_000,
        count=lambda outcome: telemetry.count(numbers.HALVES, outcome=outcome),
    )
    intake = Intake(
        log=log,
        policies=policies,
        pairing=pairing,
        prefix="streamgauge",
        telemetry=telemetry,
        clock=clock,
    )
    return Bench(log, clock, telemetry, registry, policies, pairing, intake)


@dataclass
class Door:
    """A listening service and somebody who posts to it."""

    url: str
    bench: Bench
    budget: Budget
    routes: Routes
    listener: Listener
    session: aiohttp.ClientSession

    async def post(
        self, body: Any = None, *, path: str = "/v1/events", **more: Any
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, document and headers of the answer."""
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        told = {"json": body} if isinstance(body, dict | list) else {"data": data}
        async with self.session.post(self.url + path, **told, **more) as response:
            document = orjson.loads(await response.read())
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
                assert document["status"] == response.status
                assert {"type", "title", "detail"} <= document.keys()
            return response.status, document, dict(response.headers)


Open = Callable[..., AbstractAsyncContextManager[Door]]


@pytest.fixture
def serve(bench: Bench) -> Open:
    """Opens a door: ``async with serve(token=…) as door``."""

    @asynccontextmanager
    async def opened(
        *,
        token: str = "",
        max_body_bytes: int = 1_000_000,
        max_inflight_events: int = 100,
        max_inflight_bytes: int = 10_000_000,
        max_connections: int = 50,
        read_seconds: float = 5.0,
        ready: Callable[[], str | None] = lambda: None,
    ) -> AsyncIterator[Door]:
        budget = Budget(max_events=max_inflight_events, max_bytes=max_inflight_bytes)
        routes = Routes(
            bench.intake,
            budget=budget,
            limits=Limits(max_body_bytes=max_body_bytes, max_events=50, read_seconds=read_seconds),
            tokens=Tokens.of(token),
            telemetry=bench.telemetry,
            registry=bench.registry,
            ready=ready,
        )
        listener = Listener(
            routes.application(),
            host="127.0.0.1",
            port=0,
            max_connections=max_connections,
            idle_seconds=read_seconds,
            drain_seconds=2.0,
        )
        await listener.start()
        try:
            async with aiohttp.ClientSession() as session:
                yield Door(listener.url, bench, budget, routes, listener, session)
        finally:
            await listener.stop()

    return opened


@pytest.fixture
def prediction() -> dict[str, Any]:
    return {
        "prediction_id": "p-1",
        "model": "credit",
        "version": "3",
        "timestamp": NOW - 1.5,
        "features": {"age": 41, "country": "de"},
        "output": 0.8,
    }
