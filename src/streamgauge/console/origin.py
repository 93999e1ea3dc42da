"""Whether a request that would change something comes from our own page, or from a program."""

from __future__ import annotations

from aiohttp import web

#: What a page elsewhere can't send without asking first (a preflight), which is never granted.
HEADER = "X-Streamgauge"


def foreign(request: web.Request, *, proxies: bool) -> tuple[int, str] | None:
    """Status and reason where a page of somebody else may be behind it; else None.

    ``proxies``: whether a page may come through one, which often changes the Host. Without tokens
    it must not: whom the proxy lets in is not on this machine.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    named = origin is None or _names(origin, request.host)
    # The first is the browser's own word. It is not sent over http to another machine.
    same = site == "same-origin" and (named or proxies) if site else named
    if not same:
        return 403, "this comes from another page, which may change nothing here"
    if HEADER not in request.headers:
        return 403, f"a header {HEADER} is needed: with any value, as no other page can send it"
    if request.content_type != "application/json":
        return 415, "send application/json"
    return None


def _names(origin: str, host: str) -> bool:
    return origin.partition("://")[2].lower() == host.lower()
