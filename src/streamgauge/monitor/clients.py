"""The processes that publish for a model: what they lost on the way, and how they fare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from streamgauge.state.views import ClientView

#: Producers (of one topic each) whose numbers are followed; who is silent for longest goes first.
MOST_PRODUCERS = 200
#: Processes whose telemetry is kept, and seconds of silence after which one is gone.
MOST_PROCESSES = 100
GONE_SECONDS = 600.0
#: Of a producer's name and of its numbers.
MOST_NAME, MOST_DIGITS = 32, 18


class Clients:
    """Counts what producers numbered and the log does not have; keeps their newest telemetry.

    A producer numbers its records from 0. It may number in one thread and send in another, so what
    is missing is the numbers up to the greatest one less the records that came: a gap that closes
    later was none.
    """

    def __init__(self) -> None:
        #: Of producers that made room for others.
        self._past = 0
        #: Per (producer, topic): smallest number, greatest number, records that came.
        self._producers: dict[tuple[str, str], list[int]] = {}
        #: Per (service, instance): record time, measurements.
        self._processes: dict[tuple[str, str], tuple[float, dict[str, float]]] = {}
        self.last_heartbeat: float | None = None

    @property
    def lost(self) -> int:
        """Events that producers numbered and that never came."""
        return self._past + sum(_missing(each) for each in self._producers.values())

    def number(self, topic: str, sequences: Sequence[bytes]) -> None:
        """Take the numbers of records of one topic, in log order. What is no number is left out."""
        read: dict[bytes, list[int]] = {}
        for sequence in sequences:
            producer, _, digits = sequence.rpartition(b"-")
            if digits.isdigit() and len(digits) <= MOST_DIGITS and 0 < len(producer) <= MOST_NAME:
                # Taken out and put back: who spoke last stands last.
                numbers = read.pop(producer, None)
                if numbers is None:
                    numbers = []
                numbers.append(int(digits))
                read[producer] = numbers
        fresh = sum((_name(producer), topic) not in self._producers for producer in read)
        if len(self._producers) + fresh > MOST_PRODUCERS and len(sequences) > 1:
            # Who makes room for whom depends on each record, so they are taken one by one.
            for sequence in sequences:
                self.number(topic, [sequence])
            return
        for producer, numbers in read.items():
            self._take((_name(producer), topic), numbers)

    def _take(self, key: tuple[str, str], numbers: list[int]) -> None:
        found = self._producers.pop(key, None)
        if found is None:
            found = [numbers[0], numbers[0] - 1, 0]
            self._make_room()
        self._producers[key] = found
        found[0] = min(found[0], *numbers)
        found[1] = max(found[1], *numbers)
        found[2] += len(numbers)

    def heartbeat(
        self,
        *,
        service: str,
        instance: str,
        at: float,
        measurements: Mapping[str, float],
        topic: str,
        sequence: int | None,
    ) -> None:
        """Take a process' telemetry; ``at`` is the record's time in seconds.

        Its ``sequence`` is the last number that it used, so that a loss at the end shows too.
        """
        self.last_heartbeat = max(self.last_heartbeat or at, at)
        key = (service, instance)
        self._processes.pop(key, None)
        self._processes[key] = (at, dict(measurements))
        gone = [k for k, (seen, _) in self._processes.items() if seen < at - GONE_SECONDS]
        surplus = list(self._processes)[: max(len(self._processes) - MOST_PROCESSES, 0)]
        for stale in {*gone, *surplus}:
            del self._processes[stale]
        producer = (instance.rpartition("-")[2], topic)
        if sequence is not None and producer in self._producers:
            known = self._producers[producer]
            known[1] = max(known[1], sequence)

    def views(self) -> list[ClientView]:
        """The processes that reported lately, for people."""
        return [
            ClientView(service=service, instance=instance, last_seen=at, measurements=measured)
            for (service, instance), (at, measured) in sorted(self._processes.items())
        ]

    def _make_room(self) -> None:
        while len(self._producers) >= MOST_PRODUCERS:
            oldest = next(iter(self._producers))
            self._past += _missing(self._producers.pop(oldest))

    def state(self) -> list[Any]:
        return [
            self._past,
            [[*key, *each] for key, each in self._producers.items()],
            [[*key, at, measured] for key, (at, measured) in self._processes.items()],
            self.last_heartbeat,
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        made = cls()
        made._past, producers, processes, made.last_heartbeat = state
        made._producers = {(p, topic): list(each) for p, topic, *each in producers}
        made._processes = {(s, i): (at, dict(m)) for s, i, at, m in processes}
        return made


def _name(producer: bytes) -> str:
    return producer.decode("ascii", errors="replace")


def _missing(known: list[int]) -> int:
    first, last, received = known
    return max(last - first + 1 - received, 0)
