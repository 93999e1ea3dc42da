"""Predictions come in: all of them or a sample, each once, and meet the labels that waited."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.admission import CLOSED
from streamgauge.labels.block import Rows
from streamgauge.labels.digest import Digests, sampled
from streamgauge.labels.index import ABSENT
from streamgauge.labels.joining import Joining

#: Makes rows, and class scores (n, classes) where the model gave some, of predictions that are let
#: in, by their places among those that came.
Describe = Callable[[NDArray[np.intp]], tuple[Rows, NDArray[np.float64] | None]]


class Admitting(Joining):
    """Lets predictions wait, as many as there is room for."""

    def spacious(self, coming: int) -> bool:
        """Whether so many predictions can be admitted as they are, whatever they are."""
        return self.admission.spacious(self.table.end - self._gone, coming)

    def admit(
        self,
        digests: Digests,
        logged: NDArray[np.float64],
        records: NDArray[np.int64],
        describe: Describe,
    ) -> None:
        """Take predictions in log order, without labels.

        Parameters
        ----------
        digests, logged
            Of their ids, and the log's times when they came; shape (n,).
        records
            Their records' indices in the chunk, shape (n,).
        describe
            Makes rows of those that are let in. The weight in them is the producer's.
        """
        self.counts.predictions += len(digests)
        if self.spacious(len(digests)):
            self.admission.seen += len(digests)
            self._append(*describe(np.arange(len(digests))), records)
            return
        for kept, weights in self._kept(digests, logged, records):
            rows, scores = describe(kept)
            rows.weight *= weights
            self._append(rows, scores, records[kept])

    def _kept(
        self, digests: Digests, logged: NDArray[np.float64], records: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
        """Which predictions a sample keeps, and for how many each stands.

        As many at once as it can be: the level is looked at again and again, but what a step let in
        need not be in the table for that, as long as it is known that it will be.
        """
        admission, n, start = self.admission, len(digests), 0
        waiting: list[int] = []
        weights: list[float] = []
        mask, level, distinct = sampled(digests, 0), 0, False
        while start < n:
            if level != admission.level or not start:
                level = admission.level
                mask = sampled(digests, level)
                distinct = self._are_new(digests[mask])
            stop = min(start + admission.until_step, n)
            whole = stop - start == admission.until_step
            kept = (np.flatnonzero(mask[start:stop]) + start).tolist()
            waiting += kept
            weights += [2.0 ** min(level, CLOSED)] * len(kept)
            admission.seen += stop - start
            if waiting and not distinct:
                yield np.array(waiting), np.array(weights)
                waiting, weights = [], []
            if whole:
                at = float(logged[stop - 1])
                self._gone = self.table.until(self._gone, at, self.rule.horizon)
                if waiting and self._gone == self.table.end:
                    # What comes next may be gone by now as well.
                    yield np.array(waiting), np.array(weights)
                    waiting, weights = [], []
                    self._gone = self.table.until(self._gone, at, self.rule.horizon)
                there = self.table.end + len(waiting)
                admission.look(there - self._gone, int(records[stop - 1]))
            start = stop
        if waiting:
            yield np.array(waiting), np.array(weights)

    def _are_new(self, digests: Digests) -> bool:
        """Whether none of them waits already, nor comes twice."""
        listed = digests.tolist()
        return len(set(listed)) == len(listed) and bool((self.table.find(digests) == ABSENT).all())

    def _append(
        self, rows: Rows, scores: NDArray[np.float64] | None, records: NDArray[np.int64]
    ) -> None:
        fresh = self._fresh(rows, records)
        if len(fresh) < len(rows):
            self.counts.repeated += len(rows) - len(fresh)
            if not len(fresh):
                return
            rows, records = rows.take(fresh), records[fresh]
            scores = None if scores is None else scores[fresh]
        first = self.table.end
        if not self._chunk:
            self._chunk_first = first
        self._chunk.append(records)
        self.table.append(rows, scores)
        self._wake = min(self._wake, float(rows.logged[0]) + self.rule.patience)
        self.counts.admitted += len(rows)
        if len(self.early):
            logged = rows.logged.tolist()
            for place, digest in enumerate(rows.digest.tolist()):
                for truth, at in self.early.claim(digest):
                    if at + self.rule.horizon < logged[place]:
                        self.early.orphans += 1
                    else:
                        self._record = int(records[place])
                        self._join(first + place, truth, at)

    def _fresh(self, rows: Rows, records: NDArray[np.int64]) -> NDArray[np.intp]:
        """Rows whose id does not wait already: a repeated prediction counts once."""
        places, listed = self.table.find(rows.digest), rows.digest.tolist()
        if len(set(listed)) == len(listed) and (places == ABSENT).all():
            return np.arange(len(listed))
        # One that has settled is nobody any more, though it is not put away yet.
        waits = self.table.logged_at(places) + self.rule.horizon
        until = {
            digest: (time, place)
            for digest, time, place in zip(listed, waits.tolist(), places.tolist(), strict=True)
            if place != ABSENT
        }
        fresh: list[int] = []
        for row, (digest, logged) in enumerate(zip(listed, rows.logged.tolist(), strict=True)):
            known = until.get(digest)
            if known is not None and known[0] > logged:
                continue
            number = self.table.end + len(fresh)
            if known is not None:
                again = (int(records[row]), known[1], number)
                self._again.setdefault(digest, []).append(again)
            until[digest] = (logged + self.rule.horizon, number)
            fresh.append(row)
        return np.array(fresh, dtype=np.intp)
