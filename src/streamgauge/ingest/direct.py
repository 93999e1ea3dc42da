"""``POST /v1/oip/{model}``: a call's request and response in one body."""

from __future__ import annotations

from typing import Any

from streamgauge.ingest.inference import UNVERSIONED, Identity, body_of, predictions_of, rows_of
from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.ingest.row import Unmapped
from streamgauge_client.ids import new_id

_FIELDS = ("timestamp", "latency_ms", "variant", "step", "segment")


def predictions(model: str, body: bytes) -> list[Posted] | Refusal:
    """Predictions of ``{request, response, model_version?}``.

    The id is that of the body, the response or the request, else a new one. ``timestamp``,
    ``latency_ms``, ``variant``, ``step`` and ``segment`` are taken as the contract has them.
    """
    try:
        call = body_of(body, "body")
        response = _object(call, "response")
        request = _object(call, "request") if call.get("request") is not None else None
        rows = rows_of(request, response)
    except Unmapped as problem:
        return Refusal(0, problem.reason, problem.detail, problem.detail.partition(":")[0])
    found = (call.get("id"), response.get("id"), (request or {}).get("id"))
    call_id = next((each for each in found if each), None) or new_id()
    version = call.get("model_version") or response.get("model_version") or UNVERSIONED
    fields = {name: call[name] for name in _FIELDS if name in call}
    return predictions_of(
        rows, Identity(str(call_id), model, str(version), fields), index=0, attributes={}
    )


def _object(call: dict[str, Any], field: str) -> dict[str, Any]:
    found = call.get(field)
    if not isinstance(found, dict):
        raise Unmapped(f"{field}: expected an object")
    return found
