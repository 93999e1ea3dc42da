"""Predictions come in: all of them or a sample, each once, and meet the labels that waited."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.admission import CLOSED
from streamgauge.labels.block import Rows
from streamgauge.labels.digest import sampled
from streamgauge.labels.index import ABSENT
from streamgauge.labels.joining import Joining


class Admitting(Joining):
    """Lets predictions wait, as many as there is room for."""

    def spacious(self, coming: int) -> bool:
        """Whether so many predictions can be admitted as they are, whatever they are."""
        return self.admission.spacious(self.table.end - self._gone, coming)

    def admit(
        self, rows: Rows, records: NDArray[np.int64], scores: NDArray[np.float64] | None = None
    ) -> None:
        """Take predictions in log order, without labels. ``weight`` is the producer's.

        ``records`` (n,) are their records' indices in the chunk.
        """
        self.counts.predictions += len(rows)
        if self.spacious(len(rows)):
            self.admission.seen += len(rows)
            self._append(rows, records, scores)
            return
        start = 0
        while start < len(rows):
            stop = min(start + self.admission.until_step, len(rows))
            whole = stop - start == self.admission.until_step
            part = rows.part(start, stop)
            part.weight *= 2.0 ** min(self.admission.level, CLOSED)
            kept = np.flatnonzero(sampled(part.digest, self.admission.level))
            self.admission.seen += stop - start
            if len(kept):
                self._append(
                    _taken(part, kept),
                    records[start:stop][kept],
                    None if scores is None else scores[start:stop][kept],
                )
            if whole:
                self._gone = self.table.until(
                    self._gone, float(rows.logged[stop - 1]), self.rule.horizon
                )
                self.admission.look(self.table.end - self._gone, int(records[stop - 1]))
            start = stop

    def _append(
        self, rows: Rows, records: NDArray[np.int64], scores: NDArray[np.float64] | None
    ) -> None:
        fresh = self._fresh(rows, records)
        if len(fresh) < len(rows):
            self.counts.repeated += len(rows) - len(fresh)
            if not len(fresh):
                return
            rows, records = _taken(rows, fresh), records[fresh]
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


def _taken(rows: Rows, kept: NDArray[np.intp]) -> Rows:
    return rows if len(kept) == len(rows) else Rows(*(column[kept] for column in rows.columns()))
