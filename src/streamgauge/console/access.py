"""Who may do what: on this machine everybody all of it, from elsewhere as their token says."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from streamgauge.console.roles import Role
from streamgauge.ingest.tokens import TokenError, Tokens, is_loopback

#: What probes and scrapers ask for; they have no token.
OPEN = frozenset({"/healthz", "/readyz", "/livez", "/metrics"})
#: What a browser needs before it has one. Nothing of it is data.
SIGN_IN = frozenset({"/signin", "/static/signin.js", "/static/console.css", "/static/icon.svg"})
COOKIE = "streamgauge"
#: What a proxy adds. Who comes through one is not on this machine, although it is.
FORWARDED = (
    *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
    "X-Real-IP",
)
_PURPOSE = b"streamgauge console session"


class Access:
    """Lets requests in, or says why not.

    A browser gets a cookie that follows from the token and does not hold it: it outlives a restart,
    has the token's role, and ends when the token is taken out of the settings.

    Without any token whoever is on this machine has every role: they can run the command, too. Who
    comes through a proxy that says so may only look.

    Parameters
    ----------
    host
        Where the server listens.
    token, operator_token, admin_token
        The settings of viewers, operators and admins: none, or several parted by spaces or lines.

    Raises ``TokenError`` for a token that is too short or of two roles, and where there is none
    although others can reach the host.
    """

    def __init__(
        self,
        *,
        host: str,
        token: str | None = None,
        operator_token: str | None = None,
        admin_token: str | None = None,
    ) -> None:
        given = {Role.VIEWER: token, Role.OPERATOR: operator_token, Role.ADMIN: admin_token}
        self._tokens: dict[Role, Tokens] = {}
        #: Cookies, and whose they are.
        self._sessions: dict[str, Role] = {}
        for role, text in given.items():
            self._admit(role, (text or "").split())
        self._host = host
        if not self._tokens and not is_loopback(host):
            raise TokenError(
                f"the exporter would show everything to anybody on {host}; set "
                "STREAMGAUGE_EXPORTER__TOKEN or STREAMGAUGE_EXPORTER__TOKEN_FILE "
                "(`openssl rand -hex 32` makes one), or STREAMGAUGE_EXPORTER__HOST=127.0.0.1"
            )

    @property
    def asks(self) -> bool:
        """Whether there are tokens to show."""
        return bool(self._tokens)

    def role(self, request: web.Request) -> Role | None:
        """Of who asks; None for who has shown no token that we know."""
        if not self._tokens:
            proxied = any(name in request.headers for name in FORWARDED)
            return Role.VIEWER if proxied else Role.ADMIN
        header = request.headers.get("Authorization")
        cookie = request.cookies.get(COOKIE, "").encode(errors="surrogatepass")
        # Each of them, so that the time tells nothing of which one it was.
        found = [role for role, tokens in self._tokens.items() if tokens.allow(header)]
        found += [
            role
            for session, role in self._sessions.items()
            if hmac.compare_digest(cookie, session.encode())
        ]
        return max(found, default=None)

    def refusal(self, request: web.Request, *, needed: Role) -> tuple[int, str] | None:
        """Status and reason; None for a request that may go on."""
        if not self._tokens and is_loopback(self._host) and not _ours(request.host, self._host):
            # A page elsewhere whose name was made to mean this machine (DNS rebinding).
            return 403, (
                f"this is no name of this machine's; ask for http://{self._host}, "
                "or set STREAMGAUGE_EXPORTER__TOKEN"
            )
        if request.path in OPEN | SIGN_IN:
            return None
        role = self.role(request)
        if role is None:
            return 401, "a token is needed (Authorization: Bearer …, or sign in at /signin)"
        if role < needed:
            return 403, (
                f"this needs the role {needed.word}, and yours is {role.word}; show a token of"
                f" exporter.{needed.setting}, or sign in with one at /signin"
            )
        return None

    def sign_in(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give the cookie to who has shown a token."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        session = _session(given.strip())
        if scheme.lower() == "bearer" and session in self._sessions:
            response.set_cookie(
                COOKIE,
                session,
                path="/",
                httponly=True,
                samesite="Strict",
                secure=_scheme(request) == "https",
            )

    def _admit(self, role: Role, tokens: list[str]) -> None:
        if not tokens:
            return
        try:
            self._tokens[role] = Tokens(tokens)
        except TokenError as error:
            raise TokenError(f"exporter.{role.setting}: {error}") from None
        for each in tokens:
            other = self._sessions.setdefault(_session(each), role)
            if other is not role:
                raise TokenError(
                    f"exporter.{other.setting} and exporter.{role.setting} have a token in common;"
                    " give each role tokens of its own"
                )


def _session(token: str) -> str:
    return hmac.new(token.encode(errors="surrogatepass"), _PURPOSE, hashlib.sha256).hexdigest()


def _scheme(request: web.Request) -> str:
    """The browser's; of several proxies the first spoke with it."""
    forwarded = request.headers.get("X-Forwarded-Proto", request.scheme)
    return forwarded.partition(",")[0].strip().lower()


def _ours(given: str, host: str) -> bool:
    """Whether a Host header names this machine, with any port."""
    name = given.rpartition(":")[0] if not given.endswith("]") and ":" in given else given
    name = name.lower().strip("[]").removesuffix(".")
    return name == host.strip("[]").lower() or is_loopback(name)
