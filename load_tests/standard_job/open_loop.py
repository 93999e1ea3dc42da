"""A sender that sends each event when it is due, however the last ones fared."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from confluent_kafka import Producer

from load_tests.standard_job.backlog import Sent


class OpenLoop(threading.Thread):
    """Sends records at their own times until the last, or until ``done``."""

    def __init__(
        self, servers: str, topic: str, records: Sequence[Sent], done: threading.Event
    ) -> None:
        super().__init__(name="open-loop", daemon=True)
        self._topic, self._records, self._done = topic, records, done
        self._producer = Producer(
            {"bootstrap.servers": servers, "partitioner": "murmur2_random", "linger.ms": 5}
        )
        #: Seconds by which it was behind its plan at worst.
        self.latest = 0.0
        #: What ended it before its time.
        self.failed = ""

    def run(self) -> None:
        try:
            for sent in self._records:
                early = sent.at - time.time()
                if early > 0:
                    if self._done.wait(early):
                        break
                else:
                    self.latest = max(self.latest, -early)
                self._send(sent)
            self._producer.flush(10)
        except Exception as error:
            self.failed = repr(error)

    def _send(self, sent: Sent) -> None:
        # The record carries its event's time: held up for a second on a busy machine, the broker's
        # clock would say that the next second's events are late.
        self._producer.produce(
            self._topic, key=sent.key, value=sent.value, timestamp=round(sent.at * 1_000)
        )
        self._producer.poll(0)
