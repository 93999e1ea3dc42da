"""Whether a request that would change something comes from our own page, or from a program."""

from __future__ import annotations

from aiohttp import web

#: What a page elsewhere can't send without asking first (a preflight), which is never granted.
HEADER = "X-Streamgauge"


def foreign(request: web.Request) -> tuple[int, str] | None:
    """Status and reason where a page of somebody else may be behind it; else None."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    # The first is the browser's own word, also behind a proxy that changes the Host. It is not
    # sent over http to another machine.
    same = site == "same-origin" if site else origin is None or _names(origin, request.host)
    if not same:
        return 403, "this comes from another page, which may change nothing here"
    if HEADER not in request.headers:
        return 403, f"a header {HEADER} is needed: with any value, as no other page can send it"
    if request.content_type != "application/json":
        return 415, "send application/json"
    return None


def _names(origin: str, host: str) -> bool:
    return origin.partition("://")[2].lower() == host.lower()
