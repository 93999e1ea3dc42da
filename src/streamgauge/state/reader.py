"""Reads what workers let others see: views, spec versions, processes. Never a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError
from redis import Redis

from streamgauge.clock import Clock, system_clock
from streamgauge.state.handlings import Handling, Handlings, Verdict
from streamgauge.state.keys import PARTITION_FIELD, PREFIX, model_id
from streamgauge.state.learner_views import SUFFIX, LearnerView
from streamgauge.state.processes import ProcessView
from streamgauge.state.views import ModelView, PartitionView, View

#: The major version of views that this reader knows.
VIEW_VERSION = 1
#: How long a list of keys is good for. New partitions appear as late as this, not sooner.
KEYS_SECONDS = 5.0

V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that could be read at one moment.

    ``partitions`` come with the consumer group whose they are. ``specs`` is the number of the
    newest stored version by model. ``skipped`` counts by reason (malformed, version) what could
    not be used, since the reader was made. ``handlings`` are what people did about alarms, by
    fingerprint, ``verdicts`` what they said of them.
    """

    read_at: float
    models: tuple[ModelView, ...] = ()
    partitions: tuple[tuple[str, PartitionView], ...] = ()
    processes: tuple[ProcessView, ...] = ()
    specs: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    learners: tuple[LearnerView, ...] = ()
    handlings: Mapping[str, Handling] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def written_at(self, view: ModelView) -> float | None:
        """When the newest checkpoint of a model's partition was written."""
        times = [p.written_at for _, p in self.partitions if p.partition == view.partition]
        return max((time for time in times if time is not None), default=None)


