"""Follows what is durable of the learner's state, and brings the registry to the same."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError

from streamgauge.access.redis import redis_client
from streamgauge.learning.facts import PART, CandidateFacts, LearnedFacts
from streamgauge.processing import StateError
from streamgauge.registry.archive import archive_at
from streamgauge.registry.base import StoreFailed
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.registrar import Registrar
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.settings import Settings
from streamgauge.state.keys import PREFIX
from streamgauge.state.packing import unpack
from streamgauge.state.positions import Positions

logger = logging.getLogger(__name__)

#: Between two looks at the checkpoints.
LOOK_SECONDS = 0.5


class Snapshots:
    """Registers what candidates have learned, and points to the one that was promoted.

    It reads checkpoints, never the learner's memory: what is in the registry was durable before.
    Every step is idempotent, so any learner may do it for all partitions, and do it again.
    """

    def __init__(self, settings: Settings, *, group: str) -> None:
        key = settings.state.key
        self._key = key.get_secret_value().encode() if key is not None else b""
        self._redis: Any = redis_client(
            settings.redis, socket_timeout=5.0, socket_connect_timeout=5.0
        )
        registry = ModelRegistry(
            self._redis, key=self._key, archive=archive_at(settings.registry.archive)
        )
        self._registrar = Registrar(registry, key=self._key)
        self._match = f"{PREFIX}:ck:{{{group}:*}}"
        #: By model: the facts that were brought in, and the decision among them.
        self._seen: dict[str, tuple[bytes, str]] = {}
        #: By model and candidate: when it was looked at last, and what it was then.
        self._taken: dict[tuple[str, str], tuple[float, str]] = {}

    async def follow(self) -> None:
        """Look for ever. Whatever fails is said once, and tried again."""
        failing = ""
        while True:
            try:
                await asyncio.to_thread(self.look)
                failing = ""
            except (RedisError, StoreFailed, Rejected, StateError) as error:
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
        champion = _verdict(facts.decision) if facts.decision is not None else None
        decided = champion.id if champion is not None else ""
        content, before = self._seen.get(facts.model, (b"", ""))
        candidates = list(self._candidates(key, field, facts, position, new=decided != before))
        if content == packed and not candidates:
            return
        steps = self._registrar.settle(
            Learned(
                model=facts.model,
                candidates=candidates,
                champion=champion,
                failed=[_verdict(each) for each in facts.failures],
            )
        )
        for step in steps:
            level = logging.WARNING if step.action in ("refused", "pinned") else logging.INFO
            logger.log(
                level,
                "%s of %r %s: version %s, %s",
                step.pipeline,
                step.model,
                step.action,
                step.version,
                step.reason,
            )
        for each in candidates:
            digest = next(c.digest for c in facts.candidates if c.name == each.pipeline)
            self._taken[facts.model, each.pipeline] = (time.monotonic(), digest)
        self._seen[facts.model] = (packed, decided)

    def _candidates(
        self, key: bytes, field: str, facts: LearnedFacts, position: bytes, *, new: bool
    ) -> Iterator[Candidate]:
        """Those whose snapshot is due; all that changed where a decision is new."""
        for each in facts.candidates:
            at, digest = self._taken.get((facts.model, each.name), (-facts.snapshot_seconds, ""))
            due = new or time.monotonic() - at >= facts.snapshot_seconds
            if each.learned and each.digest != digest and due:
                packed = self._redis.hget(key, f"{field}.{each.part}")
                if packed is not None:
                    held = self._opened(packed)
                    content = held[each.place] if each.place >= 0 else held
                    # Another checkpoint may have come between both reads: the next look has it.
                    if hashlib.blake2b(content, digest_size=16).hexdigest() == each.digest:
                        yield self._candidate(facts, each, content, position)

    def _candidate(
        self, facts: LearnedFacts, each: CandidateFacts, content: bytes, position: bytes
    ) -> Candidate:
        return Candidate(
            pipeline=each.name,
            content=content,
            at=facts.log_time,
            positions=Positions.parse(position.decode()).offsets,
            examples=each.learned,
            metrics={} if each.loss is None else {"loss": each.loss},
            spec_version=facts.spec_version,
            rows=facts.inputs,
        )

    def _opened(self, blob: bytes) -> Any:
        _, state = unpack(blob, key=self._key)
        return state


def _verdict(decision: dict[str, Any]) -> Verdict:
    """A decision of the learner as the registrar takes it; a replay gives the same id."""
    parts = (decision["model"], decision["challenger"], decision["after"], decision["time"])
    return Verdict(
        id=hashlib.sha256(repr(parts).encode()).hexdigest()[:32],
        pipeline=decision["challenger"],
        at=decision["time"],
        reason=decision["reason"],
        evidence=decision["evidence"],
        action="rolled_back" if decision["kind"] == "rollback" else "promoted",
    )
