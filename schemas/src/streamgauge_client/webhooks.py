"""The signature of a webhook: how a receiver knows that an alarm is ours, and fresh.

A receiver keeps the raw body, and asks before it parses it::

    from streamgauge_client.webhooks import SignatureError, verify

    try:
        verify(request.body, request.headers.get("X-Streamgauge-Signature"), key)
    except SignatureError as error:
        return Response(str(error), status=401)

``Idempotency-Key`` is the alarm's id, the same when it is sent again: drop what you have seen.
"""

from __future__ import annotations

import hashlib
import hmac
import time

SIGNATURE_HEADER = "X-Streamgauge-Signature"
#: How far a stamp may be from the receiver's clock, in seconds, either way.
TOLERANCE_SECONDS = 300.0
#: No real header is longer. Of several ``v1``, as in a change of keys, one must be right.
_MAX_HEADER = 1024


class SignatureError(ValueError):
    """A call that must not be trusted. The text says why, and holds nothing secret."""


def sign(body: bytes, key: bytes | str, *, now: float | None = None) -> str:
    """The header's value for a body: ``t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body">``.

    >>> sign(b"{}", "0123456789abcdef", now=1790000000.0)[:20]
    't=1790000000,v1=3d02'
    """
    stamp = str(int(time.time() if now is None else now))
    return f"t={stamp},v1={_digest(stamp, body, key)}"


def verify(
    body: bytes,
    header: str | None,
    key: bytes | str,
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> None:
    """Return when body and header belong together; raise ``SignatureError`` when not.

    Parameters
    ----------
    body
        The bytes as they came. A body that was parsed and written again has another signature.
    header
        The value of ``X-Streamgauge-Signature``; None where there was none.
    key
        The secret that the sink was given.
    now
        Seconds since 1970. Default: the clock.
    tolerance
        Seconds that the stamp may be off: older ones are replays.

    Examples
    --------
    >>> header = sign(b"{}", "0123456789abcdef", now=1790000000.0)
    >>> verify(b"{}", header, "0123456789abcdef", now=1790000299.0)
    >>> verify(b"[]", header, "0123456789abcdef", now=1790000299.0)
    Traceback (most recent call last):
    streamgauge_client.webhooks.SignatureError: the signature does not belong to this body and key
    """
    if not key:
        raise SignatureError("the key is empty, so anybody could sign; give the sink's secret")
    if not header:
        raise SignatureError(f"there is no {SIGNATURE_HEADER}; is the sink given its secret?")
    if len(header) > _MAX_HEADER:
        raise SignatureError(f"the {SIGNATURE_HEADER} is too long")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    digests = [value for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not digests or not _is_number(stamps[0]):
        raise SignatureError(f"the {SIGNATURE_HEADER} is not of the form t=<seconds>,v1=<hex>")
    right = _digest(stamps[0], body, key).encode()
    # All are compared, each in constant time; bytes, because text must be ASCII for it.
    matches = [hmac.compare_digest(right, digest.encode(errors="replace")) for digest in digests]
    if not any(matches):
        raise SignatureError("the signature does not belong to this body and key")
    age = (time.time() if now is None else now) - int(stamps[0])
    if abs(age) > tolerance:
        raise SignatureError(
            f"the stamp is {abs(age):.0f} s {'old' if age > 0 else 'ahead'}; "
            f"at most {tolerance:g} s are allowed (are both clocks right?)"
        )


def _digest(stamp: str, body: bytes, key: bytes | str) -> str:
    secret = key.encode() if isinstance(key, str) else key
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _is_number(stamp: str) -> bool:
    return stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
