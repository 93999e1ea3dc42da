"""Records, history and pointer of models in Redis: read, and changed in single steps."""

from __future__ import annotations

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
_NEXT, _NAME, _CHAMPION, _TURN = b"next", b"name", b"champion", b"turn"


class RegistryConflict(Exception):
    """Somebody else decided in the meantime, or the step is none that this version can take."""


class Change:
    """What is read and written of one model in one step."""

    def __init__(self, pipe: Pipeline, fields: Mapping[bytes, bytes], model: str) -> None:
        self._pipe = pipe
        self._fields = fields
        self._model = model

    @property
    def records(self) -> list[ModelRecord]:
        return records_of(self._fields)

    @property
    def highest(self) -> int:
        """The highest version that was ever allocated."""
        return int(self._fields.get(_NEXT, b"0"))

    @property
    def turn(self) -> int:
        """How often the champion changed."""
        return int(self._fields.get(_TURN, b"0"))

    @property
    def champion(self) -> bytes | None:
        """The signed pointer."""
        return self._fields.get(_CHAMPION)

    def token(self, token: str) -> int | None:
        """The version that was allocated for this token."""
        found = self._fields.get(f"t:{token}".encode())
        return None if found is None else int(found)

    def allocate(self, version: int, token: str | None = None) -> None:
        mapping: Any = {"next": str(max(version, self.highest)), "name": self._model}
        if token is not None:
            mapping[f"t:{token}"] = str(version)
        self._pipe.hset(model_key(self._model, "records"), mapping=mapping)

    def point(self, champion: Champion, *, key: bytes) -> None:
        signed: Any = {"champion": champion.to_bytes(key=key), "turn": str(champion.turn)}
        self._pipe.hset(model_key(self._model, "records"), mapping=signed)

    def put(self, record: ModelRecord) -> None:
        content: Any = orjson.dumps(record.model_dump(mode="json"))
        self._pipe.hset(model_key(self._model, "records"), f"v:{record.version}", content)

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
        self._pipe.rpush(model_key(self._model, "history"), content)


class Ledger:
    """The hash and the list that Redis keeps of each model. ``redis`` answers bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def models(self) -> list[str]:
        """The names of all models with a record, sorted."""
        with redis_errors():
            keys = sorted(set(self._redis.scan_iter(match=f"{PREFIX}:model:*:records", count=1000)))
            names: list[Any] = [self._redis.hget(key, _NAME.decode()) for key in keys]
        return sorted(name.decode() for name in names if name is not None)

    def records(self, model: str) -> list[ModelRecord]:
        with redis_errors():
            fields: Any = self._redis.hgetall(model_key(model, "records"))
        return records_of(fields)

    def history(self, model: str) -> list[Decision]:
        with redis_errors():
            lines: Any = self._redis.lrange(model_key(model, "history"), 0, -1)
        return [Decision.model_validate_json(line) for line in lines]

    def champion(self, model: str) -> bytes | None:
        with redis_errors():
            data: Any = self._redis.hget(model_key(model, "records"), _CHAMPION.decode())
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
                    fields: Any = pipe.hgetall(key)
                    pipe.multi()
                    found = decide(Change(pipe, fields, model))
                    try:
                        pipe.execute()
                    except WatchError:
                        continue
                    return found
        raise RegistryConflict(f"others change {model} at the same moment; try again")

    def known(self, records: list[ModelRecord], model: str, version: int) -> ModelRecord:
        """One of the records. Raises ``LookupError``, which says what there is."""
        for record in records:
            if record.version == version:
                return record
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


def records_of(fields: Mapping[bytes, bytes]) -> list[ModelRecord]:
    """The records among a hash's fields, oldest first."""
    found = [
        ModelRecord.model_validate_json(data)
        for field, data in fields.items()
        if field.startswith(b"v:")
    ]
    return sorted(found, key=lambda record: record.version)
