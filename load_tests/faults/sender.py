"""The thread that sends a log at its pace."""

from __future__ import annotations

import threading
import time

from confluent_kafka import Message, Producer

from load_tests.faults.traffic import Item


class Sender(threading.Thread):
    """Sends a log at a steady pace, or all the rest at once after ``hurry``."""

    def __init__(self, servers: str, topic: str, items: list[Item], seconds: float) -> None:
        super().__init__(name="sender", daemon=True)
        self._topic, self._items = topic, items
        self._rate = len(items) / seconds if seconds else 0.0
        self._hurry, self._gone = threading.Event(), threading.Event()
        self.sent = self.delivered = self.failed = 0
        #: The longest time in which nothing was sent. Near a second, idle time may pass meanwhile.
        self.longest_pause = 0.0
        if not seconds:
            self._hurry.set()
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 1_000,
                # Else it would hear of new partitions after five minutes.
                "topic.metadata.refresh.interval.ms": 5_000,
                "message.max.bytes": 1_000_000,
                "log_level": 0,
            }
        )

    @property
    def total(self) -> int:
        return len(self._items)

    @property
    def poison(self) -> int:
        """How many of the records are poison."""
        return sum(item.poison for item in self._items)

    def hurry(self) -> None:
        self._hurry.set()

    def cancel(self) -> None:
        """Send nothing more."""
        self._gone.set()
        self._hurry.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        started = last = time.monotonic()
        for item in self._items:
            if self._gone.is_set():
                return
            self._send(item)
            self.sent += 1
            if self.sent % 20 == 0:
                now = time.monotonic()
                self.longest_pause, last = max(self.longest_pause, now - last), now
                self._producer.poll(0)
                if self._rate:
                    self._hurry.wait(max(0.0, started + self.sent / self._rate - now))
        self._producer.flush(60)

    def _send(self, item: Item) -> None:
        while not self._gone.is_set():
            try:
                self._producer.produce(
                    self._topic, key=item.key, value=item.value, on_delivery=self._told
                )
                return
            except BufferError:
                self._producer.poll(0.1)

    def _told(self, error: object, _: Message) -> None:
        if error is None:
            self.delivered += 1
        else:
            self.failed += 1
