"""Time passes: predictions that have their labels, or waited for them, are released and settled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.admission import Admission
from streamgauge.labels.block import IMPLIED, LABELLED, MISSING, WITHDRAWN
from streamgauge.labels.counts import JoinCounts, by_delay
from streamgauge.labels.early import EarlyLabels
from streamgauge.labels.names import Names
from streamgauge.labels.released import Amendment, Joined, JoinRule, Released, merged
from streamgauge.labels.table import PendingTable
from streamgauge.labels.truth import Extras

#: Classes, and annotators, that are told apart.
MOST_CLASSES = 100
MOST_ANNOTATORS = 1000


class Releasing:
    """What waits, and when it has waited long enough."""

    def __init__(self, rule: JoinRule) -> None:
        self.rule = rule
        self.table = PendingTable()
        self.admission = Admission(rule.cap)
        self.early = EarlyLabels()
        self.counts = JoinCounts()
        #: Classes that models said and that labels said. Two tables: in one the order of their
        #: names would tell how the log was cut.
        self.said = Names[str](most=MOST_CLASSES)
        self.truths = Names[str](most=MOST_CLASSES)
        self._annotators = Names[str](most=MOST_ANNOTATORS)
        self.extras: dict[int, Extras] = {}
        #: Rows below it are released; those below ``_told`` have been handed out as well.
        self.released = 0
        self._told = 0
        #: Rows below it had settled when the newest prediction came.
        self._gone = 0
        self._out: list[Released | Amendment] = []
        #: First truths of the present chunk, for who learns from them; None where nobody does.
        self.joined: list[Joined] | None = None
        self._record = 0
        #: The log's time after each record of the present chunk, for who asks for ``joined``.
        self.log_times: NDArray[np.float64] = np.zeros(0)
        #: Rows of the present chunk: the number of the first, and the records of all.
        self._chunk_first = 0
        self._chunk: list[NDArray[np.int64]] = []
        #: Ids that came again in this chunk after they had settled: records, and rows before and
        #: since, by digest.
        self._again: dict[int, list[tuple[int, int, int]]] = {}
        #: Rows that came by the record that is looked at; later ones are not there yet.
        self._limit = 0
        #: Nothing is due before this log time.
        self._wake = math.inf

    def run_to(self, log_time: float) -> None:
        """Let the log's time pass: what has waited long enough is released, then settled."""
        if log_time < self._wake:
            return
        table, horizon = self.table, self.rule.horizon
        self._release(log_time)
        if table.first < table.end and table.logged(table.first) + horizon <= log_time:
            self._settle(self.table.until(table.first, log_time, horizon))
        self.early.expire(log_time, horizon)
        self._set_wake()

    def due(self, log_time: float) -> bool:
        """Whether ``run_to`` may change anything."""
        return log_time >= self._wake

    def _set_wake(self) -> None:
        table = self.table
        wakes = [self.early.first_at + self.rule.horizon]
        if self.released < table.end:
            wakes.append(table.logged(self.released) + self.rule.patience)
        if table.first < table.end:
            wakes.append(table.logged(table.first) + self.rule.horizon)
        self._wake = min(wakes)

    def _release(self, log_time: float) -> None:
        """Release what has its labels, or has waited long enough for them."""
        self._advance()
        waiting = self.released < self.table.end
        if waiting and self.table.logged(self.released) + self.rule.patience <= log_time:
            self._due(log_time)

    def _due(self, log_time: float) -> None:
        stop = self.table.until(self.released, log_time, self.rule.patience)
        if self.rule.implied_after is not None:
            # By the rule's patience: where the horizon is shorter, that is when it is implied.
            for number in range(self.released, stop):
                block, place = self.table.at(number)
                if block.rows.state[place] == MISSING:
                    block.rows.state[place] = IMPLIED
                    block.labelled = True
                    self.counts.implied += 1
                    if self.joined is not None:
                        due = float(block.rows.logged[place]) + self.rule.patience
                        self.joined.append(Joined(self._record_at(due), 1, number, None, due))
        self.released = stop
        self._advance()

    def _record_at(self, log_time: float) -> int:
        """The record of the present chunk by which the log's time had come so far."""
        return int(np.searchsorted(self.log_times, log_time))

    def _advance(self) -> None:
        """Release rows as long as they have their labels."""
        while self.released < self._limit:
            block, place = self.table.at(self.released)
            states = block.rows.state
            if states[place] == MISSING:
                return
            stop = min(block.n, place + self._limit - self.released)
            open_ = np.flatnonzero(states[place:stop] == MISSING)
            self.released += int(open_[0]) if len(open_) else stop - place

    def _settle(self, stop: int) -> None:
        if self._told < stop:
            self._tell()
        for _, rows, _ in self.table.parts(self.table.first, stop):
            came = (rows.state == LABELLED) | (rows.state == WITHDRAWN)
            self.counts.settled += len(rows)
            self.counts.settled_labelled += int(came.sum())
            self.counts.expired += int((~came).sum())
            self.counts.delays += by_delay(rows.delay[came])
            self.counts.censored += by_delay(np.full(int((~came).sum()), self.rule.horizon))
        if self.extras:
            self.extras = {number: each for number, each in self.extras.items() if number >= stop}
        self.table.drop(stop)
        self._gone = max(self._gone, stop)

    def take(self) -> list[Released | Amendment]:
        """End a chunk: what was released and amended since the last call, in its order."""
        self._limit = self.table.end
        self._advance()
        self._tell()
        self._chunk, self._again = [], {}
        self.admission.next_chunk()
        out, self._out = self._out, []
        return merged(out)

    def _tell(self) -> None:
        """Copy what is released as it is now, before anything changes it."""
        for first, rows, scores in self.table.parts(self._told, self.released):
            self._out.append(Released(first, rows, scores, self._extras(first, len(rows))))
        self._told = self.released

    def _single(self, number: int) -> Released:
        (first, rows, scores), *_ = self.table.parts(number, number + 1)
        return Released(first, rows, scores, self._extras(first, 1))

    def _extras(self, first: int, n: int) -> dict[int, Extras]:
        if not self.extras:
            return {}
        if n == 1:
            return {first: self.extras[first]} if first in self.extras else {}
        numbers = (
            self.extras.keys() & range(first, first + n)
            if n < len(self.extras)
            else [each for each in self.extras if first <= each < first + n]
        )
        return {number: self.extras[number] for number in sorted(numbers)}
