"""What a processor raises: a record is blamed, or idle time, and the half done state is dropped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from streamgauge.processing import DeadLetter, Effects, LogRecord, PartitionProcessor
from streamgauge.streaming.idle_clock import IdleClock
from streamgauge.streaming.poison import Poison
from streamgauge.streaming.refusal import processor_failing
from streamgauge.streaming.telemetry import WorkerTelemetry

logger = logging.getLogger(__name__)


class Reload(Exception):
    """Memory is not to be trusted: drop it, and open the partition again."""


class Guard:
    """Drives the processor of one session. Raises ``Reload`` or ``Refused`` for a defect in it.

    ``poison`` and ``idle`` outlive the session, so that a replay goes another way.
    """

    def __init__(
        self,
        processor: PartitionProcessor,
        *,
        group: str,
        partition: int,
        poison: Poison,
        idle: IdleClock,
        telemetry: WorkerTelemetry,
    ) -> None:
        self._processor = processor
        self._group = group
        self._partition = partition
        self._poison = poison
        self._idle = idle
        self._telemetry = telemetry

    def careful(self, positions: Mapping[str, int]) -> bool:
        """Suspects lie ahead: one record a step."""
        return self._poison.careful(positions)

    def letters(self, records: Sequence[LogRecord]) -> dict[int, DeadLetter]:
        """Dead letters of records that are known to raise, by their index."""
        return self._poison.letters(records)

    def passed(self, positions: Mapping[str, int]) -> None:
        """Good records were taken up to these positions."""
        self._poison.passed(positions)

    def process(self, records: Sequence[LogRecord]) -> Effects:
        """Take records, none of them known to raise."""
        try:
            return self._processor.process(records)
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
            raise
        except BaseException as error:  # a Rust extension's panic is no Exception
            logger.exception(
                "partition %d: the processor raised over %d records", self._partition, len(records)
            )
            if not self._poison.found(records, error):
                raise processor_failing(
                    self._group, self._partition, self._poison.first, self._poison.in_a_row
                ) from error
            raise Reload(f"the processor raised {error!r}; its state is half done") from error

    def advance(self, log_time: float) -> Effects:
        """Let idle time pass. After a defect there, not again for a while: records still flow."""
        try:
            return self._processor.advance(log_time)
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            pause = self._idle.failed(time.monotonic())
            self._telemetry.tick_errors += 1
            logger.exception(
                "partition %d: the processor raised as idle time passed; this is a defect. Windows"
                " of silent models stay open, next try in %.0f s",
                self._partition,
                pause,
            )
            raise Reload(f"the processor raised {error!r}; its state is half done") from error
