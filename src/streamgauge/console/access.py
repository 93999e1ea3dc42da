"""Who may look: on this machine everybody, from elsewhere whoever has a token."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from streamgauge.ingest.tokens import TokenError, Tokens, is_loopback

#: What probes and scrapers ask for; they have no token.
OPEN = frozenset({"/healthz", "/readyz", "/livez", "/metrics"})
#: What a browser needs before it has one. Nothing of it is data.
SIGN_IN = frozenset({"/signin", "/static/signin.js", "/static/console.css", "/static/icon.svg"})
COOKIE = "streamgauge"
_PURPOSE = b"streamgauge console session"


class Access:
    """Lets requests in, or says why not.

    A browser gets a cookie that follows from the token and does not hold it: it outlives a restart,
    and ends when its token is taken out of the settings.

    Parameters
    ----------
    host
        Where the server listens.
    token
        The setting: none, or several parted by spaces or lines.

    Raises ``TokenError`` for a token that is too short, and where there is none although others
    can reach the host.
    """

    def __init__(self, *, host: str, token: str | None = None) -> None:
        self._tokens = Tokens.of(token)
        self._sessions = {each: _session(each) for each in (token or "").split()}
        self._host = host
        if not self._tokens and not is_loopback(host):
            raise TokenError(
                f"the exporter would show everything to anybody on {host}; set "
                "STREAMGAUGE_EXPORTER__TOKEN or STREAMGAUGE_EXPORTER__TOKEN_FILE "
                "(`openssl rand -hex 32` makes one), or STREAMGAUGE_EXPORTER__HOST=127.0.0.1"
            )

    def refusal(self, request: web.Request) -> tuple[int, str] | None:
        """Status and reason; None for a request that may go on."""
        if not self._tokens and is_loopback(self._host) and not _ours(request.host, self._host):
            # A page elsewhere whose name was made to mean this machine (DNS rebinding).
            return 403, (
                f"this is no name of this machine's; ask for http://{self._host}, "
                "or set STREAMGAUGE_EXPORTER__TOKEN"
            )
        if request.path in OPEN | SIGN_IN or not self._tokens:
            return None
        if self._tokens.allow(request.headers.get("Authorization")) or self._known(request):
            return None
        return 401, "a token is needed (Authorization: Bearer …, or sign in at /signin)"

    def sign_in(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give the cookie to who has shown a token."""
        _, _, given = request.headers.get("Authorization", "").partition(" ")
        session = self._sessions.get(given.strip())
        if session is not None and self._tokens.allow(f"Bearer {given.strip()}"):
            response.set_cookie(
                COOKIE,
                session,
                path="/",
                httponly=True,
                samesite="Strict",
                secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
            )

    def _known(self, request: web.Request) -> bool:
        given = request.cookies.get(COOKIE, "").encode(errors="surrogatepass")
        # Each of them, so that the time tells nothing of which one it was.
        return sum(hmac.compare_digest(given, s.encode()) for s in self._sessions.values()) > 0


def _session(token: str) -> str:
    return hmac.new(token.encode(), _PURPOSE, hashlib.sha256).hexdigest()


def _ours(given: str, host: str) -> bool:
    """Whether a Host header names this machine, with any port."""
    name = given.rpartition(":")[0] if not given.endswith("]") and ":" in given else given
    name = name.lower().strip("[]").removesuffix(".")
    return name == host.strip("[]").lower() or is_loopback(name)
