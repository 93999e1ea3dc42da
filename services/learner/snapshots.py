"""Follows what is durable of the learner's state, and brings the registry to the same."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from streamgauge.learning.facts import PART, PIPELINE, CandidateFacts, LearnedFacts
from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.processing import StateError
from streamgauge.registry.archive import archive_at
from streamgauge.registry.base import StoreFailed
from streamgauge.registry.ledger import RegistryConflict
from streamgauge.registry.publish import publish
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.settings import Settings
from streamgauge.state.keys import PREFIX
from streamgauge.state.packing import unpack
from streamgauge.state.positions import Positions

logger = logging.getLogger(__name__)

#: Between two looks at the checkpoints.
LOOK_SECONDS = 0.5
ACTOR = "learner"


class Snapshots:
    """Registers what candidates have learned, and points to the one that was promoted.

    It reads checkpoints, never the learner's memory: what is in the registry was durable before.
    Every step is idempotent, so whoever holds the partitions may do it, and do it again.
    """

    def __init__(self, settings: Settings, *, group: str) -> None:
        key = settings.state.key
        self._key = key.get_secret_value().encode() if key is not None else b""
        self._redis: Any = Redis.from_url(
            settings.redis.url.get_secret_value(), socket_timeout=5.0, socket_connect_timeout=5.0
        )
        self._registry = ModelRegistry(
            self._redis, key=self._key, archive=archive_at(settings.registry.archive)
        )
        self._match = f"{PREFIX}:ck:{{{group}:*}}"
        #: By model: the facts that were brought in, and when each candidate was registered last.
        self._seen: dict[str, bytes] = {}
        self._registered: dict[tuple[str, str], tuple[float, str, int]] = {}

    async def follow(self) -> None:
        """Look for ever. Whatever fails is said once, and tried again."""
        failing = ""
        while True:
            try:
                await asyncio.to_thread(self.look)
                failing = ""
            except (RedisError, StoreFailed, Rejected, RegistryConflict, StateError) as error:
                if str(error) != failing:
                    logger.warning("the registry is behind: %s; trying again", error)
                failing = str(error)
            except Exception as error:
                # Nobody looks at this task: were it to end, no model would be registered again.
                if repr(error) != failing:
                    logger.exception("snapshots fail, a defect; trying again")
                failing = repr(error)
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Bring in what has changed. Raises what the registry and Redis raise."""
        for key in self._redis.scan_iter(match=self._match, count=100):
            for field in self._redis.hkeys(key):
                if field.startswith(b"s:") and field.endswith(f".{PART}".encode()):
                    self._bring(key, field.decode().removesuffix(f".{PART}"))

    def _bring(self, key: bytes, field: str) -> None:
        position, packed = self._redis.hmget(key, "next", f"{field}.{PART}")
        if packed is None:
            return
        facts = LearnedFacts.from_state(self._opened(packed))
        for candidate in facts.candidates:
            self._take(key, field, facts, candidate, position.decode())

    def _take(
        self, key: bytes, field: str, facts: LearnedFacts, candidate: CandidateFacts, position: str
    ) -> None:
        place = (facts.model, candidate.name)
        at, digest, version = self._registered.get(place, (0.0, "", 0))
        leads = facts.champion == candidate.name
        fresh = candidate.digest != digest and time.monotonic() - at >= facts.snapshot_seconds
        if fresh and candidate.learned:
            content = self._redis.hget(key, f"{field}.{PIPELINE}{candidate.name}")
            if content is None:
                return
            record = publish(
                self._registry,
                # Sealed with our key, and verified just now.
                Pipeline.from_state(pickle.loads(self._opened(content))),
                key=self._key,
                model=facts.model,
                pipeline=candidate.name,
                created_at=facts.log_time,
                actor=ACTOR,
                rows=facts.inputs,
                positions=Positions.parse(position).offsets,
                metrics={} if candidate.loss is None else {"loss": candidate.loss},
                examples=candidate.learned,
                spec_version=facts.spec_version,
                token=f"{candidate.name}:{candidate.digest}",
            )
            version = record.version
            self._registered[place] = (time.monotonic(), candidate.digest, version)
        if leads and version:
            self._point(facts, version)

    def _point(self, facts: LearnedFacts, version: int) -> None:
        standing = self._registry.champion(facts.model)
        if standing is not None and standing.version >= version:
            return
        self._registry.promote(
            facts.model,
            version,
            expected=standing.version if standing is not None else None,
            at=facts.log_time,
            actor=ACTOR,
            reason=str((facts.decision or {}).get("reason", "snapshot")),
        )

    def _opened(self, blob: bytes) -> Any:
        _, state = unpack(blob, key=self._key)
        return state
