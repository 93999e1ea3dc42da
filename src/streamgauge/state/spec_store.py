"""Specs and reference profiles in Redis: written by the command line, read by the workers.

Neither ever changes once stored: a spec gets a new version, a profile another id. So a reader may
keep what it has and ask only for what is newer.

Both are gone where Redis loses everything: they are in no snapshot. State that is restored from one
goes on under the number of its spec; a worker that still runs knows the spec too, another one goes
by the defaults until it is applied again. So that this takes effect, the number must be above the
one in force, which the views tell.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis import asyncio as aioredis
from redis.client import Pipeline
from redis.exceptions import WatchError

from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.version import EFFECTIVE_DELAY_SECONDS, SpecVersion
from streamgauge.state.keys import PREFIX, model_id, reference_key, spec_key
from streamgauge.state.views import ModelView

logger = logging.getLogger(__name__)

#: Versions of one model's spec that are kept; the oldest goes first.
MAX_VERSIONS = 50
#: Largest reference profile. A thousand features take about 2 MiB.
MAX_REFERENCE_BYTES = 32 * 1024 * 1024
_LATEST = b"latest"
#: Attempts against others who apply a spec for the same model at the same moment.
_ATTEMPTS = 10


class SpecConflict(Exception):
    """Somebody else stored something in the meantime, or something else under the same name."""


@dataclass(frozen=True, slots=True)
class AppliedSpec:
    """The version that now stands, and whether it is new: the same spec twice is one version."""

    version: SpecVersion
    changed: bool


class SpecStore:
    """Specs and profiles for whoever changes them. ``redis`` answers bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def apply(
        self, spec: ModelSpec, *, now: float, by: str, based_on: int | None = None
    ) -> AppliedSpec:
        """Store a spec as the model's newest version, from ``now`` + 2 s on.

        ``based_on`` is the number that the newest must still have (0 for none), for a spec that
        was made from it. Raises ``SpecConflict`` where it has another, or where others keep
        applying at the same moment.
        """
        key, in_force = spec_key(spec.model), self._in_force(spec.model)
        for _ in range(_ATTEMPTS):
            with self._redis.pipeline() as pipe:
                pipe.watch(key)  # type: ignore[no-untyped-call]
                fields: Any = pipe.hgetall(key)
                stored = _decoded(fields)
                latest = stored[-1] if stored else None
                # A newer streamgauge may have stored one that this one can't read: never reuse
                # its number.
                highest = int(fields.get(_LATEST, b"0"))
                if based_on is not None and based_on != highest:
                    raise SpecConflict(
                        f"the spec of {spec.model!r} is at version {highest} by now, this change"
                        f" was made from version {based_on}; try again"
                    )
                newest = max(highest, in_force)
                if latest and latest.number == newest and _same(latest.spec, spec):
                    return AppliedSpec(latest, changed=False)
                number = 1 + newest
                version = _next(spec, latest, number=number, now=now, by=by)
                try:
                    self._write(pipe, key, version, list(fields))
                except WatchError:
                    continue
                return AppliedSpec(version, changed=True)
        raise SpecConflict(f"others apply specs for {spec.model!r} at the same moment; try again")

    def _in_force(self, model: str) -> int:
        """The highest number that a worker goes by, also of a spec that is stored no more."""
        numbers = [0]
        for key in self._redis.scan_iter(match=f"{PREFIX}:view:*", count=1000):
            view: Any = self._redis.hget(key, model_id(model))
            with contextlib.suppress(ValueError):
                numbers.append(ModelView.model_validate_json(view or b"").spec_version or 0)
        return max(numbers)

    @staticmethod
    def _write(pipe: Pipeline, key: str, version: SpecVersion, fields: list[bytes]) -> None:
        pipe.multi()
        number = str(version.number)
        pipe.hset(key, mapping={number: version.to_bytes(), _LATEST.decode(): number})
        numbers = sorted(int(field) for field in fields if field != _LATEST)
        surplus = numbers[: max(0, len(numbers) + 1 - MAX_VERSIONS)]
        if surplus:
            pipe.hdel(key, *map(str, surplus))
        pipe.execute()

    def versions(self, model: str) -> list[SpecVersion]:
        """All stored versions of a model's spec, oldest first."""
        fields: Any = self._redis.hgetall(spec_key(model))
        return _decoded(fields)

    def latest(self, model: str) -> SpecVersion | None:
        """The newest version, also when it is not in effect yet."""
        versions = self.versions(model)
        return versions[-1] if versions else None

    def put_reference(self, model: str, reference_id: str, data: bytes) -> bool:
        """Store a profile; False where the same stands there already.

        Raises ``SpecConflict`` where another one has that id, ``ValueError`` for one too large.
        """
        if len(data) > MAX_REFERENCE_BYTES:
            raise ValueError(
                f"the profile has {len(data):,} bytes, the limit is {MAX_REFERENCE_BYTES:,}; "
                "leave columns out"
            )
        key = reference_key(model, reference_id)
        if self._redis.set(key, data, nx=True):
            return True
        if self._redis.get(key) != data:
            raise SpecConflict(
                f"model {model!r} has another reference {reference_id!r}; choose another id"
            )
        return False

    def get_reference(self, model: str, reference_id: str) -> bytes | None:
        """A profile's bytes, or None."""
        data: Any = self._redis.get(reference_key(model, reference_id))
        return _bytes(data)

    def references(self, model: str) -> list[str]:
        """The ids of a model's profiles, sorted."""
        prefix = reference_key(model, "")
        keys = self._redis.scan_iter(match=f"{prefix}*", count=1000)
        return sorted(key.decode()[len(prefix) :] for key in keys)


