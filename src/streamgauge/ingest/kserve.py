"""KServe's payload logger: a request and a response, each an event, of which one prediction comes.

What its attributes become: ``inferenceservicename`` the model; ``component``, unless it is the
predictor, the step; ``endpoint`` (default or canary) the version where the response of v2 names no
``model_version``, and ``canary`` the variant too; ``namespace`` a tag; ``id`` the prediction's id;
``time`` of the request the event time. Its ``metadata`` and ``annotations`` hold headers of the
caller's request and are not kept. The latency is not told: the times are those of sending the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamgauge.ingest.inference import UNVERSIONED, Identity, body_of, predictions_of, rows_of
from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.ingest.row import Unmapped

REQUEST = "org.kubeflow.serving.inference.request"
RESPONSE = "org.kubeflow.serving.inference.response"
TYPES = frozenset({REQUEST, RESPONSE})
_KEY = ("ce_namespace", "ce_inferenceservicename", "ce_component", "ce_endpoint", "ce_id")


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a call. ``key`` is what both sides share."""

    key: tuple[bytes, ...]
    is_response: bool
    posted: Posted

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return len(self.posted.payload) + 512


def half_of(posted: Posted) -> Half | Refusal:
    """The side of a call that an event is."""
    for name in ("ce_inferenceservicename", "ce_id"):
        if not posted.attributes.get(name):
            field = name.replace("_", "-")
            return Refusal(posted.index, "schema", f"{field}: missing; KServe sends it", field)
    key = tuple(posted.attributes.get(name, b"") for name in _KEY)
    return Half(key, posted.type == RESPONSE, posted)


def predictions(request: Half | None, response: Half, *, index: int) -> list[Posted] | Refusal:
    """Predictions of a call, as of that place in a body; of a response alone without features."""
    try:
        answered = body_of(response.posted.payload, "response")
        given = body_of(request.posted.payload, "request") if request is not None else None
        rows = rows_of(given, answered)
    except Unmapped as problem:
        return Refusal(index, problem.reason, problem.detail, problem.detail.partition(":")[0])
    first = request if request is not None else response
    attributes = response.posted.attributes
    kept = {k: attributes[k] for k in ("ce_source", "ce_traceparent") if k in attributes}
    return predictions_of(
        rows,
        _identity(attributes, answered, time=first.posted.attributes.get("ce_time")),
        index=index,
        attributes=kept,
    )


def _identity(
    attributes: Mapping[str, bytes], response: dict[str, Any], *, time: bytes | None
) -> Identity:
    said = {name.removeprefix("ce_"): value.decode() for name, value in attributes.items()}
    endpoint = said.get("endpoint", "")
    version = response.get("model_version") if "outputs" in response else None
    fields: dict[str, Any] = {}
    if time is not None:
        fields["timestamp"] = time.decode()
    if said.get("component") not in (None, "", "predictor"):
        fields["step"] = said["component"]
    if endpoint == "canary":
        fields["variant"] = "canary"
    if said.get("namespace"):
        fields["tags"] = {"namespace": said["namespace"]}
    return Identity(
        call_id=said["id"],
        model=said["inferenceservicename"],
        version=str(version or endpoint or UNVERSIONED),
        fields=fields,
    )
