"""The books of a partition number: where it stands, and what became of every record."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from streamgauge.processing import Effects, LogRecord
from streamgauge.streaming.config import WorkerConfig
from streamgauge.streaming.dead_samples import keep_samples
from streamgauge.streaming.meta import LastRecord, Meta
from streamgauge.streaming.telemetry import PartitionTelemetry
from streamgauge_client.topics import PREDICTIONS

logger = logging.getLogger(__name__)


class Ledger:
    """Positions by full topic name, and counts. Written to ``meta`` and the view."""

    def __init__(self, offsets: Mapping[str, int], meta: Meta, config: WorkerConfig) -> None:
        """``offsets`` go by names without prefix, as they are stored."""
        self._config = config
        self._short = {config.full(name): name for name in config.names}
        self.positions = {config.full(name): offset for name, offset in offsets.items()}
        self.meta = meta
        self._last: dict[str, LogRecord] = {}
        times = [last.timestamp for last in meta.records.values() if last.timestamp is not None]
        self._newest = max(times, default=None)

    @property
    def offsets(self) -> dict[str, int]:
        """Positions as they are stored."""
        return {self._short[topic]: offset for topic, offset in self.positions.items()}

    def account(self, records: Sequence[LogRecord], effects: Effects) -> None:
        """Move behind the records; what their offsets skip are holes."""
        meta, predictions = self.meta, self._config.full(PREDICTIONS.name)
        topics = {record.topic for record in records}
        for topic in topics:
            own = records if len(topics) == 1 else [r for r in records if r.topic == topic]
            last = own[-1]
            meta.holes += last.offset + 1 - self.positions[topic] - len(own)
            self.positions[topic] = last.offset + 1
            self._last[topic] = last
            times = [r.timestamp for r in own if r.timestamp is not None]
            if not times:
                continue
            newest = max(times)
            self._newest = max(newest, self._newest or newest)
            if topic == predictions:
                meta.log_time = max(newest, meta.log_time or newest)
        for (kind, outcome), n in effects.counts.items():
            key = f"{kind}/{outcome}"
            meta.counts[key] = meta.counts.get(key, 0) + n
        for letter in effects.dead_letters:
            meta.dead[letter.reason] = meta.dead.get(letter.reason, 0) + 1
        if effects.dead_letters:
            keep_samples(meta.dead_samples, effects.dead_letters)

    def close(self, now: float) -> Meta:
        """Meta as it is to be written."""
        for topic, record in self._last.items():
            self.meta.records[self._short[topic]] = LastRecord.of(record)
        self._last.clear()
        self.meta.code_version = self._config.code_version
        self.meta.written_at = now
        return self.meta

    def name(self, topic: str) -> str:
        """A topic's name without prefix, as it is stored."""
        return self._short[topic]

    def kind(self, record: LogRecord) -> str:
        """The name of the event that a record's topic carries."""
        name = self._short[record.topic]
        return next(topic.event or name for topic in self._config.sources if topic.name == name)

    def report(self, partition: int, telemetry: PartitionTelemetry) -> None:
        """Show the books, and say aloud where they don't balance."""
        meta = self.meta
        telemetry.positions = dict(self.positions)
        telemetry.counts, telemetry.dead = dict(meta.counts), dict(meta.dead)
        telemetry.lost, telemetry.holes = meta.lost, meta.holes
        telemetry.log_time = meta.log_time
        telemetry.newest_timestamp = self._newest
        difference = meta.conservation_difference(self.offsets)
        if difference and difference != telemetry.conservation_difference:
            logger.error(
                "partition %d: %d records are not accounted for; this is a defect",
                partition,
                difference,
            )
        telemetry.conservation_difference = difference
