"""A TCP proxy before Redis: late answers, answers that never come, requests out of time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading

from load_tests.faults.resp import complete

CHUNK = 64 * 1024


class Proxy:
    """``with Proxy(port) as proxy``: forwards to a port of this machine, in a thread of its own.

    A cut hands the request on and closes the connection instead of giving the answer; a swallowed
    answer leaves it open, so that the client waits for its time-out. Both are the ambiguous case:
    the write was done, and nobody knows.
    """

    def __init__(self, upstream: int, *, seed: int = 1) -> None:
        self._upstream = upstream
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()
        self.port = 0
        #: Seconds that every answer is late.
        self.latency = 0.0
        #: The share of answers that are cut or swallowed.
        self.cut_share = self.swallow_share = 0.0
        self.cuts = self.swallowed = 0
        #: So many scripts are held back for some seconds, and then handed on all the same.
        self.to_hold, self.hold_seconds = 0, 0.0
        self.late_answers: list[bytes] = []
        self._held: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward(reader, upstream[1]))
                both.create_task(self._answer(upstream[0], writer))
        except* (OSError, asyncio.CancelledError):
            # The end of the proxy too: asyncio would print a handler that was cancelled.
            pass
        finally:
            for end in (writer, upstream[1]):
                end.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending = b""
        while data := await reader.read(CHUNK):
            if pending or self.to_hold:
                data, pending = pending + data, b""
                if not complete(data):
                    pending = data
                    continue
                if self.to_hold and b"EVALSHA" in data[:64]:
                    self.to_hold -= 1
                    self._held.add(asyncio.create_task(self._later(data)))
                    continue
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _later(self, request: bytes) -> None:
        """Hand a request on when nobody waits for it any more."""
        await asyncio.sleep(self.hold_seconds)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        writer.write(request)
        self.late_answers.append(await reader.read(CHUNK))
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self.latency:
                await asyncio.sleep(self.latency)
            draw = self._rng.random()
            if draw < self.cut_share:
                self.cuts += 1
                break
            if draw < self.cut_share + self.swallow_share:
                self.swallowed += 1
                continue
            writer.write(data)
            with contextlib.suppress(OSError):
                await writer.drain()
        raise ConnectionResetError
