"""Listens for HTTP: so many connections at most, and none that only waits."""

from __future__ import annotations

import asyncio
import errno
import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streamgauge_client.throttle import Throttle

LINGER_SECONDS = 2.0
_HTTP = logging.getLogger(f"{__name__}.http")


class CannotListen(Exception):
    """Nothing can listen at an address. The text says which and what to do."""


class Listener:
    """Serves an application on one address.

    Parameters
    ----------
    host, port
        Where; port 0 takes a free one.
    max_connections
        Above them a connection is closed at once.
    idle_seconds
        How long a connection may go without a whole request head, the first one included: what
        sends a byte now and then is closed all the same.
    drain_seconds
        How long requests under way may take when it stops.
    setting
        Name of the setting that moves the port, for the error when it is taken.
    """

    def __init__(
        self,
        application: web.Application,
        *,
        host: str,
        port: int,
        max_connections: int,
        idle_seconds: float,
        drain_seconds: float,
        setting: str = "STREAMGAUGE_INGEST__PORT",
    ) -> None:
        self._setting = setting
        self._host = host
        self._port = port
        self._max_connections = max_connections
        self._runner = web.AppRunner(
            application,
            access_log=None,
            logger=_HTTP,
            handle_signals=False,
            keepalive_timeout=idle_seconds,
            # A refused body is read on for a moment: who still sends would not hear why.
            lingering_time=LINGER_SECONDS,
            # A few bytes could become gigabytes; bodies are taken as they are, or not at all.
            auto_decompress=False,
            shutdown_timeout=drain_seconds,
        )
        _HTTP.addFilter(_UNQUOTED)
        self._server: asyncio.Server | None = None
        #: Connections closed at once because there were too many.
        self.turned_away = 0

    @property
    def url(self) -> str:
        """Address for people, with the port in use."""
        port = self._server.sockets[0].getsockname()[1] if self._server else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._runner.server.connections) if self._runner.server else 0

    async def start(self) -> None:
        """Listen. Raises ``CannotListen``."""
        await self._runner.setup()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol, self._host, self._port
            )
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            raise CannotListen(
                f"can't listen on {self._host}:{self._port}: "
                f"{'the port is in use' if in_use else (error.strerror or str(error)).lower()};"
                f" stop what uses it or set {self._setting} to another (0 takes a free one)"
            ) from None

    async def stop(self) -> None:
        """Take no more connections, let requests end, close the rest."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _protocol(self) -> asyncio.BaseProtocol:
        assert self._runner.server is not None
        if self.connections >= self._max_connections:
            self.turned_away += 1
            return _TurnedAway()
        return self._runner.server()


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Unquoted(logging.Filter):
    """Keeps aiohttp from quoting what it can't parse: a token, or a line of somebody's event.

    Anybody can send such things as fast as they like, so it is said once in a while.
    """

    def __init__(self) -> None:
        super().__init__()
        self._throttle = Throttle()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        record.exc_info = None
        record.msg, record.args = "what is no HTTP was refused (%s)", (type(error).__name__,)
        record.levelno = min(record.levelno, logging.WARNING)
        record.levelname = logging.getLevelName(record.levelno)
        return self._throttle.ready()


_UNQUOTED = _Unquoted()
