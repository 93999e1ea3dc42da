"""The middleware of an ASGI service (FastAPI, Starlette, Quart, Django): no framework needed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from streamgauge_client.request_scope import (
    RequestScope,
    inside,
)
from streamgauge_client.throttle import Throttle

if TYPE_CHECKING:
    from streamgauge_client.publisher import Publisher

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)
_warning = Throttle()


class ASGIMiddleware:
    """Ties the events of a request to it, and names its predictions in the response.

    Events published while a request is handled carry its id (``x-request-id``, or a new one) and
    its ``traceparent``. The response gets ``X-Request-ID``, and ``X-Prediction-Id`` with the ids
    of the predictions made before it began, for who will send labels or feedback. Requests,
    errors (status 500 and above, or an exception) and requests in flight are counted in
    ``publisher.requests``. Web sockets and the lifespan pass untouched, as does everything that
    the application sends, awaits or raises.

    >>> app.add_middleware(ASGIMiddleware, publisher=publisher)  # doctest: +SKIP
    """

    def __init__(self, app: App, *, publisher: Publisher) -> None:
        self.app = app
        self._publisher = publisher

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = _request_of(scope)
        # The counters of now: a fork in the middle gives the child others.
        counters = self._publisher.requests
        answered = _Answer(request, send)
        counters.started()
        failed = True
        try:
            with inside(request):
                await self.app(scope, receive, answered.send)
            failed = answered.failed
        except Exception:
            raise
        except BaseException:
            # Cancelled, most often since the client went away: no failure of the service.
            failed = answered.failed and answered.begun
            raise
        finally:
            request.end()
            counters.finished(failed)


class _Answer:
    """Passes on what the application sends; writes our headers into the response's start."""

    def __init__(self, request: RequestScope, send: Send) -> None:
        self._request = request
        self._send = send
        self.begun = False
        #: Nothing sent is a failure too: the server makes a 500 of it.
        self.failed = True

    async def send(self, message: Message) -> None:
        if message.get("type") == "http.response.start":
            self.begun = True
            try:
                self.failed = message["status"] >= 500
                message = {**message, "headers": self._with_ours(message.get("headers", ()))}
            except Exception as error:
                _tell(error)
        await self._send(message)

    def _with_ours(self, given: Any) -> list[Any]:
        headers = list(given)
        names = {bytes(name).lower() for name, _ in headers}
        for name, value in self._request.response_headers():
            if name.lower().encode() not in names:
                headers.append((name.lower().encode(), value.encode()))
        return headers


def _request_of(scope: Any) -> RequestScope:
    try:
        found = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
        values = (
            found[name].decode("latin-1") if name in found else None
            for name in (b"x-request-id", b"traceparent", b"tracestate")
        )
        return RequestScope(*values)
    except Exception as error:
        _tell(error)
        return RequestScope(None, None, None)


def _tell(error: Exception) -> None:
    if _warning.ready():
        logger.warning("a request's headers can't be read or written: %s", type(error).__name__)
