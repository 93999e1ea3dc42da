"""The checkpoint store in Redis: the authority over positions.

Scripts go by EVALSHA and, where the server does not know them, by EVAL. A persisted Function
library, as production wants it, comes in a later issue.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)

from streamgauge.state.base import (
    Acquired,
    Checkpoint,
    StateTooLarge,
    StoreAmbiguous,
    Stored,
    StoreUnavailable,
    Verdict,
)
from streamgauge.state.keys import checkpoint_key, view_key
from streamgauge.state.scripts import ACQUIRE, CHECKPOINT

#: Most bytes of one compare-and-set: Redis takes no argument above 512 MB, and no command above
#: 1 GB. Far below it a write is slow, and Redis serves nobody else meanwhile; that is better than
#: a partition that stands still, so the worker warns and writes.
LARGEST_WRITE = 512 * 1024 * 1024
#: A slow way to Redis; a larger write is given more time by it.
BYTES_PER_SECOND = 16 * 1024 * 1024


class RedisStore:
    """Implements ``CheckpointStore`` over one Redis and one consumer group.

    ``security`` is what ``access.redis.redis_security`` makes: certificates and the ACL user.
    """

    def __init__(
        self,
        url: str,
        group: str,
        *,
        timeout: float = 5.0,
        security: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.url = url
        self.group = group
        self.timeout = timeout
        # No retry in the client: a checkpoint sent twice would find its own first attempt and
        # take it for somebody else's. Whether to try again is the protocol's decision.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
            **security,
        )

    async def acquire(
        self, partition: int, *, owner: str, generation: int, first: str, force: bool = False
    ) -> Acquired:
        keys = [checkpoint_key(self.group, partition)]
        args: list[str | bytes] = [owner, str(generation), "1" if force else "0", first]
        answer = [part.decode() for part in await self._script(ACQUIRE, keys, args)]
        if answer[0] == "STALE_GENERATION":
            return Acquired("", "", stale=True)
        return Acquired(answer[1], answer[2], created=answer[3] == "1")

    async def load(self, partition: int) -> Stored:
        fields = await self._command("HGETALL", checkpoint_key(self.group, partition))
        if isinstance(fields, list):  # RESP2 answers pairs, RESP3 a map
            fields = dict(zip(fields[::2], fields[1::2], strict=True))
        return Stored(
            position=fields.get(b"next", b"").decode(),
            meta=fields.get(b"meta"),
            blobs={k[2:].decode(): v for k, v in fields.items() if k.startswith(b"s:")},
            outbox={k[2:].decode(): v for k, v in fields.items() if k.startswith(b"o:")},
        )

    async def holder(self, partition: int) -> tuple[str, str, str]:
        key = checkpoint_key(self.group, partition)
        owner, epoch, position = await self._command("HMGET", key, "owner", "epoch", "next")
        return ((owner or b"").decode(), (epoch or b"").decode(), (position or b"").decode())

    async def checkpoint(
        self, partition: int, *, owner: str, epoch: str, write: Checkpoint
    ) -> Verdict:
        keys = [checkpoint_key(self.group, partition), view_key(self.group, partition)]
        args: list[str | bytes] = [owner, epoch, write.base, write.position, write.meta]
        args += [str(len(write.blobs)), str(len(write.views))]
        for mapping in (write.blobs, write.views, write.outbox):
            for name, content in mapping.items():
                args += [name, content]
        if write.size > LARGEST_WRITE:
            raise StateTooLarge(
                f"a checkpoint of {write.size} bytes is over Redis' limit of {LARGEST_WRITE}"
            )
        seconds = self.timeout + write.size / BYTES_PER_SECOND
        answer = (await self._script(CHECKPOINT, keys, args, seconds=seconds))[0]
        return "OK" if answer == b"OK" else "FENCED" if answer == b"FENCED" else "CONFLICT"

    async def published(self, partition: int, ids: list[str]) -> None:
        if ids:
            key = checkpoint_key(self.group, partition)
            await self._command("HDEL", key, *(f"o:{entry}" for entry in ids))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _script(
        self, script: str, keys: list[str], args: list[str | bytes], *, seconds: float | None = None
    ) -> Any:
        tail = (str(len(keys)), *keys, *args)
        sha = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self._command("EVALSHA", sha, *tail, seconds=seconds)
        except NoScriptError:
            return await self._command("EVAL", script, *tail, seconds=seconds)

    async def _command(self, *command: str | bytes, seconds: float | None = None) -> Any:
        """Send one command, and tell "not sent" from "sent, and nobody knows"."""
        seconds = seconds or self.timeout
        pool = self._redis.connection_pool
        try:
            connection = await pool.get_connection()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            raise StoreUnavailable(f"Redis at {_safe(self.url)} is away: {error}") from error
        try:
            # The client bounds the sending and the reading of its own accord.
            connection.socket_timeout = seconds
            async with asyncio.timeout(seconds):
                await connection.send_command(*command)
                return await connection.read_response()
        except NoScriptError:
            await _cut(connection)  # fakeredis hangs up after every error
            raise
        except OutOfMemoryError as error:
            await _cut(connection)
            raise StoreUnavailable(
                "Redis has no room: raise its maxmemory, or remove what is not ours; what is in it"
                " stays, and work goes on by itself"
            ) from error
        except (ResponseError, BusyLoadingError) as error:
            # A server that still loads has answered, whatever redis-py makes of it.
            await _cut(connection)
            raise StoreUnavailable(f"Redis refuses to serve: {error}") from error
        except (RedisError, OSError, TimeoutError) as error:
            await _cut(connection)
            raise StoreAmbiguous(f"the answer of Redis did not come: {error!r}") from error
        except BaseException:
            # Cancelled between command and answer: the answer must not meet the next command.
            await _cut(connection)
            raise
        finally:
            await pool.release(connection)


async def _cut(connection: Any) -> None:
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await connection.disconnect(nowait=True)


def _safe(url: str) -> str:
    """The URL without user and password."""
    return url.rsplit("@", 1)[-1]
