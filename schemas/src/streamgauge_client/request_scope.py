"""The request under way: what its events carry, and which predictions were made for it."""

from __future__ import annotations

import re
from contextlib import suppress
from contextvars import ContextVar
from urllib.parse import quote

from streamgauge_client.codec import Headers
from streamgauge_client.ids import new_id

REQUEST_ID_HEADER = "X-Request-ID"
PREDICTION_ID_HEADER = "X-Prediction-Id"
#: Prediction ids that a response names at most: a batch endpoint must not overflow its headers.
MAX_PREDICTION_IDS = 20

#: Visible ASCII alone: what comes from outside goes into headers again.
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_TRACESTATE = re.compile(r"[ -~]{1,512}")
#: What stays as it is in a list of ids; all else is percent-encoded, line breaks too.
_PLAIN_IN_IDS = "!#$&'()*+-./:;<=>?@[]^_`{|}~"


class RequestScope:
    """What the events of one request have in common. Its work may be done in several threads."""

    __slots__ = ("_prediction_ids", "event_headers", "request_id")

    def __init__(
        self, request_id: str | None, traceparent: str | None, tracestate: str | None
    ) -> None:
        known = request_id is not None and _REQUEST_ID.fullmatch(request_id)
        self.request_id: str = request_id if known and request_id is not None else new_id()
        self.event_headers: Headers = [("ce_correlationid", self.request_id.encode())]
        self._prediction_ids: list[str] = []
        if traceparent is not None and _TRACEPARENT.fullmatch(traceparent):
            self._carry("traceparent", traceparent)
            if tracestate is not None and _TRACESTATE.fullmatch(tracestate):
                self._carry("tracestate", tracestate)

    def note(self, prediction_id: str) -> None:
        """Remember a prediction for the response."""
        if len(self._prediction_ids) < MAX_PREDICTION_IDS:
            self._prediction_ids.append(prediction_id)

    def response_headers(self) -> list[tuple[str, str]]:
        """What the response should say, in names and values of ASCII alone."""
        headers = [(REQUEST_ID_HEADER, self.request_id)]
        if self._prediction_ids:
            ids = (quote(one, safe=_PLAIN_IN_IDS) for one in self._prediction_ids)
            headers.append((PREDICTION_ID_HEADER, ", ".join(ids)))
        return headers

    def end(self) -> None:
        """The request is done: a task that outlives it is no part of it."""
        self.event_headers = []

    def _carry(self, name: str, value: str) -> None:
        # Twice: the origin's trace stays with the event; the hop's is what instrumentation reads.
        self.event_headers += [(f"ce_{name}", value.encode()), (name, value.encode())]


current_request: ContextVar[RequestScope | None] = ContextVar("streamgauge_request", default=None)


class inside:
    """Events published in the block belong to the request.

    A class of its own: a generator would turn the end of a streamed response into an error.
    """

    __slots__ = ("_request", "_token")

    def __init__(self, request: RequestScope) -> None:
        self._request = request

    def __enter__(self) -> None:
        self._token = current_request.set(self._request)

    def __exit__(self, *exception: object) -> None:
        # A coroutine that is thrown away is closed in a context that is not its own.
        with suppress(ValueError):
            current_request.reset(self._token)
