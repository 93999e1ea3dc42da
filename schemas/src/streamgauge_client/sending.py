"""The sending side of a publisher: connect at first use, survive a fork, count everything."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from streamgauge_client.codec import Headers, first_error
from streamgauge_client.envelope import SAMPLED_AT, Envelope, Kind
from streamgauge_client.environment import client_settings
from streamgauge_client.events.base import MAX_STRING
from streamgauge_client.producing import KafkaOutlet
from streamgauge_client.recording import recorders
from streamgauge_client.request_scope import current_request
from streamgauge_client.requests import RequestCounters
from streamgauge_client.security import with_security
from streamgauge_client.stats import Counters, PublisherStats
from streamgauge_client.unfit import DropReason, QueueFull, Unfit

#: The largest event that the monitor takes, in bytes.
MAX_EVENT_BYTES = 256 * 1024
#: Seconds before another producer is tried after one could not be made.
_RETRY_SECONDS = 5.0

_senders: weakref.WeakSet[Sender] = weakref.WeakSet()
_fork_hook_registered = False


@dataclass(frozen=True, slots=True)
class SenderOptions:
    """What a publisher was made with. Nothing in it has been checked but ``on_full``."""

    bootstrap_servers: str | None
    model: str
    version: str
    service: str | None
    shards: int
    on_full: Literal["drop", "block", "raise"]
    block_timeout: float
    topic_prefix: str | None
    kafka: Mapping[str, Any] = field(default_factory=dict)


class Sender:
    """Encodes documents and hands them to Kafka, or to a test's recorder."""

    def __init__(self, options: SenderOptions) -> None:
        self._options = options
        #: What the poll thread calls some times a second; set before the first event.
        self.tick: Callable[[], None] | None = None
        self._closed = False
        self._outlet: KafkaOutlet | None = None
        self._envelope: Envelope | None = None
        self._start_afresh()
        _senders.add(self)
        _register_fork_hook()

    def begin(self) -> tuple[Envelope, Counters]:
        """What an event is made with. Raises ``Unfit`` for a publisher with a bad name."""
        return self._envelope or self._open_envelope(), self._counters

    def send(
        self,
        kind: Kind,
        event_id: str,
        subject_id: str,
        document: dict[str, Any],
        sampled: tuple[str, bytes] | None = None,
    ) -> None:
        """Send one event. ``subject_id`` is what shards go by. Raises ``Unfit``, ``QueueFull``.

        ``sampled`` is the header of an event that stands for several.
        """
        try:
            value = orjson.dumps(document)
        except TypeError as error:
            raise Unfit(f"no JSON for it: {error}", "unencodable") from error
        if len(value) > MAX_EVENT_BYTES:
            raise Unfit(f"{len(value)} bytes; {MAX_EVENT_BYTES} are allowed", "too_large")
        self.send_value(kind, event_id, subject_id, value, sampled)

    def send_value(
        self,
        kind: Kind,
        event_id: str,
        subject_id: str,
        value: bytes,
        sampled: tuple[str, bytes] | None = None,
    ) -> None:
        """Send one event that is encoded already, and known to be of a size that is taken."""
        envelope = self._envelope or self._open_envelope()
        if envelope.settings.strict:
            _check_strictly(kind, value)
        key = envelope.key_for(subject_id)
        # The number is taken before there is a place in the queue, so that what finds none leaves
        # a gap; and in one step with it, so that the log has the numbers in their order.
        with self._in_order:
            headers = envelope.headers(kind, event_id, key)
            if sampled is not None:
                headers.insert(SAMPLED_AT, sampled)
            if (request := current_request.get()) is not None:
                headers += request.event_headers
            if recorders:
                recorders[-1].record(kind.topic, key, value, headers)
                full = None
            else:
                full = self._produce(envelope, kind.topic, key, value, headers)
            if full is None:
                self._counters.sent(kind.name, len(value))
        if full is not None:
            self._when_full(*full, kind.topic, key, value, headers)
            with self._in_order:
                self._counters.sent(kind.name, len(value))

    def drop(self, name: str, error: Exception) -> None:
        """Count an event that was not sent, and say why. ``name`` is the event's."""
        if isinstance(error, QueueFull):
            reason: DropReason = "full"
        elif isinstance(error, Unfit):
            reason = error.reason
        else:
            return self._counters.dropped(name, "error", f"{type(error).__name__}: {_said(error)}")
        self._counters.dropped(name, reason, str(error))

    def adjusted(self, kind: str, error: Exception) -> None:
        """Count something that an event will lack, and say why."""
        self._counters.adjusted(kind)
        self._counters.trouble(f"{kind}: {type(error).__name__}: {_said(error)}")

    @property
    def connected(self) -> bool:
        """Whether there is a producer, in this process."""
        return self._outlet is not None

    def last_sequence(self, topic: str, key: bytes) -> int | None:
        """The number of the last event for this topic and record key; None before the first."""
        envelope = self._envelope
        return None if envelope is None else envelope.sequences.last(topic, key)

    def flush(self, timeout: float) -> int:
        outlet = self._outlet
        return outlet.flush(timeout) if outlet is not None else 0

    def close(self, timeout: float) -> None:
        with self._lock:
            self._closed = True
            outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close(timeout)

    def stats(self) -> PublisherStats:
        outlet = self._outlet
        return self._counters.read(outlet.queued() if outlet is not None else 0)

    def outcomes(self) -> Counter[tuple[str, str]]:
        """Events by name and outcome; see ``Counters.outcomes``."""
        return self._counters.outcomes()

    def after_fork(self) -> None:
        """In the child: the parent's queue is the parent's to deliver, and to count."""
        if self._outlet is not None:
            self._outlet.abandon()
        self._start_afresh()

    def _start_afresh(self) -> None:
        # Locks too: the parent may have held them in a thread that did not come along.
        self._lock = threading.Lock()
        # Reentrant: a finalizer or a signal handler may log while its own thread does.
        self._in_order = threading.RLock()
        self._counters = Counters()
        self.requests = RequestCounters()
        self._outlet = None
        self._envelope = None
        self._next_attempt = 0.0

    def _open_envelope(self) -> Envelope:
        options = self._options
        settings = client_settings(
            bootstrap_servers=options.bootstrap_servers, topic_prefix=options.topic_prefix
        )
        self._envelope = Envelope.of(
            settings,
            model=options.model,
            version=options.version,
            service=options.service,
            shards=options.shards,
        )
        return self._envelope

    def _produce(
        self, envelope: Envelope, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> tuple[KafkaOutlet, BufferError] | None:
        """Where the queue was full: the outlet, and what librdkafka said."""
        outlet = self._outlet or self._connect(envelope)
        try:
            outlet.send(topic, key, value, headers)
        except BufferError as error:
            return outlet, error
        except Exception as error:
            if _is_fatal(error):
                self._replace(outlet)
            raise
        return None

    def _when_full(
        self,
        outlet: KafkaOutlet,
        error: BufferError,
        topic: str,
        key: bytes,
        value: bytes,
        headers: Headers,
    ) -> None:
        """Outside of the lock: who waits for room must not have others wait with it."""
        options = self._options
        if options.on_full == "block":
            try:
                outlet.send_within(topic, key, value, headers, timeout=options.block_timeout)
            except BufferError as still:
                error = still
            else:
                return
        if options.on_full == "raise":
            raise QueueFull("the queue is full: Kafka takes fewer events than are published")
        raise Unfit(str(error), "full")

    def _connect(self, envelope: Envelope) -> KafkaOutlet:
        if envelope.settings.disabled:
            raise Unfit("disabled by STREAMGAUGE_DISABLED", "disabled")
        with self._lock:
            if self._closed:
                raise Unfit("the publisher is closed", "closed")
            if self._outlet is not None:
                return self._outlet
            if time.monotonic() < self._next_attempt:
                raise Unfit("no producer could be made a moment ago", "unavailable")
            try:
                self._outlet = KafkaOutlet(
                    envelope.settings.bootstrap_servers,
                    counters=self._counters,
                    options=with_security(self._options.kafka),
                    tick=self.tick,
                )
            except Exception as error:
                self._next_attempt = time.monotonic() + _RETRY_SECONDS
                raise Unfit(f"no producer could be made: {error}", "unavailable") from error
            return self._outlet

    def _replace(self, outlet: KafkaOutlet) -> None:
        """A producer in librdkafka's fatal state never sends again; the next event gets another."""
        with self._lock:
            if self._outlet is not outlet:
                return
            self._outlet = None
        threading.Thread(target=outlet.close, args=(0.0,), daemon=True).start()


def _check_strictly(kind: Kind, value: bytes) -> None:
    try:
        kind.event.model_validate_json(value)
    except ValidationError as error:
        raise Unfit(first_error(error)) from error


def _said(error: Exception) -> str:
    """An exception of the caller's own may fail at saying what it is."""
    try:
        return str(error)[:MAX_STRING]
    except Exception:
        return "(it can't say)"


def _is_fatal(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return bool(getattr(cause, "fatal", bool)())


def _register_fork_hook() -> None:
    global _fork_hook_registered
    if not _fork_hook_registered and hasattr(os, "register_at_fork"):
        _fork_hook_registered = True
        os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    for sender in list(_senders):
        sender.after_fork()
