"""What the console answers at which address: all of it reads, but for what is done to alarms."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry

from streamgauge.alarms.notice import printable
from streamgauge.console.access import Access
from streamgauge.console.act_route import MOST_BYTES, PREFIX, ActRoute
from streamgauge.console.acts import Acts
from streamgauge.console.assets import assets
from streamgauge.console.documents import SCREENS, Screen
from streamgauge.console.roles import Role
from streamgauge.console.scrape_route import ScrapeRoute
from streamgauge.console.sending import HEADERS, send
from streamgauge.console.stream import Answering, FanOut, TooManyReaders
from streamgauge.exposition.http import Check

logger = logging.getLogger(__name__)

RETRY_MS = 2000
#: Longest key of a model or a feature that is looked for.
MOST_KEY = 400


class Routes:
    """The handlers, and the guard before them."""

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        access: Access,
        ready: Check,
        live: Check,
        answer: Answering,
        fan_out: FanOut,
        acts: Acts | None = None,
    ) -> None:
        self._access = access
        self._answer = answer
        self._fan_out = fan_out
        self._acting = ActRoute(acts, proxies=access.asks) if acts is not None else None
        self._scraping = ScrapeRoute(registry)
        self._checks: dict[str, Check] = {
            "/healthz": lambda: None,
            "/readyz": ready,
            "/livez": live,
        }

    def application(self) -> web.Application:
        """The application that serves them."""
        application = web.Application(middlewares=[self._guard], client_max_size=MOST_BYTES)
        add = application.router.add_get
        add("/metrics", self._scraping.handle)
        for path, check in self._checks.items():
            add(path, partial(self._health, check))
        add("/", partial(self._asset, "index.html"))
        add("/signin", partial(self._asset, "signin.html"))
        add("/static/{name}", self._static)
        add("/api/session", self._session)
        # Without a second handler for HEAD: a stream has no end to wait for.
        application.router.add_get("/api/stream", self._stream, allow_head=False)
        add("/api/{screen}", self._screen)
        if self._acting is not None:
            application.router.add_post(f"{PREFIX}{{act}}", self._act)
        return application

    def close(self) -> None:
        """End what has no end of its own."""
        self._fan_out.close()
        self._scraping.close()
        if self._acting is not None:
            self._acting.close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = self._refused(request) or await handler(request)
        except web.HTTPException as error:
            response = _text(error.status, "not found" if error.status == 404 else error.reason)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        except Exception:
            logger.exception("%s can't be served", printable(request.path[:100]))
            response = _text(500, "internal error, see the log")
        if not response.prepared:
            await send(request, response)
        return response

    def _refused(self, request: web.Request) -> web.Response | None:
        acts = request.method == "POST" and request.path.startswith(PREFIX)
        if request.method not in ("GET", "HEAD") and not acts:
            response = _text(405, "read only")
            response.headers["Allow"] = "GET, HEAD"
            return response
        refusal = self._access.refusal(request, needed=Role.OPERATOR if acts else Role.VIEWER)
        if refusal is None:
            return None
        status, reason = refusal
        if status == 401 and request.path == "/":
            # A person: the form is of more use than the reason.
            return web.Response(
                status=401, body=assets()["signin.html"].body, headers={"Content-Type": _HTML}
            )
        response = _text(status, reason)
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="streamgauge"'
        return response

    async def _health(self, check: Check, request: web.Request) -> web.Response:
        reason = check()
        return _text(503, reason) if reason else _text(200, "ok")

    async def _asset(self, name: str, request: web.Request) -> web.Response:
        asset = assets().get(name)
        if asset is None:
            return _text(404, "not found")
        headers = {"Content-Type": asset.content_type, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=asset.packed, headers=headers)
        return web.Response(body=asset.body, headers=headers)

    async def _static(self, request: web.Request) -> web.Response:
        return await self._asset(request.match_info["name"], request)

    async def _session(self, request: web.Request) -> web.Response:
        role = self._access.role(request)
        told = {"role": role.word} if role is not None else {}
        response = web.Response(body=orjson.dumps(told), content_type="application/json")
        self._access.sign_in(request, response)
        return response

    async def _act(self, request: web.Request) -> web.Response:
        role = self._access.role(request)
        # The guard has let nobody in who has none.
        assert self._acting is not None and role is not None
        return await self._acting.handle(request, role)

    async def _screen(self, request: web.Request) -> web.Response:
        screen = _screen_of(request, request.match_info["screen"])
        answer = await self._answer(screen)
        return web.Response(
            status=200 if answer.known else 404, body=answer.body, content_type="application/json"
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        screen = _screen_of(request, request.query.get("screen", "fleet"))
        transport = request.transport
        abort = transport.abort if isinstance(transport, asyncio.Transport) else None
        last = request.headers.get("Last-Event-ID")
        try:
            reader = await self._fan_out.join(screen, last=last, abort=abort)
        except TooManyReaders as error:
            body = orjson.dumps({"reason": str(error)})
            headers = {"Retry-After": "5"}
            return web.Response(
                status=503, body=body, content_type="application/json", headers=headers
            )
        response = web.StreamResponse(headers={**HEADERS, **_STREAM})
        # A page that was closed shows in the next write.
        with contextlib.suppress(ConnectionError):
            try:
                await response.prepare(request)
                await response.write(f"retry: {RETRY_MS}\n\n".encode())
                while (text := await reader.next()) is not None:
                    await response.write(text)
            finally:
                self._fan_out.leave(reader)
        return response


_STREAM = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_HTML = "text/html; charset=utf-8"


def _screen_of(request: web.Request, name: str) -> Screen:
    """The screen that is asked for. Raises ``HTTPNotFound``."""
    model = request.query.get("model", "")[:MOST_KEY]
    if name == "model":
        return Screen(name, model)
    if name == "feature":
        return Screen(name, model, request.query.get("feature", "")[:MOST_KEY])
    if name in SCREENS:
        return Screen(name)
    raise web.HTTPNotFound


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n", content_type="text/plain")
