"""What a model saw and said: predictions one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from streamgauge_client import documents
from streamgauge_client.documents import fill
from streamgauge_client.fields import Features, identifier
from streamgauge_client.guard import Guard
from streamgauge_client.ids import new_id
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import output as to_output
from streamgauge_client.request_scope import current_request
from streamgauge_client.sampling import Sampling
from streamgauge_client.sending import Sender
from streamgauge_client.stats import Counters
from streamgauge_client.timing import TimedPrediction

if TYPE_CHECKING:
    from streamgauge_client.privacy import PrivacyPolicy


P = ParamSpec("P")
R = TypeVar("R")


class PredictionLog:
    """The part of a publisher that publishes predictions."""

    def __init__(
        self, sender: Sender, *, sampling: Sampling | None, privacy: PrivacyPolicy | None
    ) -> None:
        self._sender = sender
        self._sampling = sampling
        self._privacy = privacy
        self._features = Features()
        self._prediction_guard = Guard(sender, "prediction")

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
        with self._prediction_guard:
            known = (
                new_id() if prediction_id is None else identifier(prediction_id, "prediction_id")
            )
            envelope, counters = self._sender.begin()
            sampling = self._sampling if status == "ok" else None
            if sampling is not None and not sampling.keeps(known):
                counters.sampled_out("prediction")
                if (request := current_request.get()) is not None:
                    request.note(known)
                return known
            document: dict[str, Any] = {
                "prediction_id": known,
                "model": envelope.model,
                "version": (
                    envelope.version if version is None else identifier(version, "version")
                ),
                "timestamp": time.time() if timestamp is None else seconds(timestamp),
                "output": to_output(output, counters),
            }
            if self._privacy is not None:
                features = _presentable(features, self._privacy)
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
            if self._privacy is not None:
                _protect(document, self._privacy, counters)
            self._sender.send(
                envelope.predictions,
                known,
                known,
                document,
                None if sampling is None else sampling.header,
            )
            if (request := current_request.get()) is not None:
                request.note(known)
        return known or new_id()

    def prediction(self, features: Any = None, **fields: Any) -> TimedPrediction:
        """Time a prediction: set ``output`` on what the ``with`` statement gives.

        ``fields`` are those of ``log``. An exception in the block is published as
        ``status="error"`` with its type, and goes on.
        """
        prediction_id = fields.pop("prediction_id", None)
        return TimedPrediction(self, prediction_id or new_id(), features, fields)

    @overload
    def watch(self, function: Callable[P, R], /) -> Callable[P, R]: ...

    @overload
    def watch(
        self,
        function: None = None,
        /,
        *,
        features: Callable[..., Any] | None = None,
        output: Callable[..., Any] | None = None,
        **fields: Any,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]: ...

    def watch(
        self,
        function: Callable[P, R] | None = None,
        /,
        *,
        features: Callable[..., Any] | None = None,
        output: Callable[..., Any] | None = None,
        **fields: Any,
    ) -> Any:
        """Publish each call of a function, ``def`` or ``async def``, with the time it took.

        The call's result and its exceptions are the caller's, untouched: an exception is
        published as ``status="error"`` and goes on, and an extractor that raises costs its event
        (``dropped["error"]``), not the call. Raises ``TypeError`` where it decorates what it
        can't watch.

        Parameters
        ----------
        features
            Gets the call's arguments, those that it has names for, else as many from the left as
            it takes; gives the features. Default: the first argument that is a mapping, a
            pydantic model, a dataclass or the like.
        output
            Gets the result; gives the output. Default: the result itself.
        fields
            Those of ``log``: values, or functions of the call's arguments as ``features`` is one.

        Examples
        --------
        >>> from streamgauge_client import Publisher
        >>> from streamgauge_client.testing import capture
        >>> publisher = Publisher(model="fraud", version="1")
        >>> @publisher.watch(output=lambda result: result["risk"])
        ... def assess(payment):
        ...     return {"risk": 0.93, "text": "call the customer"}
        >>> with capture() as events:
        ...     assess({"amount": 129.9})
        {'risk': 0.93, 'text': 'call the customer'}
        >>> events[0].features, events[0].output
        ({'amount': 129.9}, 0.93)
        """
        # Imported here: it costs 5 ms, and most services publish without it.
        from streamgauge_client.watching import Watch

        drop = partial(self._sender.drop, "prediction")
        watch = Watch(self.log, drop, features=features, output=output, fields=fields)
        return watch if function is None else watch(function)


def _presentable(features: Any, policy: PrivacyPolicy) -> Any:
    # A pandas row has items() without being a Mapping; what has none is refused later.
    items = getattr(features, "items", None)
    return features if items is None else policy.without_dropped(items())


def _protect(document: dict[str, Any], policy: PrivacyPolicy, counters: Counters) -> None:
    """Apply a policy to what is about to be sent. A name means the same wherever it stands."""

    def refused(name: str) -> None:
        counters.adjusted("privacy")

    if "features" in document:
        document["features"] = policy.apply(document["features"], refused)
    named = policy.named()
    for field in ("segment", "tags"):
        if field in document:
            document[field] = named.apply(document[field], refused)
    if "entity_id" in document:
        entity = named.apply({"entity_id": document.pop("entity_id")}, refused)
        document.update(entity)