async def read_all(
    redis: aioredis.Redis, *, known: Mapping[str, int] | None = None
) -> list[SpecVersion]:
    """All versions of all specs, each model's oldest first.

    With ``known`` (model → newest number held) only what is newer: then a quiet call costs a scan
    and two fields per model. A version that can't be read is logged and left out, the older
    ones stand.
    """
    held = {spec_key(model).encode(): number for model, number in (known or {}).items()}
    # A scan may name a key twice.
    keys = sorted({key async for key in redis.scan_iter(match=f"{PREFIX}:spec:*", count=1000)})
    if held:
        newest = await _pipelined(redis, [("HGET", key, _LATEST) for key in keys])
        keys = [
            key
            for key, number in zip(keys, newest, strict=True)
            if number is not None and int(number) > held.get(key, 0)
        ]
    found: list[SpecVersion] = []
    for key, fields in zip(
        keys, await _pipelined(redis, [("HGETALL", key) for key in keys]), strict=True
    ):
        found += [version for version in _decoded(fields) if version.number > held.get(key, 0)]
    return found


async def read_reference(redis: aioredis.Redis, model: str, reference_id: str) -> bytes | None:
    """A profile's bytes, or None."""
    return _bytes(await redis.get(reference_key(model, reference_id)))


def _bytes(data: Any) -> bytes | None:
    return None if data is None else bytes(data)


async def _pipelined(
    redis: aioredis.Redis, commands: Iterable[tuple[str | bytes, ...]]
) -> list[Any]:
    pipe = redis.pipeline(transaction=False)
    for command in commands:
        pipe.execute_command(*command)
    return await pipe.execute()


def _same(one: ModelSpec, other: ModelSpec) -> bool:
    return one.document() == other.document()


def _next(
    spec: ModelSpec, latest: SpecVersion | None, *, number: int, now: float, by: str
) -> SpecVersion:
    effective_at = now + EFFECTIVE_DELAY_SECONDS
    if latest is not None:
        # A clock that went back must not put the newer version before the older one.
        effective_at = max(effective_at, latest.effective_at)
    return SpecVersion(
        number=number,
        effective_at=effective_at,
        spec=spec,
        applied_by=by,
        applied_at=now,
    )


def _decoded(fields: Mapping[bytes, bytes]) -> list[SpecVersion]:
    versions: list[SpecVersion] = []
    for field, data in fields.items():
        if field == _LATEST:
            continue
        try:
            versions.append(SpecVersion.from_bytes(data))
        except ValueError as error:
            logger.warning("a stored spec (version %r) can't be read: %s", field, error)
    return sorted(versions, key=lambda version: version.number)
