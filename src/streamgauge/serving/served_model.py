"""A model that serves its current champion, and changes it between two answers."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

from prometheus_client import CollectorRegistry
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streamgauge.registry.base import ArtefactStore, StoreFailed
from streamgauge.registry.publish import revived
from streamgauge.registry.record import Champion
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.serving.exposition import register
from streamgauge.serving.serving import NotServing, Serving
from streamgauge_client.events import ModelEvent

logger = logging.getLogger(__name__)

#: A refused artefact is looked at again after so long: somebody may have put it right.
REFUSED_SECONDS = 30.0
_MOVES = ("promoted", "rolled_back")


class Answer(NamedTuple):
    """What a model answered, and who: publish both with the prediction.

    ``pipeline`` is what somebody decided for, and the version of the prediction; ``version`` is the
    snapshot of it, and its lineage: a pipeline that learns on is no other model every minute.
    """

    output: Any
    version: int
    pipeline: str


class ServedModel:
    """Answers with the model's champion; follows promotions and rollbacks.

    Whatever goes wrong, the model that serves goes on: Redis away, an artefact that does not
    verify, one that answers otherwise than it did. Such refusals are counted and logged, and
    ``stale_seconds`` grows. All methods may be called from any thread.

    Parameters
    ----------
    model
        The name.
    redis
        Where the registry is: a URL, or a client that answers bytes.
    key
        The learner's (``STREAMGAUGE_STATE__KEY``).
    archive
        The object store behind Redis, where there is one.
    follow
        ModelEvents as they come, from a subscription to the ``models`` topic. An event is a hint
        to look now, no more: only the signed pointer in the registry says what serves.
    poll_seconds
        How often the pointer is looked at; 0 for never (then call ``refresh``).
    on_refused
        Told of each refusal once, for a counter by its ``reason``.

    Examples
    --------
    ::

        with ServedModel("fraud", redis="redis://redis:6379/0", key=key) as fraud:
            output, version, pipeline = fraud.ask({"amount": 12.5})
    """

    def __init__(
        self,
        model: str,
        *,
        redis: Redis | str,
        key: bytes,
        archive: ArtefactStore | None = None,
        follow: Iterable[ModelEvent] | None = None,
        poll_seconds: float = 0.5,
        on_refused: Callable[[Rejected], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.model = model
        self.refused: Counter[str] = Counter()
        self._registry = ModelRegistry(_client(redis), key=key, archive=archive)
        self._follow = follow
        self._poll_seconds = poll_seconds
        self._on_refused = on_refused
        self._clock = clock
        self._serving: Serving | None = None
        self._certain_at = clock()
        self._refreshing = threading.Lock()
        self._look = threading.Event()
        self._closed = False
        self._threads: list[threading.Thread] = []
        #: The pointer that led to a refusal, and when; what was said last.
        self._bad: tuple[Champion | None, float] = (None, 0.0)
        self._said = ""
        self._away = False

    def start(self) -> Self:
        """Load the champion, where it can be had, and follow it from then on."""
        self.refresh()
        if self._poll_seconds:
            self._spawn(self._poll, "poll")
        if self._follow is not None:
            self._spawn(self._read_events, "events")
        return self

    def close(self) -> None:
        """Follow no longer. Answers are given still."""
        self._closed = True
        self._look.set()
        for thread in self._threads:
            # The one that reads events may wait for the next as long as it likes.
            if thread is not threading.current_thread() and thread.name.endswith("poll"):
                thread.join(timeout=5.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def predict(self, features: Mapping[str, Any]) -> Any:
        """The champion's answer: a class, a number, or an anomaly score."""
        return self._now().predict(features)

    def predict_proba(self, features: Mapping[str, Any]) -> dict[Any, float]:
        """The champion's probabilities by class. Raises ``TypeError`` where it has none."""
        return self._now().predict_proba(features)

    def ask(self, features: Mapping[str, Any]) -> Answer:
        """The answer and the version that gave it, also while the champion changes."""
        serving = self._now()
        return Answer(serving.predict(features), serving.version, serving.pipeline)

    def ask_proba(self, features: Mapping[str, Any]) -> Answer:
        """The same with probabilities by class. Raises ``TypeError`` where the model has none."""
        serving = self._now()
        return Answer(serving.predict_proba(features), serving.version, serving.pipeline)

    @property
    def version(self) -> int | None:
        """The version that serves; None before the first could be loaded."""
        serving = self._serving
        return None if serving is None else serving.version

    @property
    def stale_seconds(self) -> float:
        """How long it is unknown, or known to be untrue, that this is the champion."""
        return max(0.0, self._clock() - self._certain_at)

    @property
    def refused_total(self) -> int:
        """How many artefacts or pointers were refused; ``refused`` has them by reason."""
        return self.refused.total()

    def register_metrics(self, registry: CollectorRegistry | None = None) -> None:
        """Show refusals and ``stale_seconds`` in a Prometheus registry; by default the global one.

        Served models in one registry are added up.
        """
        register(self, registry)

    def refresh(self) -> bool:
        """Look at the pointer now, and load what it says; True where another model serves.

        Raises nothing: what goes wrong is counted, logged, and leaves the present model.
        """
        with self._refreshing:
            try:
                changed = self._refresh()
            except StoreFailed as error:
                if not self._away:
                    logger.warning("%s: %s; version %s serves on", self.model, error, self.version)
                self._away = True
                return False
            except Rejected as error:
                self._refuse(error)
                return False
            if self._away:
                logger.info("%s: the registry answers again", self.model)
            self._away = False
            return changed

    def _refresh(self) -> bool:
        pointer = self._registry.champion(self.model)
        serving = self._serving
        if pointer is None:
            # Nothing was promoted yet, or Redis has lost all: no reason to serve nothing.
            return False
        if serving is not None and pointer == serving.pointer:
            self._certain_at = self._clock()
            self._said = ""
            return False
        if serving is not None and pointer.turn < serving.pointer.turn:
            raise Rejected(
                "old",
                f"the registry's champion of {self.model} is version {pointer.version} of turn"
                f" {pointer.turn}; version {serving.version} of turn {serving.pointer.turn} was"
                " seen. If Redis was restored from a copy, promote a version anew, or restart",
            )
        bad, since = self._bad
        if pointer == bad and self._clock() - since < REFUSED_SECONDS:
            return False
        try:
            loaded = self._load(pointer)
        except Rejected:
            self._bad = (pointer, self._clock())
            raise
        self._serving = loaded
        self._certain_at = self._clock()
        self._said = ""
        logger.info("%s: version %d serves", self.model, pointer.version)
        return True

    def _load(self, pointer: Champion) -> Serving:
        artefact = self._registry.fetch(self.model, pointer.version)
        if artefact.header.payload_sha256 != pointer.sha256:
            raise Rejected(
                "mismatch",
                f"version {pointer.version} of {self.model} is not the content that was promoted",
            )
        return Serving(revived(artefact), pointer, artefact.header.pipeline)

    def _refuse(self, error: Rejected) -> None:
        # The pointer is looked at twice a second: the same refusal is one.
        if str(error) == self._said:
            return
        self._said = str(error)
        self.refused[error.reason] += 1
        logger.error(
            "%s: refused (%s): %s; version %s serves on",
            self.model,
            error.reason,
            error,
            self.version,
        )
        self._on_refused(error)

    def _now(self) -> Serving:
        serving = self._serving
        if serving is None:
            raise NotServing(
                f"no version of {self.model} could be loaded yet"
                + (
                    f" ({self._said})"
                    if self._said
                    else "; promote one: streamgauge models promote"
                )
            )
        return serving

    def _poll(self) -> None:
        while not self._closed:
            self._look.wait(self._poll_seconds)
            self._look.clear()
            if not self._closed:
                self._guarded_refresh()

    def _read_events(self) -> None:
        assert self._follow is not None
        for event in self._follow:
            if self._closed:
                return
            if event.model == self.model and event.action in _MOVES:
                self._guarded_refresh()

    def _guarded_refresh(self) -> None:
        """A thread that died would leave an old model serving for ever, and nobody told."""
        try:
            self.refresh()
        except Exception:
            logger.exception("%s: looking for its champion failed; trying again", self.model)

    def _spawn(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(
            target=work, name=f"streamgauge-serving-{self.model}-{name}", daemon=True
        )
        self._threads.append(thread)
        thread.start()


def _client(redis: Redis | str) -> Redis:
    if not isinstance(redis, str):
        return redis
    # Short: while it waits, a rollback waits.
    client: Redis = Redis.from_url(
        redis, socket_timeout=2.0, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0)
    )
    return client
