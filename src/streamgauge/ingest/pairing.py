"""Halves of calls, held until the other half comes: bounded in number, bytes and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from streamgauge.ingest.kserve import Half

Key = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A whole call."""

    request: Half
    response: Half


class Pairing:
    """Joins halves by what they share. Driven by one thread; reads no clock.

    Parameters
    ----------
    seconds
        How long a half waits. A pair that was joined is remembered as long, so that a half that
        is sent again makes no second prediction.
    max_halves, max_bytes
        The most that is held; above, the oldest half goes.
    count
        Told what becomes of halves: ``joined``, ``lone_request``, ``lone_response``,
        ``evicted_request``, ``evicted_response`` or ``repeated``.
    """

    def __init__(
        self,
        *,
        seconds: float,
        max_halves: int,
        max_bytes: int,
        count: Callable[[str], None],
    ) -> None:
        self._seconds = seconds
        self._max_halves = max_halves
        self._max_bytes = max_bytes
        self._count = count
        self._held: OrderedDict[Key, tuple[float, Half]] = OrderedDict()
        self._done: OrderedDict[Key, float] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes_held(self) -> int:
        return self._bytes

    def put(self, half: Half, *, now: float) -> Pair | None:
        """Take a half; the answer is the pair that it completes."""
        if half.key in self._done:
            self._count("repeated")
            return None
        held = self._held.get(half.key)
        if held is not None and held[1].is_response != half.is_response:
            self._take_out(half.key)
            self._remember(half.key, now)
            self._count("joined")
            other = held[1]
            return Pair(other, half) if half.is_response else Pair(half, other)
        if held is not None:
            self._take_out(half.key)
            self._count("repeated")
        self._held[half.key] = (now, half)
        self._bytes += half.size
        while len(self._held) > self._max_halves or self._bytes > self._max_bytes:
            _, oldest = self._take_out(next(iter(self._held)))
            self._count("evicted_response" if oldest.is_response else "evicted_request")
        return None

    def put_back(self, pair: Pair, *, missing: Half, now: float) -> None:
        """Hold the other half again, because ``missing`` is going to be sent once more."""
        other = pair.request if missing is pair.response else pair.response
        self._done.pop(other.key, None)
        self._held[other.key] = (now, other)
        self._bytes += other.size

    def expired(self, *, now: float) -> list[Half]:
        """Responses that waited long enough for a request; requests are only counted."""
        alone: list[Half] = []
        while self._held:
            key, (since, half) = next(iter(self._held.items()))
            if since + self._seconds > now:
                break
            self._take_out(key)
            self._remember(key, now)
            self._count("lone_response" if half.is_response else "lone_request")
            if half.is_response:
                alone.append(half)
        while self._done and next(iter(self._done.values())) + self._seconds <= now:
            self._done.popitem(last=False)
        return alone

    def _take_out(self, key: Key) -> tuple[float, Half]:
        held = self._held.pop(key)
        self._bytes -= held[1].size
        return held

    def _remember(self, key: Key, now: float) -> None:
        self._done[key] = now
        while len(self._done) > self._max_halves:
            self._done.popitem(last=False)
