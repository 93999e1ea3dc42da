"""What stands before every route: who may, and what is answered when something goes wrong."""

from __future__ import annotations

import logging
import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streamgauge.ingest.budget import Busy
from streamgauge.ingest.posted import Unreadable
from streamgauge.ingest.problem import BUSY_SECONDS, STATUSES, Problem
from streamgauge.ingest.tokens import Tokens
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry import ingest as numbers
from streamgauge.telemetry.traces import trace_id

logger = logging.getLogger(__name__)

#: What shows no event and changes nothing: probes and scrapers have no token.
OPEN = frozenset({"/healthz", "/livez", "/readyz", "/metrics"})


def guard(tokens: Tokens, telemetry: Telemetry) -> Middleware:
    """The middleware that lets a request through to its route, or answers in its place."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        try:
            _let_in(request, tokens)
            response = await handler(request)
        except Problem as problem:
            response = problem.response()
        except Unreadable as error:
            response = Problem(STATUSES[error.reason], error.reason, error.detail).response()
        except Busy as error:
            response = Problem(429, "busy", str(error), retry_after=BUSY_SECONDS).response()
        except web.HTTPException as error:
            response = _of_aiohttp(error).response()
        except Exception:
            logger.exception("a request failed, a defect")
            response = Problem(500, "defect", "internal error, see the log").response()
        # Not which library of which version answers.
        response.headers["Server"] = "streamgauge"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        # The route's pattern and never the path, which is the sender's to choose.
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "other"
        telemetry.count(numbers.REQUESTS, route=route, status=str(response.status))
        telemetry.observe(
            numbers.REQUEST_DURATION,
            time.monotonic() - started,
            trace=trace_id(request.headers.get("traceparent")),
            route=route,
        )
        return response

    return guarded


def _let_in(request: web.Request, tokens: Tokens) -> None:
    if request.path in OPEN and request.method in ("GET", "HEAD"):
        return
    if not tokens.allow(request.headers.get("Authorization")):
        raise Problem(401, "unauthorized", "a bearer token is needed (Authorization: Bearer …)")
    # Without a token there is only the address to go by, and a page that somebody has open in a
    # browser here reaches it too. Browsers say where such a request comes from; no service does.
    if not tokens and "Origin" in request.headers:
        raise Problem(403, "forbidden", "requests from web pages are not taken")


def _of_aiohttp(error: web.HTTPException) -> Problem:
    if error.status == 404:
        return Problem(404, "not_found", "nothing is here; post to /v1/events or /v1/oip/{model}")
    if error.status == 405:
        return Problem(405, "method", "the path is right, the method is not; events are POSTed")
    return Problem(error.status, "http", error.reason)
