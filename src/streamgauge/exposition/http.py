"""The small HTTP server of a process: /metrics and health, on threads of its own."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import make_wsgi_app
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

#: A client that sends nothing for so long loses its connection.
CLIENT_TIMEOUT_SECONDS = 10.0
#: For a whole request and its answer: a byte now and then would begin the time above anew.
REQUEST_SECONDS = 30.0
#: Most requests at once. A scrape takes milliseconds, so more of them are an attack or a mistake.
MAX_REQUESTS = 32

#: None while all is well, else the reason in a few words.
Check = Callable[[], str | None]


class PortInUse(Exception):
    """Nothing can listen at an address. The text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to GET."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: str = "200 OK"
    headers: Mapping[str, str] = field(default_factory=dict)


def well() -> str | None:
    """The check that has nothing to say."""
    return None


class TelemetryServer:
    """Serves a process's telemetry beside its work, so that a blocked event loop still shows.

    ``/metrics`` negotiates OpenMetrics, ``/healthz`` says that the process runs, ``/readyz`` and
    ``/livez`` answer 503 with the reason while their check gives one.

    Parameters
    ----------
    registry
        Whose metrics are shown.
    host, port
        Where to listen; port 0 takes a free one.
    ready
        Whether work can be taken: assigned, loaded, Redis writable.
    live
        Whether the watchdog is content; a reason here asks for a restart.
    setting
        Name of the setting that moves the port, for the error when it is taken.
    """

    def __init__(
        self,
        registry: Collector,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ready: Check = well,
        live: Check = well,
        setting: str = "port",
    ) -> None:
        self._metrics = make_wsgi_app(registry)
        self._host = host
        self._port = port
        self._setting = setting
        self._pages: dict[str, Callable[[], Page]] = {
            "/healthz": lambda: _health(None),
            "/readyz": lambda: _health(ready()),
            "/livez": lambda: _health(live()),
        }
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and serve on a daemon thread. Raises ``PortInUse``."""
        try:
            server = _Server((self._host, self._port), _Handler)
        except OSError as error:
            raise PortInUse(
                f"can't listen on {self._host}:{self._port}: {_reason(error)}; stop what uses it "
                f"or set {self._setting} to another (0 takes a free one)",
            ) from None
        server.set_app(self._answer)
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the listener. Requests under way are given up."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout=5)
            self._server = self._thread = None

    @property
    def port(self) -> int:
        """The port in use, which port 0 became."""
        return self._server.server_port if self._server else self._port

    @property
    def url(self) -> str:
        """Address for people."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            page = Page(b"read only\n", status="405 Method Not Allowed", headers={"Allow": "GET"})
            return _send(page, method, start_response)
        try:
            if path == "/metrics":
                return list(self._metrics({**environ, "REQUEST_METHOD": "GET"}, start_response))
            make = self._pages.get(path)
            page = make() if make else Page(b"not found\n", status="404 Not Found")
        except Exception:
            logger.exception("%s can't be served", path)
            page = Page(b"internal error, see the log\n", status="500 Internal Server Error")
        return _send(page, method, start_response)


def _send(page: Page, method: str, start_response: StartResponse) -> Iterable[bytes]:
    headers = {
        "Content-Type": page.content_type,
        "Content-Length": str(len(page.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **page.headers,
    }
    start_response(page.status, list(headers.items()))
    return [] if method == "HEAD" else [page.body]


def _health(reason: str | None) -> Page:
    if reason:
        return Page(f"{reason}\n".encode(), status="503 Service Unavailable")
    return Page(b"ok\n")


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use"
    return (error.strerror or str(error)).lower()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = MAX_REQUESTS

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self._slots = threading.BoundedSemaphore(MAX_REQUESTS)
        # The family follows the address, so that "::1" works as "127.0.0.1" does.
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # Without the look-up of the host's full name, which can hang where DNS is broken.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name = str(self.server_address[0])
        self.server_port = int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        deadline = threading.Timer(REQUEST_SECONDS, _hang_up, (request,))
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that went away in the middle is no error of ours.
        logger.debug("request of %s broke off", client_address, exc_info=True)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(WSGIRequestHandler):
    timeout = CLIENT_TIMEOUT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)
