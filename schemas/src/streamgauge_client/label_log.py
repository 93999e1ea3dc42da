"""What is learned of a prediction afterwards: the truth, and what its user did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge_client import documents
from streamgauge_client.documents import fill
from streamgauge_client.fields import identifier
from streamgauge_client.guard import Guard
from streamgauge_client.ids import new_id
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import output as to_output
from streamgauge_client.sending import Sender
from streamgauge_client.unfit import Unfit


class LabelLog:
    """The part of a publisher that publishes labels and feedback. They are never sampled."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._label_guard = Guard(sender, "label")
        self._feedback_guard = Guard(sender, "feedback")

    def label(
        self,
        prediction_id: str,
        label: Any,
        *,
        observed_at: Any = None,
        source: str | None = None,
        annotator: str | None = None,
        revision: int | None = None,
        weight: float | None = None,
        confidence: float | None = None,
        scores: Mapping[Any, float] | None = None,
        horizon: str | None = None,
        value: float | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Publish the truth about a prediction. None withdraws it, a higher revision corrects it.

        The label is written by the rule of outputs: ``True`` is the class ``"true"``.
        """
        with self._label_guard:
            envelope, counters = self._sender.begin()
            known = identifier(prediction_id, "prediction_id")
            document: dict[str, Any] = {
                "prediction_id": known,
                "model": envelope.model,
                "label": to_output(label, counters, name="label"),
                "observed_at": seconds(observed_at, name="observed_at"),
            }
            given = (
                ("source", source),
                ("annotator", annotator),
                ("revision", revision),
                ("weight", weight),
                ("confidence", confidence),
                ("scores", scores),
                ("horizon", horizon),
                ("value", value),
                ("tags", tags),
            )
            fill(document, documents.LABEL, given, counters)
            self._sender.send(envelope.labels, new_id(), known, document)

    def feedback(
        self,
        prediction_id: str | None,
        kind: str,
        *,
        interaction_id: str | None = None,
        timestamp: Any = None,
        name: str | None = None,
        score: float | None = None,
        label: Any = None,
        explanation: str | None = None,
        from_mode: str | None = None,
        to_mode: str | None = None,
        dwell_ms: float | None = None,
        edit_distance_ratio: float | None = None,
        user_hash: str | None = None,
    ) -> None:
        """Publish what a user did with a prediction, or with a whole interaction.

        Parameters
        ----------
        kind
            ``redo``, ``switch_mode``, ``edit``, ``abandon``, ``override``, ``thumbs_up``,
            ``thumbs_down``, ``accept``, ``report`` or ``custom:<name>``.
        """
        with self._feedback_guard:
            envelope, counters = self._sender.begin()
            document: dict[str, Any] = {
                "model": envelope.model,
                "kind": documents.feedback_kind(kind),
                "timestamp": seconds(timestamp),
            }
            given = (
                ("prediction_id", prediction_id),
                ("interaction_id", interaction_id),
                ("name", name),
                ("score", score),
                ("label", label),
                ("explanation", explanation),
                ("from_mode", from_mode),
                ("to_mode", to_mode),
                ("dwell_ms", dwell_ms),
                ("edit_distance_ratio", edit_distance_ratio),
                ("user_hash", user_hash),
            )
            fill(document, documents.FEEDBACK, given, counters)
            subject = document.get("prediction_id") or document.get("interaction_id")
            if subject is None:
                raise Unfit("feedback needs a prediction_id or an interaction_id")
            self._sender.send(envelope.feedback, new_id(), subject, document)
