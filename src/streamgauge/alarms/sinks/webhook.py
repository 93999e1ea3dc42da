"""The sink that calls an HTTP endpoint: a signed JSON body, or Alertmanager's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import ClassVar

import orjson

from streamgauge.alarms import alertmanager, notice
from streamgauge.alarms.sinks.base import ARRIVED, AlarmSink, Answer, Delivery, Post
from streamgauge.clock import Clock
from streamgauge.plugins import PluginError, did_you_mean
from streamgauge_client.events import AlarmEvent
from streamgauge_client.webhooks import SIGNATURE_HEADER, sign

#: A shorter key is guessed, or is a placeholder that somebody forgot.
SHORTEST_SECRET = 16
#: Answers after which the same request may well succeed, besides 500 and above.
_PASSING = frozenset({408, 425, 429})
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


class Webhook(AlarmSink, name="webhook"):
    """Posts each alarm to one URL.

    Parameters
    ----------
    post
        Sends a body to the URL.
    clock
        For the signature's time.
    secret
        The key of the signature; without one a receiver can't tell our calls from others'.
    format
        ``streamgauge`` is the AlarmEvent as JSON with one more field, ``text``, for people.
        ``alertmanager`` is the body of an Alertmanager webhook, version 4. That knows firing and
        resolved alone, so nothing else is sent.
    """

    posts: ClassVar[bool] = True

    def __init__(
        self, *, post: Post, clock: Clock, secret: str = "", format: str = "streamgauge"
    ) -> None:
        if format not in _BODIES:
            raise PluginError(
                f"no format of a webhook is called {format!r}{did_you_mean(format, _BODIES)} "
                f"(there are: {', '.join(_BODIES)})"
            )
        if secret and len(secret) < SHORTEST_SECRET:
            raise PluginError(
                f"the secret has {len(secret)} characters; give at least {SHORTEST_SECRET}: "
                "python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        self._post = post
        self._clock = clock
        self._secret = secret.encode()
        self._body = _BODIES[format]
        self._edges_alone = format == "alertmanager"

    def wants(self, alarm: AlarmEvent) -> bool:
        return alarm.status in ("firing", "resolved") or not self._edges_alone

    async def send(self, alarm: AlarmEvent) -> Delivery:
        body = self._body(alarm)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key(alarm.alarm_id),
        }
        if self._secret:
            # Signed anew at each attempt: an old stamp would be refused, and rightly.
            headers[SIGNATURE_HEADER] = sign(body, self._secret, now=self._clock())
        return _judged(await self._post(body, headers))


def idempotency_key(alarm_id: str) -> str:
    """The alarm's id; a hash of it where it holds what a header must not.

    >>> idempotency_key("6d1f0c7e2b9a4f58")
    '6d1f0c7e2b9a4f58'
    """
    if _PLAIN_ID.fullmatch(alarm_id):
        return alarm_id
    return hashlib.blake2b(alarm_id.encode(), digest_size=16).hexdigest()


def _streamgauge(alarm: AlarmEvent) -> bytes:
    return orjson.dumps(
        {**alarm.model_dump(mode="json", exclude_none=True), "text": notice.text(alarm)}
    )


def _alertmanager(alarm: AlarmEvent) -> bytes:
    return orjson.dumps(alertmanager.webhook_body(alarm))


_BODIES: dict[str, Callable[[AlarmEvent], bytes]] = {
    "streamgauge": _streamgauge,
    "alertmanager": _alertmanager,
}


def _judged(answer: Answer) -> Delivery:
    status = answer.status
    if 200 <= status < 300:
        return ARRIVED
    if status == 0:
        return Delivery(False, recoverable=answer.recoverable, reason=answer.reason)
    said = f"HTTP {status}"
    if 300 <= status < 400:
        said += ": a redirect, which is never followed; configure the URL that it points to"
    elif answer.text:
        said += f": {answer.text}"
    return Delivery(False, recoverable=status >= 500 or status in _PASSING, reason=said)
