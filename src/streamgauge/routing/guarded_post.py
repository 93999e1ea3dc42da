"""The one way in which an alarm leaves over HTTP: a POST that cannot be led astray.

The URL comes from the configuration alone; only checked addresses are connected to; redirects and
the environment's proxies are not followed; time and answer are bounded. See ``Target`` for which
URLs there are.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping

import aiohttp

from streamgauge.alarms.notice import printable
from streamgauge.alarms.sinks.base import Answer
from streamgauge.routing.resolver import CheckedResolver, Lookup, system_lookup
from streamgauge.routing.target import Target, UnsafeTarget

#: Seconds for everything: name, connection, TLS, request and answer.
TOTAL_SECONDS = 5.0
#: Most bytes of an answer that are read. Whether it arrived is in the status already.
MAX_ANSWER_BYTES = 64 * 1024
#: Most characters of an answer that are shown to people.
SHOWN_CHARACTERS = 200
_HEADERS = {"User-Agent": "streamgauge-notifier", "Accept-Encoding": "identity"}


class GuardedPost:
    """Implements ``Post`` for one target. ``async with``, or ``close`` at the end."""

    def __init__(
        self,
        target: Target,
        *,
        lookup: Lookup = system_lookup,
        total_seconds: float = TOTAL_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._target = target
        self._lookup = lookup
        self._total_seconds = total_seconds
        # None: the machine's certificate authorities, host names checked.
        self._tls: ssl.SSLContext | bool = tls or True
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST the body; whatever happens becomes an answer."""
        status = 0
        try:
            async with (
                asyncio.timeout(self._total_seconds),
                self._open().post(
                    self._target.url,
                    data=body,
                    headers={**headers, **_HEADERS},
                    allow_redirects=False,
                ) as response,
            ):
                # From here on the receiver has spoken: an answer that never ends, or breaks off,
                # does not make the same alarm go out again.
                status = response.status
                return Answer(status, text=_shown(await _beginning(response)))
        except UnsafeTarget as error:
            return Answer(0, reason=str(error), recoverable=False)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return Answer(status, reason=self._reason(error))
        except ValueError as error:
            # aiohttp refuses, before it connects, a header or URL that it can't write.
            return Answer(0, reason=f"can't be sent: {error}", recoverable=False)

    async def close(self) -> None:
        """Give up connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> GuardedPost:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def _open(self) -> aiohttp.ClientSession:
        # At first use, because a session belongs to the running loop.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=CheckedResolver(self._target, lookup=self._lookup),
                use_dns_cache=False,
                # A connection for each alarm: they are rare, and each is checked anew.
                force_close=True,
                ssl=self._tls,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=self._total_seconds),
                read_bufsize=MAX_ANSWER_BYTES // 2,
            )
        return self._session

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer from {self._target} in {self._total_seconds:g} s"
        return f"{self._target}: {printable(_words(error))}"


def _words(error: Exception) -> str:
    """What happened, in few words; aiohttp's own repeat the URL, whose path may be a secret."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted ({error.certificate_error})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is no HTTP"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if not isinstance(cause, OSError):
        return type(error).__name__
    # Those of names are negative, and known to their own function alone.
    known = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror
    return known or type(cause).__name__


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for part in response.content.iter_any():
        found += part
        if len(found) >= MAX_ANSWER_BYTES:
            # Not read on, and not reused: closing is what ends an endless answer.
            response.close()
            break
    return bytes(found[:MAX_ANSWER_BYTES])


def _shown(body: bytes) -> str:
    text = body[: 4 * SHOWN_CHARACTERS].decode(errors="replace").strip()
    return printable(text[:SHOWN_CHARACTERS])
