"""The configurations of all models, kept fresh from Redis while the worker runs.

A Redis that has lost everything has lost these too, and no snapshot holds them: what this process
knows stays in force until it ends. The next one goes by the defaults, until somebody applies the
specs again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from streamgauge.monitor import Configuration
from streamgauge.references import ReferenceProfile
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.version import SpecVersion
from streamgauge.state.spec_store import read_all, read_reference

logger = logging.getLogger(__name__)

#: Well within the two seconds that an applied spec waits before it takes effect.
REFRESH_SECONDS = 0.5


class RedisBook:
    """Implements ``ConfigurationBook`` over the specs and profiles in Redis.

    Parameters
    ----------
    overrides
        The process' own defaults, laid under every spec.
    """

    def __init__(self, redis: Redis, *, overrides: Mapping[str, Any]) -> None:
        self._redis = redis
        self._overrides = overrides
        self._versions: dict[str, list[Configuration]] = {}

    def versions(self, model: str) -> Sequence[Configuration]:
        return self._versions.get(model, ())

    def default(self, model: str) -> Configuration:
        return Configuration(ModelSpec.default(model, overrides=self._overrides))

    async def refresh(self) -> None:
        """Read what is new. Raises ``RedisError`` when Redis does not answer."""
        known = {model: versions[-1].number for model, versions in self._versions.items()}
        for version in await read_all(self._redis, known=known):
            configuration = await self._configuration(version)
            self._versions.setdefault(version.spec.model, []).append(configuration)
            logger.info(
                "spec of %r: version %d holds from %.3f on",
                version.spec.model,
                version.number,
                version.effective_at,
            )

    async def first(self, stop: asyncio.Event) -> None:
        """Read everything before the first record; wait for Redis as long as it takes.

        Raises ``NoPermissionError`` where it answers, and our user may not read it.
        """
        pause = 0.2
        while not stop.is_set():
            try:
                return await self.refresh()
            except NoPermissionError:
                raise
            except (RedisError, OSError) as error:
                logger.warning("no specs yet, Redis does not answer (%s); trying again", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def follow(self) -> None:
        """Refresh for ever. Whatever goes wrong, the known specs stay in force."""
        failing = ""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
                failing = ""
            except (RedisError, OSError) as error:
                if failing != "Redis":
                    logger.warning("Redis does not answer (%s); the known specs hold", error)
                failing = "Redis"
            except Exception as error:
                # Nobody looks at this task: were it to end, no spec would ever be applied again.
                if failing != repr(error):
                    logger.exception("specs can't be read, a defect; the known ones hold")
                failing = repr(error)

    async def _configuration(self, version: SpecVersion) -> Configuration:
        spec = version.spec.over(self._overrides)
        return Configuration(
            spec, version.number, version.effective_at, await self._profile(version.spec)
        )

    async def _profile(self, spec: ModelSpec) -> ReferenceProfile | None:
        if spec.reference.kind != "profile" or spec.reference.id is None:
            return None
        data = await read_reference(self._redis, spec.model, spec.reference.id)
        try:
            if data is None:
                raise ValueError("it is not in Redis")
            return ReferenceProfile.from_bytes(data)
        except ValueError as error:
            logger.error(
                "reference %r of model %r can't be used: %s. The model learns one from its stream; "
                "build it again with `streamgauge reference build`",
                spec.reference.id,
                spec.model,
                error,
            )
            return None
