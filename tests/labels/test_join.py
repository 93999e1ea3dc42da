"""Predictions and labels meet, in whatever order and however often they come."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from math import nan

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamgauge.labels import Amendment, JoinRule, LabelJoin, Rows, Truth
from streamgauge.labels.block import IMPLIED, LABELLED, MISSING, WITHDRAWN
from streamgauge.labels.digest import digests
from streamgauge.labels.truth import Extras


@dataclass(frozen=True)
class Said:
    """One record: a prediction (truth None), or a label, at a log time."""

    id: str
    at: float
    truth: Truth | None = None


def truth(
    name: str | None,
    revision: int = 0,
    observed: float = nan,
    annotator: str | None = None,
    extras: Extras | None = None,
) -> Truth:
    return Truth(nan, name, name is None, revision, observed, annotator, 1.0, extras)


def rows_of(said: list[Said]) -> Rows:
    rows = Rows.empty(len(said))
    rows.digest[:] = digests([each.id for each in said])
    rows.logged[:] = rows.time[:] = [each.at for each in said]
    rows.weight[:] = 1.0
    rows.number[:] = nan
    return rows


class Told:
    """What came out of a join, row by row, amendments included."""

    def __init__(self, join: LabelJoin) -> None:
        self.join = join
        self.order: list[int] = []
        self.truth: dict[int, str | None] = {}
        self.state: dict[int, int] = {}
        self.amended = 0

    def feed(self, chunk: list[Said]) -> None:
        before = self.log_time = getattr(self, "log_time", 0.0)
        times = np.maximum.accumulate([before, *(e.at if e.truth is None else 0 for e in chunk)])
        self.log_time = float(times[-1])
        here = [i for i, each in enumerate(chunk) if each.truth is None]
        if here:
            rows = rows_of([chunk[i] for i in here])
            rows.logged[:] = times[1:][here]
            self.join.admit(
                rows.digest, rows.logged, np.array(here), lambda kept: (rows.take(kept), None)
            )
        there = [i for i, each in enumerate(chunk) if each.truth is not None]
        if there:
            self.join.label(
                digests([chunk[i].id for i in there]),
                [t for i in there if (t := chunk[i].truth) is not None],
                [float(times[i + 1]) for i in there],
                there,
            )
        self.run_to(self.log_time)

    def run_to(self, log_time: float) -> None:
        self.join.run_to(log_time)
        names = self.join.truths.names
        for each in self.join.take():
            if isinstance(each, Amendment):
                assert self.truth[each.before.first] == self._name(each.before.rows, 0)
                self.amended += 1
                each = each.after
            else:
                self.order += range(each.first, each.first + len(each.rows))
            for place in range(len(each.rows)):
                self.state[each.first + place] = int(each.rows.state[place])
                self.truth[each.first + place] = self._name(each.rows, place)
        assert len(names) <= 100

    def _name(self, rows: Rows, place: int) -> str | None:
        code = int(rows.truth[place])
        joined = rows.state[place] == LABELLED and code >= 0
        return self.join.truths.names[code] if joined else None


def join(horizon: float = 100.0, cap: int = 1000, implied: float | None = None) -> Told:
    return Told(LabelJoin(JoinRule(horizon, cap, implied)))


def test_rows_are_released_in_prediction_order_once_all_before_have_labels() -> None:
    told = join()
    told.feed([Said("a", 1), Said("b", 2), Said("c", 3)])
    told.feed([Said("b", 4, truth("no")), Said("c", 4, truth("no"))])
    assert told.order == []

    told.feed([Said("a", 5, truth("yes"))])

    assert told.order == [0, 1, 2]
    assert [told.truth[row] for row in range(3)] == ["yes", "no", "no"]


def test_a_missing_label_holds_others_up_until_the_horizon_and_no_longer() -> None:
    told = join(horizon=100.0)
    told.feed([Said("never", 1), Said("b", 2), Said("b", 3, truth("no"))])
    told.run_to(100.9)
    assert told.order == []

    told.run_to(101.0)

    assert told.order == [0, 1]
    assert told.state == {0: MISSING, 1: LABELLED}
    told.run_to(102.0)
    counts = told.join.counts
    assert (counts.settled, counts.settled_labelled, counts.expired) == (2, 1, 1)
    assert told.join.pending == 0


def test_without_a_label_for_so_long_the_negative_class_is_implied_and_can_be_corrected() -> None:
    told = join(horizon=100.0, implied=10.0)
    told.feed([Said("a", 1), Said("b", 2)])
    told.run_to(11.0)
    assert told.state == {0: IMPLIED}

    told.feed([Said("a", 20, truth("yes"))])

    assert told.state[0] == LABELLED and told.truth[0] == "yes" and told.amended == 1


def test_a_label_that_comes_first_waits_for_its_prediction() -> None:
    told = join()
    told.feed([Said("z", 1)])
    told.feed([Said("a", 2, truth("yes"))])

    told.feed([Said("a", 3), Said("z", 3, truth("no"))])

    assert told.truth == {0: "no", 1: "yes"}
    assert told.join.counts.early == 1 and told.join.early.orphans == 0


def test_a_label_without_a_prediction_is_given_up_at_the_horizon() -> None:
    told = join(horizon=100.0)
    told.feed([Said("x", 1), Said("nobody", 1, truth("yes"))])
    told.run_to(101.0)
    assert told.join.early.orphans == 0
    told.run_to(101.5)
    assert told.join.early.orphans == 1


@pytest.mark.parametrize("turned", [False, True])
def test_withdrawn_and_corrected_truths_count_by_their_revision(turned: bool) -> None:
    told = join()
    labels = [
        Said("a", 2, truth("yes")),
        Said("a", 3, truth("no", 1)),
        Said("b", 2, truth("yes")),
        Said("b", 3, truth(None, 1)),
        Said("c", 2, truth("yes", observed=5.0)),
        Said("c", 2, truth("no", observed=6.0)),
    ]
    told.feed([Said("a", 1), Said("b", 1), Said("c", 1)])
    told.feed(labels[::-1] if turned else labels)
    assert told.truth == {0: "no", 1: None, 2: "no"}
    assert told.state[1] == WITHDRAWN


def test_annotators_who_differ_are_counted_and_duplicates_change_nothing() -> None:
    told = join()
    told.feed([Said("a", 1), Said("b", 1)])
    told.feed(
        [
            Said("a", 2, truth("yes", annotator="ann")),
            Said("a", 2, truth("no", annotator="bob")),
            Said("b", 2, truth("yes", annotator="ann")),
            Said("b", 2, truth("yes", annotator="bob")),
            Said("b", 2, truth("yes", annotator="ann")),
        ]
    )
    counts = told.join.counts
    assert (counts.disagreed, counts.agreed) == (1, 2)
    assert counts.duplicates == 2 and counts.joined == 2


def test_beyond_half_the_cap_a_sample_waits_whose_weights_stay_unbiased() -> None:
    told = join(horizon=1e6, cap=20_000)
    n = 400_000
    for start in range(0, n, 5000):
        told.feed([Said(f"id-{i}", i * 1e-3) for i in range(start, start + 5000)])
    waiting = len(told.join.table)
    weights = [float(rows.weight.sum()) for _, rows, _ in told.join.open_rows()]
    assert 10_000 < waiting <= 20_000
    assert sum(weights) == pytest.approx(n, rel=0.02)
    assert told.join.admission.level > 3


def test_when_the_table_empties_everything_is_taken_again() -> None:
    told = join(horizon=10.0, cap=2000)
    told.feed([Said(f"a{i}", i * 1e-4) for i in range(20_000)])
    assert told.join.admission.level > 0
    told.feed([Said(f"b{i}", 100.0) for i in range(200)])
    assert told.join.admission.level == 0
    assert len(told.join.table) >= 100


def test_a_million_orphans_take_bounded_room() -> None:
    told = join(horizon=1e9)
    for start in range(0, 60_000, 5000):
        told.feed([Said(f"o{i}", 1.0, truth("yes")) for i in range(start, start + 5000)])
    assert len(told.join.early) == 20_000
    assert told.join.early.orphans == 40_000


IDS = [f"p{i}" for i in range(12)]


@st.composite
def logs(draw: st.DrawFn) -> list[Said]:
    """Predictions and labels in any order, times rising."""
    said: list[Said] = [Said(each, 0.0) for each in IDS[: draw(st.integers(1, 12))]]
    for _ in range(draw(st.integers(0, 30))):
        name = draw(st.sampled_from(["yes", "no", None]))
        label = truth(
            name,
            draw(st.integers(0, 2)),
            draw(st.sampled_from([nan, 1.0, 2.0])),
            draw(st.sampled_from([None, "ann", "bob"])),
        )
        said.append(Said(draw(st.sampled_from(IDS)), 0.0, label))
    said = draw(st.permutations(said))
    steps = draw(st.lists(st.sampled_from([0.0, 0.5, 5.0]), min_size=len(said), max_size=len(said)))
    times = np.cumsum(steps)
    return [Said(e.id, float(t), e.truth) for e, t in zip(said, times, strict=True)]


def expected(log: list[Said]) -> dict[str, str | None]:
    """The truth of each prediction, from all labels at once."""
    best: dict[str, Truth] = {}
    for each in log:
        if each.truth is not None:
            known = best.get(each.id)
            best[each.id] = each.truth if known is None or each.truth.stands_over(known) else known
    return {
        each.id: best[each.id].name if each.id in best else None
        for each in log
        if each.truth is None
    }


@given(log=logs())
@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_any_order_of_predictions_and_labels_gives_the_same_truth(log: list[Said]) -> None:
    told = join(horizon=1e6)
    told.feed(log)
    told.run_to(1e7)
    ids = [each.id for each in log if each.truth is None]
    assert {ids[row]: name for row, name in told.truth.items()} == expected(log)
    assert sorted(told.order) == list(range(len(ids)))


@given(
    seed=st.integers(0, 99),
    cap=st.sampled_from([130, 256, 300]),
    horizon=st.sampled_from([15.0, 40.0, 1e6]),
    cuts=st.sets(st.integers(1, 599)),
)
@settings(max_examples=30, deadline=None)
def test_cuts_do_not_show_in_what_a_sample_keeps(
    seed: int, cap: int, horizon: float, cuts: set[int]
) -> None:
    # Given more predictions than there is room for, some of them twice, and labels where none of
    # them is given up meanwhile
    rng, labelled = random.Random(seed), 0.2 if horizon == 1e6 else 0.0
    log = [
        Said(f"p{rng.randrange(500)}", i / 10, truth("yes") if rng.random() < labelled else None)
        for i in range(600)
    ]
    # When they come at once, and in pieces
    whole, parts = join(horizon=horizon, cap=cap), join(horizon=horizon, cap=cap)
    whole.feed(log)
    for start, end in itertools.pairwise([0, *sorted(cuts), len(log)]):
        parts.feed(log[start:end])
    # Then the same ones were kept, and for the same number of others
    assert whole.join.admission.level or horizon < 1e6
    assert repr(parts.join.state()) == repr(whole.join.state())
    assert (parts.order, parts.truth, parts.state) == (whole.order, whole.truth, whole.state)


@pytest.mark.parametrize("cuts", [[128], list(range(64, 320, 64)), list(range(1, 320))])
def test_a_chunk_that_fills_half_of_the_room_is_no_other_than_its_parts(cuts: list[int]) -> None:
    # Given as many predictions as are let in whole, and some more
    log = [Said(f"p{i}", i / 10) for i in range(320)]
    whole, parts = join(cap=256, horizon=1e6), join(cap=256, horizon=1e6)
    whole.feed(log)
    for start, end in itertools.pairwise([0, *cuts, len(log)]):
        parts.feed(log[start:end])
    assert repr(parts.join.state()) == repr(whole.join.state())


@given(log=logs(), data=st.data(), horizon=st.sampled_from([3.0, 20.0, 1e6]))
@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_cuts_and_crashes_change_nothing(
    log: list[Said], data: st.DataObject, horizon: float
) -> None:
    whole = join(horizon=horizon, implied=data.draw(st.sampled_from([None, 2.0])))
    whole.feed(log)

    parts = Told(LabelJoin(whole.join.rule))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(log) - 1, 1)))))
    blocks: dict[str, object] = {}
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        parts.feed(log[start:end])
        for name, block in parts.join.changed_blocks().items():
            if block is None:
                blocks.pop(name, None)
            else:
                blocks[name] = block
        state = parts.join.state()
        parts.join = LabelJoin(whole.join.rule)
        parts.join.restore(state, blocks)

    assert parts.order == whole.order
    assert parts.truth == whole.truth
    assert parts.state == whole.state
    assert parts.amended == whole.amended
    assert repr(parts.join.state()) == repr(whole.join.state())
