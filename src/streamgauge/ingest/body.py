"""A request's body, read within limits of size and time."""

from __future__ import annotations

import asyncio

from aiohttp import web

from streamgauge.ingest.budget import Share
from streamgauge.ingest.problem import Problem


async def read_body(
    request: web.Request, share: Share, *, max_bytes: int, timeout_seconds: float
) -> bytes:
    """The body's bytes, held in the budget as they come. Raises ``Problem`` and ``Busy``."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Problem(415, "media_type", "compressed bodies are not read; send it as it is")
    announced = request.content_length
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_seconds):
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                share.take(size=len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise Problem(
            408, "timeout", f"the body did not come within {timeout_seconds:g} s"
        ) from None
    except (ConnectionError, web.RequestPayloadError):
        raise Problem(400, "decode", "the body breaks off") from None
    return b"".join(chunks)


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        413, "too_large", f"the body is above {max_bytes:,} bytes; post fewer events at once"
    )
