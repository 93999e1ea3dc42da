"""The routes of the ingest service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streamgauge.ingest import direct
from streamgauge.ingest.body import read_body
from streamgauge.ingest.budget import Budget, Share
from streamgauge.ingest.guard import guard
from streamgauge.ingest.intake import Intake
from streamgauge.ingest.modes import events_of
from streamgauge.ingest.posted import Incoming, Refusal
from streamgauge.ingest.problem import AWAY_SECONDS, Problem, answer
from streamgauge.ingest.tokens import Tokens
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry import ingest as numbers


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may be: its bytes, its events, and the seconds for its body."""

    max_body_bytes: int
    max_events: int
    read_seconds: float


class Routes:
    """Handlers over an intake.

    Parameters
    ----------
    ready
        None while events can be taken, else the reason why not.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        budget: Budget,
        limits: Limits,
        tokens: Tokens,
        telemetry: Telemetry,
        registry: CollectorRegistry,
        ready: Callable[[], str | None],
    ) -> None:
        self._intake = intake
        self._budget = budget
        self._limits = limits
        self._tokens = tokens
        self._telemetry = telemetry
        self._registry = registry
        self._ready = ready

    def application(self) -> web.Application:
        """What aiohttp serves."""
        application = web.Application(middlewares=[guard(self._tokens, self._telemetry)])
        application.add_routes(
            [
                web.post("/v1/events", self.post_events),
                web.post("/v1/oip/{model}", self.post_call),
                web.get("/healthz", self.get_health),
                web.get("/livez", self.get_health),
                web.get("/readyz", self.get_readiness),
                web.get("/metrics", self.get_metrics),
            ]
        )
        return application

    async def post_events(self, request: web.Request) -> web.Response:
        """Events in any of the forms of CloudEvents, as bare JSON or as lines."""
        self._check_policies()
        with self._budget.share() as share:
            body = await self._body(request, share)
            # Of a header that comes twice the last, as of a field of JSON.
            headers = {name.lower(): value for name, value in request.headers.items()}
            found = events_of(
                Incoming(headers.get("content-type", ""), headers, body, request.query.get("type")),
                max_events=self._limits.max_events,
            )
            share.take(events=len(found))
            return answer(await self._intake.take(found))

    async def post_call(self, request: web.Request) -> web.Response:
        """A call to a model server in the Open Inference Protocol, or in KServe's v1."""
        self._check_policies()
        if not request.content_type.endswith("json"):
            raise Problem(415, "media_type", "send application/json")
        with self._budget.share() as share:
            body = await self._body(request, share)
            found = direct.predictions(request.match_info["model"], body)
            if isinstance(found, Refusal):
                return answer(await self._intake.take([found]))
            share.take(events=len(found))
            return answer(await self._intake.take(found))

    async def get_health(self, request: web.Request) -> web.Response:
        """The process runs."""
        return web.Response(text="ok\n")

    async def get_readiness(self, request: web.Request) -> web.Response:
        """Whether events can be taken now."""
        reason = self._ready()
        return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

    async def get_metrics(self, request: web.Request) -> web.Response:
        """What Prometheus scrapes."""
        self._telemetry.set(numbers.INFLIGHT_EVENTS, self._budget.events)
        self._telemetry.set(numbers.INFLIGHT_BYTES, self._budget.bytes)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    async def _body(self, request: web.Request, share: Share) -> bytes:
        return await read_body(
            request,
            share,
            max_bytes=self._limits.max_body_bytes,
            timeout_seconds=self._limits.read_seconds,
        )

    def _check_policies(self) -> None:
        if not self._intake.policies_known:
            raise Problem(
                503,
                "unavailable",
                "the models' privacy policies have not been read yet: Redis does not answer",
                retry_after=AWAY_SECONDS,
            )
