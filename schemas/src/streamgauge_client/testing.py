"""For tests of code that publishes: events are recorded instead of sent.

>>> from streamgauge_client import PredictionEvent, Publisher
>>> publisher = Publisher(model="fraud", version="1")
>>> with capture() as events:
...     id = publisher.log(features={"amount": 12.5}, output={False: 0.1, True: 0.9})
>>> events.of(PredictionEvent)[0].output.label
'true'
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from streamgauge_client.codec import DecodeError, Headers, decode
from streamgauge_client.events import Event
from streamgauge_client.recording import recorders

E = TypeVar("E", bound=Event)


class Captured(list[Event]):
    """The events of a capture, in the order in which they were published.

    ``invalid`` holds, for each event that breaks the contract, what is wrong with it: the
    monitor would have sent it to the dead letters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.invalid: list[str] = []

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type."""
        return [event for event in self if isinstance(event, kind)]

    def record(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        try:
            self.append(decode(topic, headers, value))
        except DecodeError as error:
            self.invalid.append(str(error))


@contextmanager
def capture() -> Iterator[Captured]:
    """Record what all publishers of this process publish, instead of sending it.

    Neither Kafka nor confluent-kafka is touched, and ``STREAMGAUGE_DISABLED`` is not heeded.
    """
    captured = Captured()
    recorders.append(captured)
    try:
        yield captured
    finally:
        # By identity: two captures without events are equal lists.
        recorders[:] = [recorder for recorder in recorders if recorder is not captured]
