"""How every answer leaves: with headers that keep browsers safe, and within a time."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

#: Nothing but what we serve ourselves, no inline script or style, in nobody's frame.
POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "streamgauge",
}
#: For an answer to be read. Above what scrapers wait for one.
ANSWER_SECONDS = 30.0


async def send(request: web.Request, response: web.StreamResponse) -> None:
    """Write a whole answer. Who does not read it would hold it, and a connection, for ever."""
    response.headers.update(HEADERS)
    with contextlib.suppress(ConnectionError):
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
