"""Who may post: bearer tokens, compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence

#: A token shorter than this is guessed sooner than it is rotated.
MIN_TOKEN_BYTES = 32


class TokenError(ValueError):
    """The tokens of the settings can't be used, or there must be one. The text never holds one."""


class Tokens:
    """The tokens that are taken; several at once, so that one can be rotated out.

    Raises ``TokenError`` for one that is too short.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        for number, token in enumerate(tokens, start=1):
            if len(token.encode()) < MIN_TOKEN_BYTES:
                raise TokenError(
                    f"token {number} is shorter than {MIN_TOKEN_BYTES} bytes;"
                    " make one with `openssl rand -hex 32`"
                )
        self._digests = [_digest(token) for token in tokens]

    @classmethod
    def of(cls, text: str | None) -> Tokens:
        """Tokens as the settings have them: on lines of their own, or parted by spaces."""
        return cls((text or "").split())

    def __bool__(self) -> bool:
        return bool(self._digests)

    def allow(self, authorization: str | None) -> bool:
        """Whether a request with this header may post. Without any tokens all may.

        ``Basic`` is taken too, the token as its password: KServe's logger can send nothing else
        (``url: http://streamgauge:<token>@ingest:9810/v1/events``).
        """
        if not self._digests:
            return True
        given = _digest(_credential(authorization or ""))
        # Each of them, so that the time tells nothing of which one it was.
        return sum(hmac.compare_digest(given, known) for known in self._digests) > 0


def check_exposure(host: str, tokens: Tokens) -> None:
    """Refuse to be reached from elsewhere without a token. Raises ``TokenError``."""
    if not tokens and not is_loopback(host):
        raise TokenError(
            f"ingest would take events from anybody on {host}; set STREAMGAUGE_INGEST__TOKEN or"
            " STREAMGAUGE_INGEST__TOKEN_FILE (`openssl rand -hex 32` makes one),"
            " or STREAMGAUGE_INGEST__HOST=127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether an address, or a name, can only mean this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        # A name may mean any address tomorrow, but for this one.
        return host == "localhost"


def _credential(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _digest(token: str) -> bytes:
    # Of equal length, so that the comparison's time does not tell that of the token.
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
