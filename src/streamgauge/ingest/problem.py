"""What is answered where a request can't be taken: problem details in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from streamgauge.ingest.intake import Outcome
from streamgauge.ingest.posted import Refusal

#: The status of a request whose only event is refused, by the refusal's reason.
STATUSES: Mapping[str, int] = {
    "decode": 400,
    "schema": 422,
    "future": 422,
    "too_large": 413,
    "media_type": 415,
}
#: A second is what a full queue needs; a Kafka that is away needs longer.
BUSY_SECONDS = 1
AWAY_SECONDS = 5
_MEDIA_TYPE = "application/problem+json"
#: So many refusals are listed; of a batch of ten thousand the first hundred tell the story.
_MAX_LISTED = 100


class Problem(Exception):
    """A request that is answered with problem details (RFC 9457) instead of being taken."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        retry_after: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after
        self.more = more or {}

    def response(self) -> web.Response:
        """The answer. The connection ends with it where the body was not read to its end."""
        document = {
            "type": f"urn:streamgauge:problem:{self.reason}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        response = web.Response(
            status=self.status, body=orjson.dumps(document), content_type=_MEDIA_TYPE
        )
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="streamgauge"'
        if self.status in (401, 403, 408, 413, 415, 429):
            response.force_close()
        return response


def answer(outcome: Outcome) -> web.Response:
    """202 for all, 207 for some, else a problem: 503 is worth another try, the others are not."""
    more = {"accepted": outcome.accepted, "refused": _listed(outcome.refused)}
    if outcome.unavailable:
        raise Problem(503, "unavailable", outcome.unavailable, retry_after=AWAY_SECONDS, more=more)
    if outcome.refused and not outcome.accepted:
        first = outcome.refused[0]
        raise Problem(STATUSES[first.reason], first.reason, first.detail, more=more)
    if outcome.prediction_ids:
        more["prediction_ids"] = outcome.prediction_ids
    return web.Response(
        status=207 if outcome.refused else 202,
        body=orjson.dumps(more),
        content_type="application/json",
    )


def _listed(refused: Sequence[Refusal]) -> list[dict[str, Any]]:
    entries = []
    for each in sorted(refused, key=lambda refusal: refusal.index)[:_MAX_LISTED]:
        entry: dict[str, Any] = {"index": each.index, "reason": each.reason, "detail": each.detail}
        for name in ("field", "expected", "did_you_mean"):
            if value := getattr(each, name):
                entry[name] = value
        entries.append(entry)
    return entries
