"""The publisher: how a service tells what its model saw, said, and learned of the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from streamgauge_client import documents
from streamgauge_client.batch_log import BatchLog
from streamgauge_client.documents import fill
from streamgauge_client.environment import privacy_key
from streamgauge_client.fields import identifier
from streamgauge_client.guard import Guard
from streamgauge_client.heartbeat import Heartbeat, interval_of
from streamgauge_client.ids import new_id
from streamgauge_client.label_log import LabelLog
from streamgauge_client.moments import seconds
from streamgauge_client.prediction_log import PredictionLog
from streamgauge_client.requests import RequestCounters
from streamgauge_client.sampling import Sampling
from streamgauge_client.sending import Sender, SenderOptions
from streamgauge_client.stats import PublisherStats

if TYPE_CHECKING:
    from streamgauge_client.privacy import PrivacyPolicy


class Publisher(PredictionLog, BatchLog, LabelLog):
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
        librdkafka settings that win over ours, such as ``security.protocol``. Without that one
        TLS and the user are as ``STREAMGAUGE_KAFKA__SECURITY__PROTOCOL``, ``…USERNAME``,
        ``…PASSWORD_FILE``, ``…CA_FILE`` say.
    sample_rate
        The share of predictions that is sent, 1/k for a whole k. The monitor weighs them by it.
        Errors, labels and feedback are always sent.
    heartbeat
        Every so many seconds (True: 10) a ``TelemetryEvent`` tells that the process lives, its
        processor, memory, load, network, GPU and requests, and the number of the last event.
        It begins with the first event. False: none but those of ``heartbeat()``.
    privacy
        By field: ``"keep"``, ``"drop"``, ``"hash"`` or ``{"bucket": …}``; ``*`` is all others. See
        ``PrivacyPolicy.of``. It holds for features, and for ``entity_id``, segments and tags of
        that name. Hashes are made with ``STREAMGAUGE_PRIVACY__KEY`` or what is in the file
        ``STREAMGAUGE_PRIVACY__KEY_FILE``.

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
        sample_rate: float = 1.0,
        heartbeat: bool | float = True,
        privacy: Mapping[str, Any] | PrivacyPolicy | None = None,
    ) -> None:
        if on_full not in ("drop", "block", "raise"):
            raise ValueError(f"on_full={on_full!r} is unknown; give drop, block or raise")
        sender = Sender(
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
        self._heartbeat = Heartbeat(sender, interval_of(heartbeat))
        sender.tick = self._heartbeat.tick
        PredictionLog.__init__(
            self,
            sender,
            sampling=Sampling.of(sample_rate),
            privacy=_policy(privacy),
        )
        BatchLog.__init__(self, sender, sampling=self._sampling, privacy=self._privacy)
        LabelLog.__init__(self, sender)
        self._model_guard = Guard(sender, "model")

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
        with self._model_guard:
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

    def derived(
        self, derive: Callable[..., Mapping[str, Any]], name: str, value: Any, **options: Any
    ) -> dict[str, Any]:
        """Features of an unstructured input; none where it can't be read, which is counted.

        ``derive`` is one of ``streamgauge_client.derive``, or a function of your own alike. It
        never raises: ``adjusted["derive"]`` counts what went wrong, ``last_error`` tells it.

        >>> from streamgauge_client.derive import text_features
        >>> publisher = Publisher(model="m", version="1")
        >>> {"amount": 12.5, **publisher.derived(text_features, "comment", "late")}["comment.words"]
        1
        """
        try:
            return dict(derive(name, value, **options))
        except Exception as error:
            self._sender.adjusted("derive", error)
            return {}

    def heartbeat(self) -> None:
        """Publish now how this process fares, beside what goes out by itself (``heartbeat``)."""
        self._heartbeat.beat()

    @property
    def requests(self) -> RequestCounters:
        """The requests of the service, as its middleware counts them in this process."""
        return self._sender.requests

    def register_metrics(self, registry: Any = None) -> None:
        """Show ``streamgauge_client_events_total{kind,outcome}`` in a Prometheus registry.

        ``kind`` is the event's; ``outcome`` is ``sent``, ``failed`` (of those), ``sampled_out`` or
        ``dropped_<reason>``. Publishers in one registry are added up. Default: the global one.
        Raises ``ImportError`` where prometheus_client is not installed.
        """
        # Imported here: most services that publish have another way to their numbers, or none.
        from streamgauge_client.exposition import register

        register(self._sender, registry)

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


def _policy(given: Mapping[str, Any] | PrivacyPolicy | None) -> PrivacyPolicy | None:
    if given is None:
        return None
    # Imported here: most services have no such policy.
    from streamgauge_client.privacy import PrivacyPolicy

    if isinstance(given, PrivacyPolicy):
        return given
    return PrivacyPolicy.of(given, key=privacy_key())
