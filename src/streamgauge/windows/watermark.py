"""How far a model's event time has come, told record by record over a whole batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Progress(NamedTuple):
    """What ``Watermark.observe`` found, one entry an event.

    ``before`` is the watermark that each event met; ``ticks`` the last pane index that was closed
    by then; ``late`` tells which events belong to a pane already closed.
    """

    before: Floats
    ticks: NDArray[np.int64]
    late: NDArray[np.bool_]


#: The tick before any event.
_NEVER = -(2**62)
#: Up to so many events a loop costs less than numpy's calls.
FEW = 16


@dataclass(slots=True)
class Watermark:
    """The watermark of one model on one partition.

    It follows the newest event and, while the model is silent, the log:
    ``max(previous, event_max + max(0, log_time − record_timestamp(event_max)))``. Lateness is
    judged against the running value *before* each record, so that it does not matter how the log
    was cut into chunks.

    Parameters
    ----------
    pane
        Length of a pane in seconds.
    grace
        How long a pane stays open behind the watermark, in seconds.

    Examples
    --------
    >>> import numpy as np
    >>> w = Watermark(pane=10.0, grace=0.0)
    >>> p = w.observe(np.array([1.0, 12.0, 3.0]), np.array([1.0, 12.0, 13.0]),
    ...               np.array([1.0, 1.0, 12.0]))
    >>> p.late.tolist(), p.before.tolist()
    ([False, False, True], [-inf, 1.0, 12.0])
    """

    pane: float
    grace: float
    value: float = -math.inf
    event_max: float = -math.inf
    recorded_at: float = -math.inf
    #: What may be written down: a lower bound that does not depend on how the log was cut.
    settled: float = -math.inf

    def observe(self, timestamps: Floats, recorded: Floats, log_before: Floats) -> Progress:
        """Take a batch in log order.

        ``timestamps`` are event times, ``recorded`` the records' own timestamps, ``log_before``
        the running maximum of the log before each record; all in seconds, shape (n,). A record
        without a timestamp has NaN.
        """
        n = len(timestamps)
        if n <= FEW:
            return self._observe_few(timestamps, recorded, log_before)
        newest = np.maximum.accumulate(np.concatenate(([self.event_max], timestamps)))
        # Who set the running maximum: -1 is the event carried over from earlier batches.
        setter = np.maximum.accumulate(
            np.concatenate(([-1], np.where(timestamps > newest[:-1], np.arange(n), -1)))
        )
        recorded_at = np.where(setter < 0, self.recorded_at, recorded[setter])
        # A record without a time (NaN) and a log that has none yet let nothing elapse.
        with np.errstate(invalid="ignore"):
            elapsed = log_before - recorded_at[:-1]
        candidates = newest[:-1] + np.where(np.isfinite(elapsed), np.maximum(0.0, elapsed), 0.0)
        before = np.maximum.accumulate(np.concatenate(([self.value], candidates)))[1:]
        self.event_max = float(newest[-1])
        self.recorded_at = float(recorded_at[-1])
        self.value = max(float(before[-1]), self.event_max)
        self.settled = max(self.settled, self.value)
        ticks = self._ticks(before)
        return Progress(before, ticks, np.floor(timestamps / self.pane) <= ticks)

    def _observe_few(self, timestamps: Floats, recorded: Floats, log_before: Floats) -> Progress:
        """The same one by one, in the same numbers: a test holds both to each other."""
        before: list[float] = []
        ticks: list[int] = []
        each = zip(timestamps.tolist(), recorded.tolist(), log_before.tolist(), strict=True)
        for timestamp, recorded_at, log_time in each:
            elapsed = log_time - self.recorded_at
            passed = max(0.0, elapsed) if math.isfinite(elapsed) else 0.0
            self.value = max(self.value, self.event_max + passed)
            before.append(self.value)
            ticks.append(self.tick)
            if timestamp > self.event_max:
                self.event_max, self.recorded_at = timestamp, recorded_at
        if before:
            self.value = max(self.value, self.event_max)
            self.settled = max(self.settled, self.value)
        closed = np.array(ticks, dtype=np.int64)
        late = np.floor(timestamps / self.pane) <= closed
        return Progress(np.array(before, dtype=np.float64), closed, late)

    def advance(self, log_time: float) -> None:
        """Let the log run on to ``log_time`` without an event of this model."""
        if math.isfinite(self.event_max):
            elapsed = max(0.0, log_time - self.recorded_at)
            self.value = max(self.value, self.event_max + elapsed)

    def settle(self, pane: int) -> None:
        """Note that ``pane`` is closed: whatever is restored later must not open it again."""
        self.settled = max(self.settled, (pane + 1) * self.pane + self.grace)

    @property
    def tick(self) -> int:
        """Index of the last pane that is closed by now."""
        # The same as ``_ticks``, without numpy's price for one value.
        closed = (self.value - self.grace) / self.pane
        return math.floor(closed) - 1 if math.isfinite(closed) else _NEVER

    def _ticks(self, watermarks: Floats) -> NDArray[np.int64]:
        closed = np.floor((watermarks - self.grace) / self.pane) - 1
        return np.where(np.isfinite(closed), closed, float(_NEVER)).astype(np.int64)
