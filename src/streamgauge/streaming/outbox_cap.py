"""How much an outbox may hold: where Kafka takes nothing for long, the oldest alarms stay.

They say what went wrong first. What comes on top is dropped, counted and said, because an outbox
without a bound would fill Redis, and then nothing could be made durable at all.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.outbox import entry
from streamgauge.streaming.pipeline_alarms import outbox_full
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)


class OutboxCap:
    """Decides which entries a checkpoint may add to those that wait."""

    def __init__(self, partition: int, config: WorkerConfig, telemetry: WorkerTelemetry) -> None:
        self._partition = partition
        self._config = config
        self._telemetry = telemetry
        self._full = False

    def admitted(self, entries: Mapping[str, bytes], waiting: int) -> dict[str, bytes]:
        """The entries that there is room for, first come first served, beside those that wait.

        The first that finds none is replaced by an alarm that says so, the one on top of the cap.
        """
        room = self._config.max_outbox_entries - waiting
        taken: dict[str, bytes] = {}
        dropped = 0
        for key, payload in entries.items():
            if room > 0:
                room -= 1
                taken[key] = payload
            else:
                if not self._full:
                    self._full = True
                    taken.update([self._said(key)])
                dropped += 1
        if dropped:
            self._telemetry.outbox_dropped += dropped
            logger.critical(
                "outbox of partition %d is full: %d alarms and model events dropped, the %d oldest"
                " wait. Kafka takes none of them; look at its disk and its rights",
                self._partition,
                dropped,
                self._config.max_outbox_entries,
            )
        elif room > 0:
            self._full = False
        return taken

    def _said(self, first: str) -> tuple[str, bytes]:
        config = self._config
        alarm = outbox_full(config.group, self._partition, first, config.max_outbox_entries)
        return entry(alarm, topic=config.alarms, service=config.service)
