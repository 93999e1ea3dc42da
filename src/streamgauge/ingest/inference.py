"""A model server's request and response, whatever their protocol, as predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from streamgauge.ingest import oip, v1
from streamgauge.ingest.posted import Posted
from streamgauge.ingest.row import Row, Unmapped
from streamgauge.ingest.tensors import features_of

#: The version of a model whose server does not tell one.
UNVERSIONED = "unversioned"
_PREDICTION = "streamgauge.prediction.v1"


@dataclass(frozen=True, slots=True)
class Identity:
    """What all rows of a call have in common. ``fields`` are optional ones of the contract."""

    call_id: str
    model: str
    version: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def body_of(payload: bytes, what: str) -> dict[str, Any]:
    """A request or a response as an object. Raises ``Unmapped``."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise Unmapped(
            f"{what}: not JSON; tensors as binary data are not read, log them as JSON", "decode"
        ) from None
    if not isinstance(document, dict):
        raise Unmapped(f"{what}: expected an object")
    return document


def rows_of(request: dict[str, Any] | None, response: dict[str, Any]) -> list[Row]:
    """What was asked and answered, row by row; without a request there are no features.

    Raises ``Unmapped`` for what is neither Open Inference v2 nor v1.
    """
    if set(response) & {"outputs", "predictions"}:
        protocol_rows = oip.rows if "outputs" in response else v1.rows
        return protocol_rows(request, response)
    if "error" in response:
        # One call failed; of how many rows it had the answer says nothing.
        return [Row(request_features(request), None, status="error")]
    raise Unmapped("response: has neither outputs (v2), predictions (v1) nor error")


def request_features(request: dict[str, Any] | None) -> dict[str, Any]:
    """The features of a failed call where it had one row, else none."""
    if request is None:
        return {}
    asked = (oip.asked if "inputs" in request else v1.asked)(request)
    return dict(asked[0]) if len(asked) == 1 else {}


def predictions_of(
    rows: Sequence[Row], identity: Identity, *, index: int, attributes: Mapping[str, bytes]
) -> list[Posted]:
    """Predictions as if they had been posted; of several rows ``id-0``, ``id-1`` and so on."""
    several = len(rows) > 1
    posted = []
    for number, row in enumerate(rows):
        document = {
            "prediction_id": f"{identity.call_id}-{number}" if several else identity.call_id,
            "model": identity.model,
            "version": identity.version,
            **identity.fields,
            "features": features_of(row.features),
            "output": row.output,
        }
        if row.status != "ok":
            document["status"] = row.status
        posted.append(Posted(index, _PREDICTION, attributes, orjson.dumps(document), derived=True))
    return posted
