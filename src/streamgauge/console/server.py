"""The exporter's HTTP server: metrics, health and the console, on a thread and loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from prometheus_client import CollectorRegistry

from streamgauge.console.access import Access
from streamgauge.console.acts import Acts
from streamgauge.console.documents import Answer, Documents, Screen
from streamgauge.console.routes import Routes
from streamgauge.console.stream import EVERY_SECONDS, MOST_READERS, FanOut
from streamgauge.exposition.http import Check, PortInUse, well
from streamgauge.ingest.listener import CannotListen, Listener

#: Connections beside those of open pages: a browser opens several to load one.
MORE_CONNECTIONS = 256
IDLE_SECONDS = 10.0
START_SECONDS = 10.0
STOP_SECONDS = 5.0


class ConsoleServer:
    """Serves like ``TelemetryServer``, and the console beside.

    The loop never collects nor builds: a scrape of many series and a page that is opened do not
    wait for each other.

    Parameters
    ----------
    registry
        Whose metrics are shown.
    documents
        What the screens show; ``publish`` says that they changed.
    access
        Who may do what.
    acts
        Does what people ask for; None for a console that only shows.
    host, port
        Where to listen; port 0 takes a free one.
    ready, live
        None while all is well, else the reason.
    setting
        Name of the setting that moves the port, for the error when it is taken.
    every
        Seconds between two messages to one page, at least.
    most_readers
        Pages that are open at once.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        documents: Documents,
        access: Access,
        acts: Acts | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ready: Check = well,
        live: Check = well,
        setting: str = "port",
        every: float = EVERY_SECONDS,
        most_readers: int = MOST_READERS,
    ) -> None:
        self._registry = registry
        self._documents = documents
        self._access = access
        self._acts = acts
        self._host = host
        self._port = port
        self._ready = ready
        self._live = live
        self._setting = setting
        self._every = every
        self._most_readers = most_readers
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fan_out: FanOut | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address for people, with the port in use, which port 0 became."""
        return self._url

    @property
    def readers(self) -> int:
        """Open pages."""
        return self._fan_out.readers if self._fan_out else 0

    def start(self) -> None:
        """Listen and serve on a daemon thread. Raises ``PortInUse``."""
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)), name="http", daemon=True
        )
        self._thread.start()
        started.result(timeout=START_SECONDS)

    def stop(self) -> None:
        """Close the listener and every page's stream."""
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            # The loop may have ended by itself.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(timeout=STOP_SECONDS)
        self._loop = self._thread = None

    def publish(self) -> None:
        """Say, from any thread, that the documents are of a new reading."""
        loop, fan_out = self._loop, self._fan_out
        if loop is not None and fan_out is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(fan_out.publish)

    async def _run(self, started: Future[None]) -> None:
        try:
            async with contextlib.AsyncExitStack() as stack:
                await self._listen(stack)
                started.set_result(None)
                assert self._stopping is not None
                await self._stopping.wait()
        except CannotListen as error:
            started.set_exception(PortInUse(str(error)))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _listen(self, stack: contextlib.AsyncExitStack) -> None:
        builder = ThreadPoolExecutor(1, thread_name_prefix="screens")
        stack.callback(partial(builder.shutdown, wait=False, cancel_futures=True))
        loop = asyncio.get_running_loop()

        async def answer(screen: Screen) -> Answer:
            return await loop.run_in_executor(builder, self._documents.answer, screen)

        fan_out = FanOut(answer, every=self._every, most=self._most_readers)
        routes = Routes(
            registry=self._registry,
            access=self._access,
            ready=self._ready,
            live=self._live,
            answer=answer,
            fan_out=fan_out,
            acts=self._acts,
        )
        listener = Listener(
            routes.application(),
            host=self._host,
            port=self._port,
            max_connections=self._most_readers + MORE_CONNECTIONS,
            idle_seconds=IDLE_SECONDS,
            drain_seconds=1.0,
            setting=self._setting,
        )
        stack.push_async_callback(listener.stop)
        stack.callback(routes.close)
        await listener.start()
        for work in (fan_out.run(), fan_out.beat()):
            stack.callback(asyncio.create_task(work).cancel)
        self._url = listener.url
        self._stopping = asyncio.Event()
        self._fan_out = fan_out
        self._loop = loop