class ViewReader:
    """Reads a ``Snapshot``. Keeps what it parsed while the bytes stay the same.

    Parameters
    ----------
    redis
        A synchronous client that answers bytes. Its errors pass through ``read``.
    group
        Only the views of this consumer group; None reads those of all.
    learners
        The consumer group whose views of learners are read beside.
    clock
        For ``Snapshot.read_at`` and the age of the list of keys.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        group: str | None = None,
        learners: str | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._redis: Any = redis
        self._clock = clock
        self._match = f"{PREFIX}:view:{{{_glob(group)}:*}}" if group else f"{PREFIX}:view:*"
        self._learners = f"{PREFIX}:view:{{{_glob(learners)}:*}}" if learners else ""
        self._keys: dict[str, list[bytes]] = {}
        self._keys_at = float("-inf")
        self._parsed: dict[tuple[bytes, bytes], tuple[bytes, Any]] = {}
        self._names: dict[bytes, tuple[int, str]] = {}
        self._skipped: Counter[str] = Counter()
        self._handled = Handlings(redis)

    def read(self) -> Snapshot:
        """Read everything. Raises ``redis.RedisError`` when Redis does not answer."""
        now = self._clock()
        if not self._keys.get("view") or now - self._keys_at >= KEYS_SECONDS:
            self._keys = {
                "view": self._scan(self._match),
                "spec": self._scan(f"{PREFIX}:spec:*"),
                "learner": self._scan(self._learners) if self._learners else [],
            }
            self._keys_at = now
        # Processes come and go by expiry, so their keys are looked for each time; they are few.
        processes = self._scan(f"{PREFIX}:process:*")
        views = self._all([("HGETALL", key) for key in self._keys["view"]])
        told = self._all([("GET", key) for key in processes])
        models, partitions = self._views(zip(self._keys["view"], views, strict=True))
        return Snapshot(
            read_at=now,
            models=models,
            partitions=partitions,
            processes=tuple(self._processes(zip(processes, told, strict=True))),
            specs=self._specs(self._keys["spec"]),
            skipped=dict(self._skipped),
            learners=tuple(self._learning()),
            handlings=self._handled.all(),
            verdicts=tuple(self._handled.verdicts()),
        )

    def _learning(self) -> Iterator[LearnerView]:
        keys = self._keys["learner"]
        for fields in self._all([("HGETALL", key) for key in keys]):
            for name, data in sorted(fields.items()) if isinstance(fields, dict) else ():
                if name.endswith(SUFFIX.encode()):
                    _, view = _validated(LearnerView, data)
                    if view is not None:
                        yield view

    def _views(
        self, hashes: Iterable[tuple[bytes, Any]]
    ) -> tuple[tuple[ModelView, ...], tuple[tuple[str, PartitionView], ...]]:
        models: list[ModelView] = []
        partitions: list[tuple[str, PartitionView]] = []
        seen: set[tuple[bytes, bytes]] = set()
        for key, fields in hashes:
            if not isinstance(fields, dict):
                continue
            for name, data in sorted(fields.items()):
                seen.add((key, name))
                if name == PARTITION_FIELD.encode():
                    partition = self._parse(PartitionView, key, name, data)
                    if partition is not None:
                        partitions.append((_group(key), partition))
                    continue
                if name.endswith(SUFFIX.encode()):
                    # A learner's, see ``learners``.
                    continue
                model = self._parse(ModelView, key, name, data)
                if model is None:
                    continue
                if model_id(model.model).encode() == name:
                    models.append(model)
                else:
                    # It says that it is another model than the one whose place it has.
                    self._skip("malformed", key, name, data)
        for known in self._parsed.keys() - seen:
            del self._parsed[known]
        return tuple(models), tuple(partitions)

    def _processes(self, values: Iterable[tuple[bytes, Any]]) -> Iterable[ProcessView]:
        for _, data in values:
            # None: it has expired since the scan.
            if isinstance(data, bytes):
                reason, view = _validated(ProcessView, data)
                if view is None:
                    self._skipped[reason] += 1
                else:
                    yield view

    def _specs(self, keys: list[bytes]) -> dict[str, int]:
        """The newest version by model. A document is read once, for the name in it."""
        for key in self._names.keys() - set(keys):
            del self._names[key]
        newest = self._all([("HGET", key, b"latest") for key in keys])
        found: dict[str, int] = {}
        for key, number in zip(keys, newest, strict=True):
            if not isinstance(number, bytes) or not number.isdigit():
                continue
            known = self._names.get(key)
            if known is None or known[0] != int(number):
                name = _named_in(self._redis.execute_command("HGET", key, number))
                if name is None:
                    self._skipped["malformed"] += 1
                    continue
                known = self._names[key] = (int(number), name)
            found[known[1]] = known[0]
        return found

    def _parse(self, kind: type[V], key: bytes, name: bytes, data: bytes) -> V | None:
        """The view, or None for one that can't be used, which is counted once for its bytes."""
        known = self._parsed.get((key, name))
        if known is not None and known[0] == data:
            view: V | None = known[1]
            return view
        reason, view = _validated(kind, data)
        if view is None:
            self._skip(reason, key, name, data)
        else:
            self._parsed[(key, name)] = (data, view)
        return view

    def _skip(self, reason: str, key: bytes, name: bytes, data: bytes) -> None:
        self._skipped[reason] += 1
        self._parsed[(key, name)] = (data, None)

    def _scan(self, match: str) -> list[bytes]:
        # A scan may name a key twice.
        return sorted(set(self._redis.scan_iter(match=match, count=1000)))

    def _all(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Answers in order; an error (a key of another type) stands in the place of its answer."""
        if not commands:
            return []
        with self._redis.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            answers: list[Any] = pipe.execute(raise_on_error=False)
        return answers


def _validated(kind: type[V], data: bytes) -> tuple[str, V | None]:
    try:
        document = orjson.loads(data)
        version = document.get("v", 1) if isinstance(document, dict) else 1
        if isinstance(version, int) and version > VIEW_VERSION:
            return "version", None
        return "", kind.model_validate(document)
    except (orjson.JSONDecodeError, ValidationError):
        return "malformed", None


def _named_in(data: Any) -> str | None:
    try:
        return str(orjson.loads(data)["spec"]["model"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def _group(key: bytes) -> str:
    """The consumer group in ``streamgauge:view:{group:p}``."""
    return key.decode(errors="replace").partition("{")[2].rpartition(":")[0]


def _glob(text: str) -> str:
    return "".join(f"\\{c}" if c in "*?[]\\^" else c for c in text)
