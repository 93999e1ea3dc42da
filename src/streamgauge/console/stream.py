"""Server-sent events: one task builds what is looked at, and each reader gets the latest of it."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from streamgauge.console.documents import Answer, Screen

logger = logging.getLogger(__name__)

#: A reader hears of a new reading at most so often.
EVERY_SECONDS = 1.0
#: Something is sent so often, whatever happens, so that proxies and browsers know that it lives.
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": still here\n\n"
#: A page that has left a message lying for so many beats is gone.
STALLED_BEATS = 4
#: Open pages at once. Above it a page is told so and tries again.
MOST_READERS = 256

Answering = Callable[[Screen], Awaitable[Answer]]


class TooManyReaders(Exception):
    """No room for one more. The text says how many there are."""


class Reader:
    """One open page: the message that waits for it, never more than one.

    ``abort`` closes its connection, for a page that takes nothing any more.
    """

    def __init__(self, screen: Screen, *, abort: Callable[[], None] | None = None) -> None:
        self.screen = screen
        #: Messages that a newer one took the place of.
        self.dropped = 0
        self._abort = abort
        self._waiting: bytes | None = None
        self._wake = asyncio.Event()
        self._ended = False
        self._untaken = 0

    def offer(self, text: bytes) -> None:
        """Leave a message; one that was not taken yet is worth nothing any more."""
        self.dropped += self._waiting is not None
        self._waiting = text
        self._wake.set()

    def greet(self, text: bytes) -> None:
        """Leave the first message, unless a newer one has come meanwhile."""
        if self._waiting is None:
            self.offer(text)

    def beat(self) -> None:
        """Show that the connection lives; give a page up that took nothing for too long."""
        if self._waiting is None:
            self._untaken = 0
            self.offer(HEARTBEAT)
            return
        self._untaken += 1
        if self._untaken >= STALLED_BEATS and self._abort is not None:
            self._abort()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._wake.set()

    async def next(self) -> bytes | None:
        """The latest message, as soon as there is one; None at the end."""
        await self._wake.wait()
        if self._ended:
            return None
        self._wake.clear()
        text, self._waiting = self._waiting, None
        return text


class FanOut:
    """Sends each new reading to all readers, one message of a screen for all who look at it.

    Lives on the server's event loop, ``publish`` included.
    """

    def __init__(
        self, answer: Answering, *, every: float = EVERY_SECONDS, most: int = MOST_READERS
    ) -> None:
        self._answer = answer
        self._every = every
        self._most = most
        self._readers: set[Reader] = set()
        self._news = asyncio.Event()

    @property
    def readers(self) -> int:
        """Open pages."""
        return len(self._readers)

    def publish(self) -> None:
        """Say that there is a new reading."""
        self._news.set()

    async def join(
        self,
        screen: Screen,
        *,
        last: str | None = None,
        abort: Callable[[], None] | None = None,
    ) -> Reader:
        """Begin to read. What is known comes at once, unless ``last`` says that it was sent.

        Raises ``TooManyReaders``.
        """
        if len(self._readers) >= self._most:
            raise TooManyReaders(
                f"{self._most} pages are open, more than that are not served; close one"
            )
        reader = Reader(screen, abort=abort)
        self._readers.add(reader)
        try:
            answer = await self._answer(screen)
        except BaseException:
            self._readers.discard(reader)
            raise
        if answer.number != last:
            reader.greet(message(answer))
        return reader

    def leave(self, reader: Reader) -> None:
        """The page was closed."""
        self._readers.discard(reader)

    def close(self) -> None:
        """End all streams, which have no end of their own."""
        for reader in self._readers:
            reader.end()

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            for reader in self._readers:
                reader.beat()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._send()
            await asyncio.sleep(self._every)

    async def _send(self) -> None:
        by_screen: dict[Screen, list[Reader]] = defaultdict(list)
        for reader in self._readers:
            by_screen[reader.screen].append(reader)
        for screen, readers in by_screen.items():
            try:
                text = message(await self._answer(screen))
            except Exception:
                # A screen that can't be built must not end those that can.
                logger.exception("the screen %s can't be built", screen.name)
                continue
            for reader in readers:
                reader.offer(text)


def message(answer: Answer) -> bytes:
    """An event with its number, which a browser says again when it comes back.

    JSON holds no line break, so the data is one line.
    """
    return b"id: " + answer.number.encode() + b"\ndata: " + answer.body + b"\n\n"
