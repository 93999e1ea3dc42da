"""Labels meet predictions, in event time, whatever order the topics came in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.admission import CLOSED, Admission
from streamgauge.labels.block import (
    BLOCK,
    IMPLIED,
    LABELLED,
    MISSING,
    WITHDRAWN,
    Block,
    Rows,
)
from streamgauge.labels.counts import JoinCounts, by_delay
from streamgauge.labels.digest import sampled
from streamgauge.labels.early import EarlyLabels, extras_from
from streamgauge.labels.index import ABSENT, Places
from streamgauge.labels.names import NONE, Names
from streamgauge.labels.table import PendingTable
from streamgauge.labels.truth import Extras, Truth

#: Classes, and annotators, that are told apart.
MOST_CLASSES = 100
MOST_ANNOTATORS = 1000


@dataclass(frozen=True, slots=True)
class JoinRule:
    """How long predictions wait for labels, and how many may.

    Parameters
    ----------
    horizon
        Seconds of log time after which a prediction is settled, labelled or not.
    cap
        Predictions that may wait.
    implied_after
        Seconds after which a missing label means ``implied``, the negative class; None for never.
    """

    horizon: float = 86_400.0
    cap: int = 100_000
    implied_after: float | None = None

    @property
    def patience(self) -> float:
        """Seconds after which a row without a label holds up no other."""
        return self.horizon if self.implied_after is None else min(self.horizon, self.implied_after)


class Released(NamedTuple):
    """Rows in prediction order whose truth is settled for now, from row ``first`` on."""

    first: int
    rows: Rows
    scores: NDArray[np.float64] | None
    extras: dict[int, Extras]


class Joined(NamedTuple):
    """The first truth of a row, and the record by which both were there; None where implied.

    It may be a withdrawal.

    ``after`` tells truths that time brought from those of the record itself, which came before.
    """

    record: int
    after: int
    number: int
    truth: Truth | None
    #: The log's time by which both were there, in seconds since 1970.
    at: float


class Amendment(NamedTuple):
    """One row whose truth changed after it was released: before and after."""

    before: Released
    after: Released


class LabelJoin:
    """The join of one model on one partition. A pure function of its records.

    Predictions wait in log order. A prefix of them is *released*: each row of it has its label, or
    has waited long enough. So what is released is complete, in prediction order, and not selected
    by how fast labels come. Until ``horizon`` has passed a correction amends it; then the row is
    *settled* and gone.
    """

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
        #: Rows that came by the record that is looked at; later ones are not there yet.
        self._limit = 0
        #: Nothing is due before this log time.
        self._wake = math.inf

    def set_rule(self, rule: JoinRule) -> None:
        """Go by another rule from here on; what was released stays so."""
        self.rule = rule
        self.admission.cap = rule.cap
        self._set_wake()

    # -- predictions -------------------------------------------------------------------------

    def admit(
        self, rows: Rows, records: NDArray[np.int64], scores: NDArray[np.float64] | None = None
    ) -> None:
        """Take predictions in log order, without labels. ``weight`` is the producer's.

        ``records`` (n,) are their records' indices in the chunk.
        """
        self.counts.predictions += len(rows)
        waiting = self.table.end - self._gone
        if self.admission.spacious(waiting, len(rows)):
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
        fresh = self._fresh(rows.digest)
        if len(fresh) < len(rows):
            self.counts.repeated += len(rows) - len(fresh)
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

    def _fresh(self, digests: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Rows whose id does not wait already: a repeated prediction counts once."""
        new = self.table.find(digests) == ABSENT
        listed = digests.tolist()
        if len(set(listed)) < len(listed):
            seen: set[int] = set()
            for place, digest in enumerate(listed):
                new[place] &= digest not in seen
                seen.add(digest)
        return np.flatnonzero(new)

    # -- labels ------------------------------------------------------------------------------

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
        places = self.table.find(digests)
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
                both = self._both(places, records), places.tolist(), truths
                self.joined += [
                    Joined(record, 0, number, truth, time)
                    for record, number, truth, time in zip(
                        *both, np.maximum(times, logged).tolist(), strict=True
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
        by_block = [(n, np.flatnonzero(places // BLOCK == n)) for n in {p // BLOCK for p in listed}]
        inside = [(self.table.blocks[n], of, places[of] % BLOCK) for n, of in by_block]
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

    # -- time --------------------------------------------------------------------------------

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

    def _release(self, log_time: float) -> None:
        """Release what has its labels, or has waited long enough for them."""
        self._advance()
        waiting = self.released < self.table.end
        if waiting and self.table.logged(self.released) + self.rule.patience <= log_time:
            self._due(log_time)

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

    # -- what came of it ---------------------------------------------------------------------

    def take(self) -> list[Released | Amendment]:
        """End a chunk: what was released and amended since the last call, in its order."""
        self._limit = self.table.end
        self._advance()
        self._tell()
        self._chunk = []
        self.admission.next_chunk()
        out, self._out = self._out, []
        return _merged(out)

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

    def open_rows(self) -> Iterator[tuple[int, Rows, NDArray[np.float64] | None]]:
        """Rows that are not released yet."""
        return self.table.parts(self.released, self.table.end)

    def newest_open(self, most: int) -> Released | None:
        """At most ``most`` rows that are not released yet, up to the newest that has a label.

        For provisional figures: what came behind that row says nothing yet. None where no open row
        has a label. Looks at every open block at worst: a millisecond for half a million rows.
        """
        if self.released >= self.table.end:
            return None
        for number in range((self.table.end - 1) // BLOCK, self.released // BLOCK - 1, -1):
            block = self.table.blocks[number]
            low = max(self.released - number * BLOCK, 0)
            labelled = np.flatnonzero(block.rows.state[low : block.n] == LABELLED)
            if len(labelled):
                stop = number * BLOCK + low + int(labelled[-1]) + 1
                parts = self.table.parts(max(self.released, stop - most), stop)
                return _one([Released(n, r, s, self._extras(n, len(r))) for n, r, s in parts])
        return None

    @property
    def pending(self) -> int:
        """Predictions that wait for their labels."""
        return len(self.table) - (self.released - self.table.first)

    # -- state -------------------------------------------------------------------------------

    def state(self) -> list[Any]:
        """All but the rows. ``take`` must have been called."""
        return [
            self.table.state(),
            self.admission.state(),
            self.early.state(),
            self.counts.state(),
            self.said.state(),
            self.truths.state(),
            self._annotators.state(),
            [[number, list(each)] for number, each in sorted(self.extras.items())],
            self.released,
            self._gone,
        ]

    def changed_blocks(self) -> dict[str, list[Any] | None]:
        """State of blocks that changed since the last call, by name; None for those that are gone.

        ``p<number>`` holds predictions, ``l<number>`` their labels.
        """
        changed: dict[str, list[Any] | None] = {}
        for number in self.table.dropped:
            changed[f"p{number}"] = changed[f"l{number}"] = None
        self.table.dropped = []
        for number, block in self.table.blocks.items():
            if block.changed:
                changed[f"p{number}"] = block.state()
            if block.labelled:
                changed[f"l{number}"] = block.label_state()
            block.changed = block.labelled = False
        return changed

    def restore(self, state: list[Any], blocks: dict[str, Any]) -> None:
        """Become what ``state`` and all blocks described."""
        table, admission, early, counts, said, truths, annotators, extras, released, gone = state
        numbers = sorted(int(name[1:]) for name in blocks if name.startswith("p"))
        self.table.restore(
            table, {n: Block.from_state(blocks[f"p{n}"], blocks.get(f"l{n}")) for n in numbers}
        )
        self.admission.restore(admission)
        self.early.restore(early)
        self.counts = JoinCounts.from_state(counts)
        self.said.restore(said)
        self.truths.restore(truths)
        self._annotators.restore(annotators)
        self.extras = {number: extras_from(each) for number, each in extras}
        self.released = self._told = released
        self._limit = self.table.end
        self._set_wake()
        self._gone = gone


def _merged(out: list[Released | Amendment]) -> list[Released | Amendment]:
    """The same with what was released without a break as one: the price is per piece."""
    merged: list[Released | Amendment] = []
    run: list[Released] = []
    for each in [*out, None]:
        if isinstance(each, Released):
            run.append(each)
            continue
        if run:
            merged.append(_one(run))
            run = []
        if each is not None:
            merged.append(each)
    return merged


def _one(run: list[Released]) -> Released:
    if len(run) == 1:
        return run[0]
    width = max((each.scores.shape[1] for each in run if each.scores is not None), default=0)
    scores = None
    if width:
        scores = np.full((sum(len(each.rows) for each in run), width), np.nan)
        start = 0
        for each in run:
            if each.scores is not None:
                scores[start : start + len(each.rows), : each.scores.shape[1]] = each.scores
            start += len(each.rows)
    extras = {number: extra for each in run for number, extra in each.extras.items()}
    return Released(run[0].first, Rows.joined([each.rows for each in run]), scores, extras)


def _taken(rows: Rows, kept: NDArray[np.intp]) -> Rows:
    return rows if len(kept) == len(rows) else Rows(*(column[kept] for column in rows.columns()))
