"""A refused connection is "unavailable"; a cut after sending is "ambiguous"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from streamgauge.state import redis as redis_store
from streamgauge.state.base import (
    Checkpoint,
    StateTooLarge,
    StoreAmbiguous,
    StoreUnavailable,
)
from streamgauge.state.redis import RedisStore

WRITE = Checkpoint("#0", "#1", b"", {}, {}, {})


async def test_nobody_listens(unused_tcp_port: int) -> None:
    store = RedisStore(f"redis://user:secret@127.0.0.1:{unused_tcp_port}", "g")
    with pytest.raises(StoreUnavailable) as caught:
        await store.acquire(0, owner="a", generation=1, first="#0")
    assert "secret" not in str(caught.value)
    await store.close()


@pytest.fixture
async def cutting_proxy(fake_redis_url: str) -> AsyncIterator[str]:
    """Forward everything to Redis, and cut before the answer to a script comes back."""
    host, port = fake_redis_url.removeprefix("redis://").removesuffix("/0").split(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, sink = await asyncio.open_connection(host, int(port))
        while request := await reader.read(65536):
            sink.write(request)
            answer = await upstream.read(65536)
            if b"EVAL" in request and not answer.startswith(b"-"):
                break
            writer.write(answer)
        for end in (sink, writer):
            end.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    server.close()
    await server.wait_closed()


async def test_cut_after_forwarding_is_ambiguous_and_the_write_may_stand(
    fake_redis_url: str, cutting_proxy: str
) -> None:
    direct, behind = RedisStore(fake_redis_url, "cut"), RedisStore(cutting_proxy, "cut")
    await direct.acquire(0, owner="a", generation=1, first="#0")
    with pytest.raises(StoreAmbiguous):
        await behind.checkpoint(0, owner="a", epoch="1", write=WRITE)
    assert await behind.holder(0) == ("a", "1", "#1")
    await direct.close()
    await behind.close()


async def test_silence_after_sending_is_ambiguous() -> None:
    done = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Answers the handshake, then says nothing more.
        while request := await reader.read(65536):
            if b"HMGET" in request:
                break
            writer.write(b"+OK\r\n" * max(1, request.count(b"\r\n*") + 1))
        await done.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = RedisStore(f"redis://127.0.0.1:{port}?protocol=2", "g", timeout=0.3)
    with pytest.raises(StoreAmbiguous):
        await store.holder(0)
    done.set()
    await store.close()
    server.close()


@pytest.mark.integration
async def test_a_large_checkpoint_is_written(real_redis_url: str) -> None:
    store = RedisStore(real_redis_url, "large")
    await store.acquire(0, owner="a", generation=1, first="#0")
    large = replace(WRITE, blobs={str(n): bytes(20 * 2**20) for n in range(4)})
    assert large.size > 64 * 2**20
    assert await store.checkpoint(0, owner="a", epoch="1", write=large) == "OK"
    assert (await store.load(0)).blobs == large.blobs
    await store.close()


@pytest.mark.integration
async def test_a_large_checkpoint_is_given_more_time(
    real_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "BYTES_PER_SECOND", 100_000)
    store = RedisStore(real_redis_url, "slow", timeout=0.3)
    await store.acquire(0, owner="a", generation=1, first="#0")
    # Given a Redis that does not write for a second
    admin = Redis.from_url(real_redis_url)
    await admin.client_pause(1000, all=False)
    large = replace(WRITE, blobs={"m": bytes(500_000)})
    assert await store.checkpoint(0, owner="a", epoch="1", write=large) == "OK"
    # A small write is not waited for as long, also after a large one.
    await admin.client_pause(1000, all=False)
    with pytest.raises(StoreAmbiguous):
        await store.checkpoint(0, owner="a", epoch="1", write=replace(WRITE, base="#1"))
    await admin.client_unpause()
    await admin.aclose()
    await store.close()


async def test_a_checkpoint_beyond_redis_own_limit_is_refused_before_it_is_sent(
    fake_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_store, "LARGEST_WRITE", 1000)
    store = RedisStore(fake_redis_url, "huge")
    await store.acquire(0, owner="a", generation=1, first="#0")
    with pytest.raises(StateTooLarge, match="1000"):
        await store.checkpoint(
            0, owner="a", epoch="1", write=replace(WRITE, blobs={"m": bytes(1001)})
        )
    await store.close()


@pytest.mark.integration
async def test_a_server_that_refuses_writes_is_unavailable_and_recovers(
    real_redis_url: str,
) -> None:
    store, admin = RedisStore(real_redis_url, "refusing"), Redis.from_url(real_redis_url)
    await store.acquire(0, owner="a", generation=1, first="#0")
    await admin.config_set("maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="maxmemory"):
        await store.checkpoint(0, owner="a", epoch="1", write=WRITE)
    await admin.config_set("maxmemory", "0")
    await admin.script_flush()
    assert await store.checkpoint(0, owner="a", epoch="1", write=WRITE) == "OK"
    await admin.aclose()
    await store.close()


async def test_a_server_that_still_loads_refuses_and_has_written_nothing(
    fake_redis_url: str,
) -> None:
    # Given a Redis that was just started, and answers scripts with LOADING
    host, port = fake_redis_url.removeprefix("redis://").removesuffix("/0").split(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, sink = await asyncio.open_connection(host, int(port))
        while request := await reader.read(65536):
            if b"EVAL" in request:
                writer.write(b"-LOADING Redis is loading the dataset in memory\r\n")
                continue
            sink.write(request)
            writer.write(await upstream.read(65536))
        for end in (sink, writer):
            end.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        store = RedisStore(f"redis://127.0.0.1:{address[1]}/0", "loading")
        # Then nothing is in doubt: there is an answer, and it is no
        with pytest.raises(StoreUnavailable, match="refuses to serve"):
            await store.acquire(0, owner="a", generation=1, first="#0")
        await store.close()
