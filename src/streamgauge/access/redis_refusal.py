"""Why Redis refuses us: what its error means, and what it answers to a second look."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from redis import exceptions as errors
from redis.backoff import NoBackoff
from redis.retry import Retry

from streamgauge.access.redis import redis_client
from streamgauge.access.refusal import LOOK_SECONDS, Refusal, of_tls, speaks_tls, tls_refusal
from streamgauge.settings.sections import RedisSettings

_SECTION = "redis.security"
_DEFAULT_PORT = 6379


def ask_redis(settings: RedisSettings) -> Refusal | None:
    """Why it refuses us; None where it does not, or where nobody answers.

    Raises ``ValueError`` for a URL that is none.
    """
    client = redis_client(
        settings,
        socket_timeout=LOOK_SECONDS,
        socket_connect_timeout=LOOK_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    except (errors.RedisError, OSError) as error:
        return redis_refusal(settings, error)
    finally:
        client.close()
    return None


def redis_refusal(settings: RedisSettings, error: BaseException) -> Refusal | None:
    """What an error of redis-py means, where it is a refusal; else None."""
    parts = urlsplit(settings.url.get_secret_value())
    if parts.scheme not in ("redis", "rediss"):
        host, port, where = "", 0, f"Redis at {parts.path}"
    else:
        host, port = parts.hostname or "localhost", parts.port or _DEFAULT_PORT
        where = f"Redis at {host}:{port}"
    user = settings.security.username or parts.username or "default"
    for each in _chain(error):
        if isinstance(each, errors.NoPermissionError):
            return Refusal(f"{where}: {no_right(user, each)}", RIGHTS)
        if isinstance(each, errors.AuthenticationError):
            return Refusal(
                f"{where} does not know user {user}, or not this password",
                f"correct user and password in redis.url, or {_SECTION}.username and password_file",
            )
        if isinstance(each, ssl.SSLError) and (found := of_tls(where, _SECTION, each)):
            return found
    if not host or not isinstance(error, errors.ConnectionError | errors.TimeoutError | OSError):
        return None
    if parts.scheme == "redis":
        if speaks_tls(host, port):
            return Refusal(
                f"{where} speaks TLS, and the url begins with redis://",
                f"write rediss:// in redis.url, and set {_SECTION}.ca_file to its authority's",
            )
        return None
    if _answers_plainly(host, port):
        return Refusal(
            f"{where} does not speak TLS, and the url begins with rediss://",
            "use its TLS port in redis.url",
        )
    refusal = tls_refusal(where, _SECTION, host, port, settings.security.tls())
    return refusal if refusal is not None and refusal.remedy else None


#: Where it is said what each user needs.
RIGHTS = "give this user the rights that deploy/security/users.acl lists for the service"


def no_right(user: str, error: errors.NoPermissionError) -> str:
    """Redis' own words, which name command or key, and whose right it is."""
    return f"user {user} lacks a right: {str(error).rstrip('.')}"


def _answers_plainly(host: str, port: int) -> bool:
    """Whether it takes a command in the clear; a handshake it would silently wait with."""
    try:
        with socket.create_connection((host, port), timeout=LOOK_SECONDS) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in (b"+", b"-")
    except OSError:
        return False


def _chain(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
