"""The processes that publish for a model: what they lost on the way, and how they fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from streamgauge.state.views import ClientView

#: Producers (of one topic each) whose numbers are followed; who is silent for longest goes first.
MOST_PRODUCERS = 200
#: Heartbeats of which the time is known, while a chunk of the log is taken.
MOST_HEARD = 10_000
#: Processes whose telemetry is kept, and seconds of silence after which one is gone.
MOST_PROCESSES = 100
GONE_SECONDS = 600.0
#: Of a producer's name and of its numbers.
MOST_NAME, MOST_DIGITS = 48, 15
#: What may be missing at most: sums of what a producer makes up must fit into the state.
MOST_LOST = 2**53
#: Digits of a producer's name that stand in its process' name.
SHORT_NAME = 8
#: From so many numbers on they are read side by side.
MANY = 64
_ZERO = np.uint8(ord("0"))


class Clients:
    """Counts what producers numbered and the log does not have; keeps their newest telemetry.

    A producer numbers its records from 0. It may number in one thread and send in another, so what
    is missing is the numbers up to the greatest one less the records that came: a gap that closes
    later was none.
    """

    def __init__(self) -> None:
        #: Of producers that made room for others.
        self._past = 0
        #: Per topic and producer: smallest number, greatest number, records that came.
        self._producers: dict[str, dict[str, list[int]]] = {}
        #: Per (service, instance): record time, measurements.
        self._processes: dict[tuple[str, str], tuple[float, dict[str, float]]] = {}
        #: Log's times of the newest heartbeats, rising; the last one is kept in the state.
        self._heard: list[float] = []

    @property
    def lost(self) -> int:
        """Events that producers numbered and that never came."""
        known = [each for of_topic in self._producers.values() for each in of_topic.values()]
        return min(self._past + sum(map(_missing, known)), MOST_LOST)

    def number(self, topic: str, sequences: Sequence[bytes]) -> None:
        """Take the numbers of records of one topic, in log order. What is no number is left out."""
        read = _of_one(sequences) or _by_producer(sequences)
        # Topic by topic: how topics lie in each other depends on the moment of reading.
        known = self._producers.setdefault(topic, {})
        fresh = sum(_name(producer) not in known for producer in read)
        if len(known) + fresh > MOST_PRODUCERS and len(sequences) > 1:
            # Who makes room for whom depends on each record, so they are taken one by one.
            for sequence in sequences:
                self.number(topic, [sequence])
            return
        for producer, numbers in read.items():
            self._take(known, _name(producer), numbers)

    def _take(self, known: dict[str, list[int]], producer: str, numbers: list[int]) -> None:
        found = known.pop(producer, None)
        if found is None:
            found = [numbers[0], numbers[0] - 1, 0]
            while len(known) >= MOST_PRODUCERS:
                missing = _missing(known.pop(next(iter(known))))
                self._past = min(self._past + missing, MOST_LOST)
        known[producer] = found
        found[0] = min(found[0], min(numbers))
        found[1] = max(found[1], max(numbers))
        found[2] += len(numbers)

    def heartbeat(
        self,
        *,
        service: str,
        instance: str,
        at: float,
        log_time: float,
        measurements: Mapping[str, float],
        topic: str,
        sequence: int | None,
    ) -> None:
        """Take a process' telemetry; ``at`` is the record's time, ``log_time`` the log's (seconds).

        Its ``sequence`` is the last number that it used, so that a loss at the end shows too.
        """
        self._heard.append(log_time)
        if len(self._heard) > 2 * MOST_HEARD:
            del self._heard[:-MOST_HEARD]
        key = (service, instance)
        self._processes.pop(key, None)
        self._processes[key] = (at, dict(measurements))
        gone = [k for k, (seen, _) in self._processes.items() if seen < at - GONE_SECONDS]
        surplus = list(self._processes)[: max(len(self._processes) - MOST_PROCESSES, 0)]
        for stale in {*gone, *surplus}:
            del self._processes[stale]
        named = instance.rpartition("-")[2][:SHORT_NAME]
        if sequence is None or len(named) < SHORT_NAME:
            return
        for producer, numbers in self._producers.get(topic, {}).items():
            if producer.startswith(named):
                numbers[1] = max(numbers[1], min(sequence, 10**MOST_DIGITS))

    def heard(self, until: float) -> float | None:
        """The log's time at the last heartbeat that came ``until`` then; None where none did."""
        return next((each for each in reversed(self._heard) if each <= until), None)

    def views(self) -> list[ClientView]:
        """The processes that reported lately, for people."""
        return [
            ClientView(service=service, instance=instance, last_seen=at, measurements=measured)
            for (service, instance), (at, measured) in sorted(self._processes.items())
        ]

    def state(self) -> list[Any]:
        return [
            self._past,
            {
                topic: [[producer, *each] for producer, each in self._producers[topic].items()]
                for topic in sorted(self._producers)
            },
            [[*key, at, measured] for key, (at, measured) in self._processes.items()],
            self._heard[-1:],
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._past, producers, processes, made._heard = state
        made._producers = {
            topic: {producer: numbers for producer, *numbers in each}
            for topic, each in producers.items()
        }
        made._processes = {(s, i): (at, dict(m)) for s, i, at, m in processes}
        return made


def _name(producer: bytes) -> str:
    return producer.decode("ascii", errors="replace")


def _by_producer(sequences: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Numbers by producer, who spoke last at the end."""
    read: dict[bytes, list[int]] = {}
    for sequence in sequences:
        producer, _, digits = sequence.rpartition(b"-")
        if digits.isdigit() and len(digits) <= MOST_DIGITS and 0 < len(producer) <= MOST_NAME:
            # Taken out and put back.
            numbers = read.pop(producer, None)
            if numbers is None:
                numbers = []
            numbers.append(int(digits))
            read[producer] = numbers
    return read


def _of_one(sequences: Sequence[bytes]) -> dict[bytes, list[int]] | None:
    """The same where all of them are one producer's, as nearly always; None where not."""
    producer = sequences[0].rpartition(b"-")[0] if sequences else b""
    head = producer + b"-"
    if not 0 < len(producer) <= MOST_NAME or not all(s.startswith(head) for s in sequences):
        return None
    if len(sequences) >= MANY and (many := _of_one_length(sequences, len(head))) is not None:
        return {producer: many}
    digits = [sequence[len(head) :] for sequence in sequences]
    lengths = set(map(len, digits))
    plain = min(lengths) > 0 and max(lengths) <= MOST_DIGITS and b"".join(digits).isdigit()
    return {producer: list(map(int, digits))} if plain else None


def _of_one_length(sequences: Sequence[bytes], start: int) -> list[int] | None:
    """Numbers from ``start`` on of texts that are as long as each other; None where some differ."""
    if len(set(map(len, sequences))) > 1:
        return None
    table = np.frombuffer(b"".join(sequences), dtype=np.uint8).reshape(len(sequences), -1)
    # What is below the digit 0 comes out above 9.
    digits = table[:, start:] - _ZERO
    width = digits.shape[1]
    if not 0 < width <= MOST_DIGITS or digits.max() > 9:
        return None
    found: list[int] = (digits @ 10 ** np.arange(width - 1, -1, -1)).tolist()
    return found


def _missing(known: list[int]) -> int:
    first, last, received = known
    return max(last - first + 1 - received, 0)
