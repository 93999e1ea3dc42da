"""Records, history and pointer of models in Redis: read, and changed in single steps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError, WatchError

from streamgauge.plugins import did_you_mean
from streamgauge.registry.base import StoreFailed
from streamgauge.registry.record import Champion, Decision, ModelRecord
from streamgauge.state.keys import PREFIX, model_key

T = TypeVar("T")
_ATTEMPTS = 20
_NEXT, _NAME, _CHAMPION, _TURN = "next", "name", "champion", "turn"


class RegistryConflict(Exception):
    """Somebody else decided in the meantime, or the step is none that this version can take."""


class Change:
    """What is read and written of one model in one step: reads come at once, writes at the end.

    Fields are read one by one: a model that is snapshot every minute has ten thousand records
    after a week.
    """

    def __init__(self, read: Callable[[str], bytes | None], model: str) -> None:
        self._read = read
        self._model = model
        #: What is to be called on the transaction.
        self.writes: list[Callable[[Pipeline], Any]] = []

    def record(self, version: int) -> ModelRecord | None:
        found = self._read(f"v:{version}")
        return None if found is None else ModelRecord.model_validate_json(found)

    @property
    def highest(self) -> int:
        """The highest version that was ever allocated."""
        return int(self._read(_NEXT) or b"0")

    @property
    def turn(self) -> int:
        """How often the champion changed."""
        return int(self._read(_TURN) or b"0")

    @property
    def champion(self) -> bytes | None:
        """The signed pointer."""
        return self._read(_CHAMPION)

    def token(self, token: str) -> int | None:
        """The version that was allocated for this token."""
        found = self._read(f"t:{token}")
        return None if found is None else int(found)

    def line(self, pipeline: str) -> list[int]:
        """The versions of a pipeline whose artefacts are near, oldest first."""
        return line_of(self._read(f"p:{pipeline}"))

    def put_line(self, pipeline: str, versions: list[int]) -> None:
        self._set({f"p:{pipeline}": orjson.dumps(versions)})

    def allocate(self, version: int, token: str | None = None) -> None:
        mapping = {_NEXT: str(max(version, self.highest)), _NAME: self._model}
        if token is not None:
            mapping[f"t:{token}"] = str(version)
        self._set(mapping)

    def point(self, champion: Champion, *, key: bytes) -> None:
        self._set({_CHAMPION: champion.to_bytes(key=key), _TURN: str(champion.turn)})

    def put(self, record: ModelRecord) -> None:
        self._set({f"v:{record.version}": orjson.dumps(record.model_dump(mode="json"))})

    def _set(self, fields: Mapping[str, bytes | str]) -> None:
        mapping: Any = dict(fields)
        self.writes.append(
            lambda pipe: pipe.hset(model_key(self._model, "records"), mapping=mapping)
        )

    def decide(
        self,
        record: ModelRecord,
        *,
        action: str,
        actor: str,
        previous: int | None = None,
        evidence: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a record, and a line of history that says why."""
        self.put(record)
        line = Decision(
            at=record.changed_at,
            model=record.model,
            version=record.version,
            status=record.status,
            action=action,
            actor=actor,
            reason=record.reason,
            previous_version=previous,
            evidence=dict(evidence or {}),
        )
        content = orjson.dumps(line.model_dump(mode="json"))
        self.writes.append(lambda pipe: pipe.rpush(model_key(self._model, "history"), content))


class Ledger:
    """The hash and the list that Redis keeps of each model. ``redis`` answers bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def models(self) -> list[str]:
        """The names of all models with a record, sorted."""
        with redis_errors():
            keys = sorted(set(self._redis.scan_iter(match=f"{PREFIX}:model:*:records", count=1000)))
            names: list[Any] = [self._redis.hget(key, _NAME) for key in keys]
        return sorted(name.decode() for name in names if name is not None)

    def records(self, model: str) -> list[ModelRecord]:
        with redis_errors():
            fields: Any = self._redis.hgetall(model_key(model, "records"))
        return records_of(fields)

    def history(self, model: str) -> list[Decision]:
        with redis_errors():
            lines: Any = self._redis.lrange(model_key(model, "history"), 0, -1)
        return [Decision.model_validate_json(line) for line in lines]

    def record(self, model: str, version: int) -> ModelRecord | None:
        found = self._field(model, f"v:{version}")
        return None if found is None else ModelRecord.model_validate_json(found)

    def token(self, model: str, token: str) -> int | None:
        """The version that was allocated for this token."""
        found = self._field(model, f"t:{token}")
        return None if found is None else int(found)

    def line(self, model: str, pipeline: str) -> list[int]:
        """The versions of a pipeline whose artefacts are near, oldest first."""
        return line_of(self._field(model, f"p:{pipeline}"))

    def champion(self, model: str) -> bytes | None:
        return self._field(model, _CHAMPION)

    def _field(self, model: str, field: str) -> bytes | None:
        with redis_errors():
            data: Any = self._redis.hget(model_key(model, "records"), field)
        return data if data is None else bytes(data)

    def change(self, model: str, decide: Callable[[Change], T]) -> T:
        """Read, decide and write as one step: nobody else's change comes between.

        ``decide`` may be called several times. Raises ``RegistryConflict`` where others never
        leave a gap.
        """
        key = model_key(model, "records")
        with redis_errors():
            for _ in range(_ATTEMPTS):
                with self._redis.pipeline() as pipe:
                    pipe.watch(key)  # type: ignore[no-untyped-call]
                    # While it watches, and before the transaction, a pipeline answers at once.
                    read: Callable[[str], Any] = functools.partial(pipe.hget, key)
                    change = Change(read, model)
                    found = decide(change)
                    pipe.multi()
                    for write in change.writes:
                        write(pipe)
                    try:
                        pipe.execute()
                    except WatchError:
                        continue
                    return found
        raise RegistryConflict(f"others change {model} at the same moment; try again")

    def known(self, found: ModelRecord | None, model: str, version: int) -> ModelRecord:
        """The record that was found. Raises ``LookupError`` for None, which says what there is."""
        if found is not None:
            return found
        records = self.records(model)
        if not records:
            hint = did_you_mean(model, self.models())
            raise LookupError(f"no model {model!r} is registered{hint}")
        there = ", ".join(str(record.version) for record in records[-10:])
        raise LookupError(f"{model} has no version {version} (the newest are {there})")


@contextmanager
def redis_errors() -> Iterator[None]:
    """Redis' errors as the stores'."""
    try:
        yield
    except RedisError as error:
        raise StoreFailed(f"Redis does not serve the registry: {error}") from error


def line_of(data: bytes | None) -> list[int]:
    """Versions as they are written down."""
    return [] if data is None else list(orjson.loads(data))


def records_of(fields: Mapping[bytes, bytes]) -> list[ModelRecord]:
    """The records among a hash's fields, oldest first."""
    found = [
        ModelRecord.model_validate_json(data)
        for field, data in fields.items()
        if field.startswith(b"v:")
    ]
    return sorted(found, key=lambda record: record.version)
