"""The publisher: how a service tells what its model saw, said, and learned of the truth."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal

from streamgauge_client import documents
from streamgauge_client.documents import fill
from streamgauge_client.fields import Features, identifier
from streamgauge_client.ids import new_id
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import output as to_output
from streamgauge_client.sending import Guard, Sender, SenderOptions
from streamgauge_client.stats import PublisherStats
from streamgauge_client.timing import TimedPrediction
from streamgauge_client.unfit import Unfit


class Publisher:
    """Publishes the events of one model.

    Its methods neither block nor raise, whatever they are given: an event that can't be sent is
    dropped and counted by reason (``stats``), with one warning a minute at most. It connects at
    the first event. A forked child gets a connection and counters of its own. At the end of the
    process what is queued is drained, for two seconds at most.

    Parameters
    ----------
    bootstrap_servers
        Default: ``STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS``, else ``localhost:9092``.
    model, version
        What the events are about, 1 to 128 characters each.
    service
        Who sends, default the model's name.
    shards
        Above 1 only for a model too hot for one core; all its producers must agree.
    on_full
        What happens to an event when the queue (64 MiB) is full: ``drop`` it (default), ``block``
        for ``block_timeout`` seconds and then drop it, or ``raise`` ``QueueFull``. It is about a
        full queue alone: an invalid event is never raised, under ``STREAMGAUGE_STRICT=1`` neither.
    topic_prefix
        Default: ``STREAMGAUGE_KAFKA__TOPIC_PREFIX``, else ``streamgauge``.
    kafka
        librdkafka settings that win over ours, such as ``security.protocol``.

    Examples
    --------
    >>> from streamgauge_client.testing import capture
    >>> publisher = Publisher(model="fraud", version="3.2.0")
    >>> with capture() as events:
    ...     with publisher.prediction(features={"amount": 12.5}) as prediction:
    ...         prediction.output = {False: 0.1, True: 0.9}
    ...     publisher.label(prediction.prediction_id, True)
    >>> [event.model_dump(exclude_defaults=True).get("label") for event in events]
    [None, 'true']
    """

    def __init__(
        self,
        bootstrap_servers: str | None = None,
        *,
        model: str,
        version: str,
        service: str | None = None,
        shards: int = 1,
        on_full: Literal["drop", "block", "raise"] = "drop",
        block_timeout: float = 1.0,
        topic_prefix: str | None = None,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        if on_full not in ("drop", "block", "raise"):
            raise ValueError(f"on_full={on_full!r} is unknown; give drop, block or raise")
        self._features = Features()
        self._sender = Sender(
            SenderOptions(
                bootstrap_servers=bootstrap_servers,
                model=model,
                version=version,
                service=service,
                shards=shards,
                on_full=on_full,
                block_timeout=block_timeout,
                topic_prefix=topic_prefix,
                kafka=dict(kafka or {}),
            )
        )
        self._guard = Guard(self._sender)

    def log(
        self,
        features: Any = None,
        output: Any = None,
        *,
        prediction_id: str | None = None,
        timestamp: Any = None,
        latency_ms: float | None = None,
        status: str = "ok",
        version: str | None = None,
        segment: Mapping[str, str] | None = None,
        variant: str | None = None,
        step: str | None = None,
        parent_id: str | None = None,
        lineage: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        error_type: str | None = None,
        entity_id: str | None = None,
        interaction_id: str | None = None,
        embedding: Mapping[str, Any] | None = None,
        tokens: Mapping[str, int] | None = None,
        cost: float | None = None,
    ) -> str:
        """Publish one prediction. Returns its id, which labels and feedback will name.

        Parameters
        ----------
        features
            Values by name: numbers, text, booleans, lists of numbers, numpy's kinds of them.
        output
            A number, a class, ``{label, score, scores}``, probabilities by class, or a vector.
        timestamp
            Event time: seconds since 1970, an aware ``datetime`` or RFC 3339. Default: now.
        status
            ``ok``, ``error`` or ``fallback``.
        """
        known: str | None = None
        with self._guard:
            known = (
                new_id() if prediction_id is None else identifier(prediction_id, "prediction_id")
            )
            envelope, counters = self._sender.begin()
            document: dict[str, Any] = {
                "prediction_id": known,
                "model": envelope.model,
                "version": (
                    envelope.version if version is None else identifier(version, "version")
                ),
                "timestamp": time.time() if timestamp is None else seconds(timestamp),
                "output": to_output(output, counters),
            }
            if features is not None:
                document["features"] = self._features.take(features, counters)
            if status != "ok":
                document["status"] = documents.STATUS(status, "status", counters)
            given = (
                ("latency_ms", latency_ms),
                ("segment", segment),
                ("variant", variant),
                ("step", step),
                ("parent_id", parent_id),
                ("lineage", lineage),
                ("tags", tags),
                ("error_type", error_type),
                ("entity_id", entity_id),
                ("interaction_id", interaction_id),
                ("embedding", embedding),
                ("tokens", tokens),
                ("cost", cost),
            )
            fill(document, documents.PREDICTION, given, counters)
            self._sender.send(envelope.predictions, known, known, document)
        return known or new_id()

    def prediction(self, features: Any = None, **fields: Any) -> TimedPrediction:
        """Time a prediction: set ``output`` on what the ``with`` statement gives.

        ``fields`` are those of ``log``. An exception in the block is published as
        ``status="error"`` with its type, and goes on.
        """
        prediction_id = fields.pop("prediction_id", None)
        return TimedPrediction(self, prediction_id or new_id(), features, fields)

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
        with self._guard:
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
        with self._guard:
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

    def model_event(
        self,
        action: str,
        *,
        version: str | None = None,
        timestamp: Any = None,
        previous_version: str | None = None,
        feature_schema: Mapping[str, str] | None = None,
        reference: Mapping[str, Any] | None = None,
        reset: str | list[str] | None = None,
        actor: str | None = None,
        reason: str | None = None,
        evidence: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        effective_at: Any = None,
        shadow: bool | None = None,
    ) -> None:
        """Publish a step in the model's life.

        ``action`` is ``registered``, ``promoted``, ``rolled_back``, ``retired``,
        ``reference_set``, ``retrain_requested`` or ``snapshot``.
        """
        with self._guard:
            envelope, counters = self._sender.begin()
            document: dict[str, Any] = {
                "model": envelope.model,
                "version": envelope.version if version is None else identifier(version, "version"),
                "action": documents.ACTION(action, "action", counters),
                "timestamp": seconds(timestamp),
            }
            given = (
                ("previous_version", previous_version),
                ("feature_schema", feature_schema),
                ("reference", reference),
                ("reset", reset),
                ("actor", actor),
                ("reason", reason),
                ("evidence", evidence),
                ("data", data),
                ("effective_at", effective_at),
                ("shadow", shadow),
            )
            fill(document, documents.MODEL, given, counters)
            self._sender.send(envelope.models, new_id(), "", document)

    def flush(self, timeout: float = 2.0) -> int:
        """Wait until everything is delivered, at most ``timeout`` seconds.

        Returns how many events are still queued.
        """
        return self._sender.flush(timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Flush and disconnect. What is then still queued counts as failed."""
        self._sender.close(timeout)

    def stats(self) -> PublisherStats:
        """What became of the events so far, in this process."""
        return self._sender.stats()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
