"""Labels meet the predictions that are there: the first of each, corrections and repetitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.block import IMPLIED, LABELLED, MISSING, WITHDRAWN, Rows
from streamgauge.labels.index import ABSENT, Places
from streamgauge.labels.names import NONE
from streamgauge.labels.released import Amendment, Joined
from streamgauge.labels.releasing import Releasing
from streamgauge.labels.truth import Truth


class Joining(Releasing):
    """Joins labels to rows, or parks them until their prediction comes."""

    def label(
        self,
        digests: NDArray[np.uint64],
        truths: Sequence[Truth],
        at: Sequence[float],
        records: Sequence[int],
    ) -> None:
        """Take labels in log order, after the predictions of the same chunk.

        ``at`` is the log's time when each came, ``records`` its record's index in the chunk.
        """
        places = self._meant(digests, at, records) if self._again else self.table.find(digests)
        self.counts.labels += len(places)
        # Named in the order of the log, whenever the predictions come.
        names = self.truths.codes([truth.name for truth in truths])
        annotators = self._annotators.codes([truth.annotator for truth in truths])
        times = np.array(at)
        logged = self.table.logged_at(places)
        # Who is settled by then is nobody any more, though it is not put away yet.
        places = np.where(logged + self.rule.horizon <= times, ABSENT, places)
        due = logged + self.rule.patience <= times
        if not due.any() and self._join_at_once(places, truths, times, logged, names, annotators):
            if self.joined is not None:
                by, since = self._both(places, records), np.maximum(times, logged).tolist()
                self.joined += [
                    Joined(record, 0, number, truth, time)
                    for record, number, truth, time in zip(
                        by, places.tolist(), truths, since, strict=True
                    )
                ]
            return
        each = zip(digests.tolist(), places.tolist(), truths, due.tolist(), at, strict=True)
        limits, orphaned = self._limits(records), (times + self.rule.horizon < logged).tolist()
        both = self._both(places, records)
        for row, (digest, place, truth, is_due, time) in enumerate(each):
            self._limit, self._record = limits[row], records[row]
            if place == ABSENT:
                self._park(digest, truth, time, records[row])
            elif orphaned[row]:
                # Its prediction came too late: record by record it was given up by then.
                self.early.orphans += 1
            else:
                if is_due:
                    self._release(time)
                self._record = both[row]
                self._join(place, truth, time)

    def _meant(
        self, digests: NDArray[np.uint64], at: Sequence[float], records: Sequence[int]
    ) -> Places:
        """Rows that labels are for, shape (n,), where ids came again in this chunk."""
        places = self.table.find(digests)
        for label, digest in enumerate(digests.tolist()):
            for record, before, since in self._again.get(digest, ()):
                if records[label] < record:
                    settled = self.table.logged(before) + self.rule.horizon <= at[label]
                    places[label] = since if settled else before
                    break
        return places

    def _join_at_once(
        self,
        places: Places,
        truths: Sequence[Truth],
        times: NDArray[np.float64],
        logged: NDArray[np.float64],
        names: NDArray[np.int32],
        annotators: NDArray[np.int32],
    ) -> bool:
        """Join labels of which each is the first of its prediction; False where one is not."""
        listed = places.tolist()
        if not (
            min(listed) >= self.released
            and len(set(listed)) == len(listed)
            and all(truth.extras is None for truth in truths)
        ):
            return False
        inside = list(self.table.by_block(places))
        if (times + self.rule.horizon < logged).any():
            return False
        if any(block.rows.state[place].any() for block, _, place in inside):
            return False
        columns = np.array([truth[:1] + truth[2:5] + truth[6:7] for truth in truths])
        number, withdrawn, revision, observed, weight = columns.T
        for block, of, place in inside:
            rows = block.rows
            rows.state[place] = np.where(withdrawn[of], WITHDRAWN, LABELLED)
            rows.truth_number[place] = number[of]
            rows.truth[place] = names[of]
            rows.delay[place] = delay = times[of] - rows.logged[place]
            rows.label_weight[place] = weight[of]
            rows.revision[place] = revision[of]
            rows.observed[place] = observed[of]
            rows.annotator[place] = annotators[of]
            block.labelled = True
            self.counts.early += int((delay < 0).sum())
        self.counts.joined += len(listed)
        self.counts.withdrawn += int(withdrawn.sum())
        return True

    def _both(self, places: Places, records: Sequence[int]) -> list[int]:
        """The records by which labels and their predictions were there."""
        if not self._chunk:
            return list(records)
        came = np.concatenate(self._chunk)
        rows = places - self._chunk_first
        own = np.where(rows >= 0, came[np.maximum(rows, 0)], -1)
        found: list[int] = np.maximum(own, records).tolist()
        return found

    def _limits(self, records: Sequence[int]) -> list[int]:
        """For each record, how many rows were there by then."""
        if not self._chunk:
            return [self.table.end] * len(records)
        came = np.concatenate(self._chunk)
        found: list[int] = (self._chunk_first + np.searchsorted(came, records)).tolist()
        return found

    def _park(self, digest: int, truth: Truth, at: float, record: int) -> None:
        level = self.admission.level_at(record)
        if level and digest >> (64 - level):
            self.counts.unsampled += 1
        else:
            self.early.park(digest, truth, at)
            self._wake = min(self._wake, at + self.rule.horizon)

    def _join(self, number: int, truth: Truth, at: float) -> None:
        block, place = self.table.at(number)
        rows = block.rows
        state = int(rows.state[place])
        if state in (LABELLED, WITHDRAWN):
            if not self._stands(number, rows, place, truth):
                return
            # Whether it is released already is found out only where it matters.
            self._release(at)
        before = None
        if number < self.released:
            self._tell()
            before = self._single(number)
        if state in (MISSING, IMPLIED):
            self.counts.joined += 1
            if self.joined is not None and state == MISSING:
                both = max(at, float(rows.logged[place]))
                self.joined.append(Joined(self._record, 0, number, truth, both))
            self.counts.early += bool(at < rows.logged[place])
        self.counts.withdrawn += truth.withdrawn
        rows.state[place] = WITHDRAWN if truth.withdrawn else LABELLED
        rows.truth_number[place] = truth.number
        rows.truth[place] = NONE if truth.name is None else self.truths.code(truth.name)
        rows.delay[place] = at - rows.logged[place]
        rows.label_weight[place] = truth.weight
        self._sign(rows, place, truth)
        if truth.extras is not None:
            self.extras[number] = truth.extras
        elif self.extras:
            self.extras.pop(number, None)
        block.labelled = True
        if before is not None:
            self._out.append(Amendment(before, self._single(number)))

    def _stands(self, number: int, rows: Rows, place: int, truth: Truth) -> bool:
        """Whether a further label takes the place of the one that is there."""
        known = self._known(number, rows, place)
        same = truth.says_the_same(known)
        if truth.annotator != known.annotator and None not in (truth.annotator, known.annotator):
            self.counts.agreed += same
            self.counts.disagreed += not same
        if same and truth.extras == known.extras and truth.weight == known.weight:
            self.counts.duplicates += 1
            if truth.stands_over(known):
                # Nothing changes but what others are measured by.
                self._sign(rows, place, truth)
                self.table.at(number)[0].labelled = True
            return False
        self.counts.corrections += truth.revision > known.revision
        self.counts.conflicts += truth.revision == known.revision
        self.counts.outdated += truth.revision < known.revision
        return truth.stands_over(known)

    def _sign(self, rows: Rows, place: int, truth: Truth) -> None:
        rows.revision[place] = truth.revision
        rows.observed[place] = truth.observed
        rows.annotator[place] = (
            NONE if truth.annotator is None else self._annotators.code(truth.annotator)
        )

    def _known(self, number: int, rows: Rows, place: int) -> Truth:
        name, annotator = int(rows.truth[place]), int(rows.annotator[place])
        return Truth(
            float(rows.truth_number[place]),
            self.truths.names[name] if name != NONE else None,
            int(rows.state[place]) == WITHDRAWN,
            int(rows.revision[place]),
            float(rows.observed[place]),
            self._annotators.names[annotator] if annotator != NONE else None,
            float(rows.label_weight[place]),
            self.extras.get(number),
        )
