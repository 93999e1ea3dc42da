"""The middleware of a WSGI service (Flask, Django, Bottle): no framework needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from streamgauge_client.request_scope import RequestScope, inside
from streamgauge_client.requests import RequestCounters
from streamgauge_client.throttle import Throttle

if TYPE_CHECKING:
    from streamgauge_client.publisher import Publisher

StartResponse = Callable[..., Any]
App = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

logger = logging.getLogger(__name__)
_warning = Throttle()


class WSGIMiddleware:
    """Does for WSGI what ``ASGIMiddleware`` does for ASGI.

    A request ends with its response: one that is streamed is in flight until its last piece was
    taken or the server closed it, and what is published on the way belongs to it.

    >>> app.wsgi_app = WSGIMiddleware(app.wsgi_app, publisher=publisher)  # doctest: +SKIP
    """

    def __init__(self, app: App, *, publisher: Publisher) -> None:
        self.app = app
        self._publisher = publisher

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = _Answer(_request_of(environ), start_response, self._publisher.requests)
        try:
            with inside(answer.request):
                response = self.app(environ, answer.start)
        except BaseException as error:
            answer.end(isinstance(error, Exception))
            raise
        if _is_whole(response, environ):
            answer.end(answer.failed)
            return response
        return _Streamed(response, answer)


class _Answer:
    """One response: passes on how it starts with our headers, and counts how it ends."""

    def __init__(
        self, request: RequestScope, start_response: StartResponse, counters: RequestCounters
    ) -> None:
        self.request = request
        self.failed = True
        self._start_response = start_response
        self._counters = counters
        self._ended = False
        counters.started()

    def start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        try:
            self.failed = int(status[:3]) >= 500
            names = {name.lower() for name, _ in headers}
            ours = self.request.response_headers()
            headers = [*headers, *(one for one in ours if one[0].lower() not in names)]
        except Exception as error:
            if _warning.ready():
                logger.warning("a response's headers can't be read: %s", type(error).__name__)
        return self._start_response(status, headers, *exc_info)

    def end(self, failed: bool) -> None:
        if not self._ended:
            self._ended = True
            self.request.end()
            self._counters.finished(failed)


class _Streamed:
    """A response that is still being made: each piece of it inside of the request."""

    def __init__(self, response: Iterable[bytes], answer: _Answer) -> None:
        self._response = response
        self._answer = answer
        self._pieces: Iterator[bytes] | None = None
        self._broke = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with inside(self._answer.request):
                if self._pieces is None:
                    self._pieces = iter(self._response)
                return next(self._pieces)
        except StopIteration:
            self._answer.end(self._broke or self._answer.failed)
            raise
        except Exception:
            self._broke = True
            raise

    def close(self) -> None:
        close = getattr(self._response, "close", None)
        try:
            if close is not None:
                with inside(self._answer.request):
                    close()
        finally:
            self._answer.end(self._broke or self._answer.failed)


def _is_whole(response: Any, environ: dict[str, Any]) -> bool:
    """Whether nothing is made any more. Servers look at these kinds, so they stay what they are."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(response, (list, tuple)) or (
        isinstance(wrapper, type) and isinstance(response, wrapper)
    )


def _request_of(environ: dict[str, Any]) -> RequestScope:
    names = ("HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_TRACESTATE")
    found = (environ.get(name) for name in names)
    return RequestScope(*(value if isinstance(value, str) else None for value in found))
