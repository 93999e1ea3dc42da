"""The sending side of a publisher: connect at first use, survive a fork, count everything."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from streamgauge_client.codec import Headers, first_error
from streamgauge_client.envelope import Envelope, Kind
from streamgauge_client.environment import client_settings
from streamgauge_client.producing import KafkaOutlet
from streamgauge_client.recording import recorders
from streamgauge_client.stats import Counters, PublisherStats
from streamgauge_client.unfit import QueueFull, Unfit

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
        self._closed = False
        self._outlet: KafkaOutlet | None = None
        self._envelope: Envelope | None = None
        self._start_afresh()
        _senders.add(self)
        _register_fork_hook()

    def begin(self) -> tuple[Envelope, Counters]:
        """What an event is made with. Raises ``Unfit`` for a publisher with a bad name."""
        return self._envelope or self._open_envelope(), self._counters

    def send(self, kind: Kind, event_id: str, subject_id: str, document: dict[str, Any]) -> None:
        """Send one event. ``subject_id`` is what shards go by. Raises ``Unfit``, ``QueueFull``."""
        envelope = self._envelope or self._open_envelope()
        try:
            value = orjson.dumps(document)
        except TypeError as error:
            raise Unfit(f"no JSON for it: {error}", "unencodable") from error
        if len(value) > MAX_EVENT_BYTES:
            raise Unfit(f"{len(value)} bytes; {MAX_EVENT_BYTES} are allowed", "too_large")
        if envelope.settings.strict:
            _check_strictly(kind, value)
        key = envelope.key_for(subject_id)
        headers = envelope.headers(kind, event_id)
        if recorders:
            recorders[-1].record(kind.topic, key, value, headers)
        else:
            self._produce(envelope, kind.topic, key, value, headers)
        self._counters.sent(len(value))

    def drop(self, error: Exception) -> None:
        """Count an event that was not sent, and say why."""
        if isinstance(error, Unfit):
            self._counters.dropped(error.reason, str(error))
        else:
            self._counters.dropped("error", f"{type(error).__name__}: {error}")

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

    def after_fork(self) -> None:
        """In the child: the parent's queue is the parent's to deliver, and to count."""
        if self._outlet is not None:
            self._outlet.abandon()
        self._start_afresh()

    def _start_afresh(self) -> None:
        # Locks too: the parent may have held them in a thread that did not come along.
        self._lock = threading.Lock()
        self._counters = Counters()
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
    ) -> None:
        outlet = self._outlet or self._connect(envelope)
        try:
            outlet.send(topic, key, value, headers)
        except BufferError as error:
            self._when_full(outlet, error, topic, key, value, headers)
        except Exception as error:
            if _is_fatal(error):
                self._replace(outlet)
            raise

    def _when_full(
        self,
        outlet: KafkaOutlet,
        error: BufferError,
        topic: str,
        key: bytes,
        value: bytes,
        headers: Headers,
    ) -> None:
        options = self._options
        if options.on_full == "block":
            try:
                outlet.send_within(topic, key, value, headers, timeout=options.block_timeout)
            except BufferError as still:
                error = still
            else:
                return
        if options.on_full == "raise":
            self._counters.dropped("full", str(error))
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
                    options=self._options.kafka,
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


class Guard:
    """Keeps what goes wrong in publishing from the caller: it is counted instead.

    ``QueueFull`` passes, since who gets it asked for it; so do interrupts and exits.
    """

    __slots__ = ("_sender",)

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception) or isinstance(error, QueueFull):
            return False
        self._sender.drop(error)
        return True


def _check_strictly(kind: Kind, value: bytes) -> None:
    try:
        kind.event.model_validate_json(value)
    except ValidationError as error:
        raise Unfit(first_error(error)) from error


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
