"""What every metric must do: add up, come apart at any cut, and survive being written down."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamgauge.metrics.base import Metric
from streamgauge.metrics.binary_scores import BinaryScores
from streamgauge.metrics.class_scores import ClassScores
from streamgauge.metrics.confusion import Confusion
from streamgauge.metrics.duplicates import Duplicates
from streamgauge.metrics.error_tags import ErrorTags
from streamgauge.metrics.heavy_hitters import HeavyHitters
from streamgauge.metrics.histogram import Histogram
from streamgauge.metrics.moments import Moments
from streamgauge.metrics.named_scores import NamedScores
from streamgauge.metrics.quality import Quality
from streamgauge.metrics.regression import Regression
from streamgauge.metrics.reliability import Reliability
from streamgauge.metrics.rule_counts import RuleCounts
from streamgauge.metrics.sentinels import SENTINELS, Sentinels
from streamgauge.metrics.skew import Skew
from streamgauge.metrics.traffic import Traffic
from streamgauge.plugins import discover
from streamgauge.state.packing import pack, unpack

BINS = 7


class Feed(NamedTuple):
    """How to make a metric, and how to give it the rows of a span."""

    make: Callable[[], Any]
    rows: Callable[[int], st.SearchStrategy[Any]]
    give: Callable[[Any, Any], None]
    #: Sums about the first value differ with it; what they tell does not.
    by_figures: bool = False


def numbers(largest: float) -> Callable[[int], st.SearchStrategy[Any]]:
    finite = st.floats(-largest, largest, allow_nan=False, allow_infinity=False)
    return lambda n: arrays(np.float64, n, elements=finite)


def faults(n: int) -> st.SearchStrategy[Any]:
    """One row an event; each column tells whether the event had that fault."""
    return arrays(np.bool_, (n, 4))


def give_faults(metric: Quality, rows: Any) -> None:
    missing, wrong, out, new = (int(count) for count in rows.sum(axis=0))
    metric.update(len(rows), missing=missing, wrong_type=wrong, out_of_range=out, new_category=new)


def calls(n: int) -> st.SearchStrategy[Any]:
    """One row a prediction: its status, and its latency or NaN."""
    latency = st.one_of(st.just(math.nan), st.floats(0, 200), st.just(math.inf), st.just(1e305))
    row = st.tuples(st.integers(0, 2), latency)
    return st.lists(row, min_size=n, max_size=n).map(
        lambda rows: np.array(rows, dtype=np.float64).reshape(-1, 2)
    )


#: Fewer words than are counted one by one; one is too long to be kept whole.
WORDS = np.array([None, *"abcdefg", "long" * 50], dtype=object)


def words(n: int) -> st.SearchStrategy[Any]:
    """One word an event, or none."""
    return arrays(np.int64, n, elements=st.integers(0, len(WORDS) - 1)).map(
        lambda rows: WORDS[rows]
    )


def answers(n: int) -> st.SearchStrategy[Any]:
    """One row an event: how many it stands for, and what two rules say of it."""
    return arrays(np.int64, (n, 5), elements=st.integers(0, 20))


def give_answers(metric: RuleCounts, rows: Any) -> None:
    said = rows[:, 1:] > 10
    metric.update("holds", said[:, 0], said[:, 1], rows[:, 0] + 1)
    metric.update("fits", said[:, 2], said[:, 3])


def codes(n: int) -> st.SearchStrategy[Any]:
    value = st.one_of(st.sampled_from(SENTINELS.tolist()), st.floats(-2e3, 2e3), st.just(-0.0))
    return arrays(np.float64, n, elements=value)


def times(n: int) -> st.SearchStrategy[Any]:
    """One row an event: its own time, and by how much the log's is later."""
    lag = st.one_of(st.floats(-300, 1e6), st.integers(-9, 12 * 3600).map(float))
    return arrays(np.float64, (n, 2), elements=lag)


#: What is drawn beside ordinary numbers in 0..1.
ODD = np.array([0.0, 0.2, 0.5, 1.0, 5e-324, 1 - 2**-53])


def scored(n: int) -> st.SearchStrategy[Any]:
    """One row a judged prediction: two numbers in 0..1, and what it weighs.

    From a seed, which costs a tenth of drawing each number.
    """

    def rows(seed: int) -> Any:
        random = np.random.default_rng(seed)
        shares = np.where(random.random((n, 2)) < 0.5, random.choice(ODD, (n, 2)), 0.0)
        shares = np.where(shares == 0.0, random.random((n, 2)).round(3), shares)
        whole, part = random.integers(0, 4, n).astype(np.float64), random.uniform(0.1, 9, n)
        return np.column_stack([shares, np.where(random.random(n) < 0.5, whole, part)])

    return st.integers(0, 2**32 - 1).map(rows)


def classes(rows: Any) -> Any:
    """Seven classes from numbers in 0..1."""
    return (rows * 6).astype(np.intp)


def give_tags(metric: ErrorTags, rows: Any) -> None:
    tags = [["abcdefg"[code], "even" if code % 2 else "odd"] for code in classes(rows[:, 0])]
    metric.update(tags, rows[:, 1] > 0.5, rows[:, 2])


def give_names(metric: NamedScores, rows: Any) -> None:
    name = classes(rows[:, 0])
    for each in np.unique(name):
        metric.update(f"score{each}", *rows[name == each, 1:].T)


#: A metric that is missing here fails ``test_every_metric_is_fed``.
FEEDS = {
    "binary_scores": Feed(
        BinaryScores,
        scored,
        lambda metric, rows: metric.update(rows[:, 0], rows[:, 1] > 0.5, rows[:, 2]),
    ),
    "class_scores": Feed(
        ClassScores,
        scored,
        lambda metric, rows: metric.update(rows[:, :2], classes(rows[:, 1]) // 2, rows[:, 2]),
    ),
    "confusion": Feed(
        Confusion,
        scored,
        lambda metric, rows: metric.update(classes(rows[:, 0]), classes(rows[:, 1]), rows[:, 2]),
    ),
    "duplicates": Feed(
        Duplicates, lambda n: arrays(np.bool_, n), lambda metric, rows: metric.update(rows)
    ),
    "error_tags": Feed(ErrorTags, scored, give_tags),
    "heavy_hitters": Feed(
        lambda: HeavyHitters(cap=9), words, lambda metric, rows: metric.update(rows.tolist())
    ),
    "histogram": Feed(
        lambda: Histogram(bins=BINS),
        lambda n: arrays(np.intp, n, elements=st.integers(0, BINS - 1)),
        lambda metric, rows: metric.update(rows),
    ),
    "moments": Feed(
        lambda: Moments(shift=0.1), numbers(1e6), lambda metric, rows: metric.update(rows)
    ),
    "named_scores": Feed(NamedScores, scored, give_names, by_figures=True),
    "quality": Feed(Quality, faults, give_faults),
    "regression": Feed(
        Regression,
        scored,
        lambda metric, rows: metric.update(rows[:, 0], rows[:, 1].round(2) - 0.3, rows[:, 2]),
        by_figures=True,
    ),
    "reliability": Feed(
        Reliability,
        scored,
        lambda metric, rows: metric.update(rows[:, 0], rows[:, 1] > 0.5, rows[:, 2]),
    ),
    "rule_counts": Feed(RuleCounts, answers, give_answers),
    "sentinels": Feed(Sentinels, codes, lambda metric, rows: metric.update(rows)),
    "skew": Feed(
        Skew, times, lambda metric, rows: metric.update(rows[:, 0] + rows[:, 1], rows[:, 0])
    ),
    "traffic": Feed(
        Traffic, calls, lambda metric, rows: metric.update(rows[:, 0].astype(np.int8), rows[:, 1])
    ),
}
every_metric = pytest.mark.parametrize("name", FEEDS)


def spans(name: str, data: st.DataObject, *, count: int) -> list[Any]:
    return [data.draw(FEEDS[name].rows(data.draw(st.integers(0, 30)))) for _ in range(count)]


def of(name: str, *rows: Any) -> Any:
    feed = FEEDS[name]
    metric = feed.make()
    for each in rows:
        feed.give(metric, each)
    return metric


def total(name: str, *metrics: Any) -> Any:
    whole = FEEDS[name].make()
    for metric in metrics:
        whole.merge(metric)
    return whole


def same(one: Any, other: Any) -> None:
    """Equal but for the last digits of sums of floats."""
    if FEEDS[one.name].by_figures:
        mine, theirs = one.get(), other.get()
        assert sorted(mine) == sorted(theirs)
        alike([mine[name] for name in mine], [theirs[name] for name in mine])
    else:
        alike(one.state(), other.state())


def alike(one: Any, other: Any) -> None:
    if isinstance(one, list | tuple):
        for mine, theirs in zip(one, other, strict=True):
            alike(mine, theirs)
    elif isinstance(one, str):
        assert one == other
    else:
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-6)


def test_every_metric_is_fed() -> None:
    discover("streamgauge.metrics")
    assert Metric.names() == sorted(FEEDS), "tell this suite how the new metric is fed"


@every_metric
@given(data=st.data())
def test_the_cut_of_batches_does_not_show(name: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 60))
    rows = data.draw(FEEDS[name].rows(n))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=6)))
    parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    # Bytes, because a last digit that differs is a different state after a replay.
    assert pack(of(name, rows).state()) == pack(of(name, *parts).state())


@every_metric
@given(data=st.data())
def test_empty_is_the_unit(name: str, data: st.DataObject) -> None:
    metric = of(name, *spans(name, data, count=1))
    expected = pack(metric.state())
    assert pack(total(name, metric).state()) == expected
    metric.merge(FEEDS[name].make())
    assert pack(metric.state()) == expected


@every_metric
@given(data=st.data())
def test_merge_commutes(name: str, data: st.DataObject) -> None:
    one, other = (of(name, rows) for rows in spans(name, data, count=2))
    assert pack(total(name, one, other).state()) == pack(total(name, other, one).state())


@every_metric
@given(data=st.data())
def test_merge_is_associative(name: str, data: st.DataObject) -> None:
    a, b, c = (of(name, rows) for rows in spans(name, data, count=3))
    same(total(name, total(name, a, b), c), total(name, a, total(name, b, c)))


@every_metric
@given(data=st.data())
def test_merge_is_one_pass_over_everything(name: str, data: st.DataObject) -> None:
    rows = spans(name, data, count=3)
    same(total(name, *(of(name, each) for each in rows)), of(name, *rows))


@every_metric
@given(data=st.data())
def test_merge_leaves_the_other_alone(name: str, data: st.DataObject) -> None:
    one, other = (of(name, rows) for rows in spans(name, data, count=2))
    before = pack(other.state())
    one.merge(other)
    FEEDS[name].give(one, *spans(name, data, count=1))
    assert pack(other.state()) == before


@every_metric
@given(data=st.data())
def test_rows_in_another_order_are_the_same(name: str, data: st.DataObject) -> None:
    (rows,) = spans(name, data, count=1)
    order = data.draw(st.permutations(range(len(rows))))
    same(of(name, rows), of(name, rows[np.array(order, dtype=np.intp)]))


@every_metric
@given(data=st.data())
def test_state_survives_being_written_down(name: str, data: st.DataObject) -> None:
    first, second = spans(name, data, count=2)
    metric = of(name, first)
    blob = pack(metric.state(), key=b"k")
    restored = type(metric).from_state(unpack(blob, key=b"k"))
    assert pack(restored.state(), key=b"k") == blob
    assert restored.get() == metric.get()
    # It goes on identically, and shares nothing with the state it came from.
    for each in (metric, restored):
        FEEDS[name].give(each, second)
    assert pack(restored.state()) == pack(metric.state())


@every_metric
@given(data=st.data())
def test_a_restored_metric_shares_no_array(name: str, data: st.DataObject) -> None:
    metric, rows = of(name, *spans(name, data, count=1)), spans(name, data, count=1)
    before = pack(metric.state())
    restored = type(metric).from_state(metric.state())
    FEEDS[name].give(restored, *rows)
    restored.merge(restored.from_state(restored.state()))
    assert pack(metric.state()) == before


@every_metric
@given(data=st.data())
def test_figures_are_finite_or_left_out(name: str, data: st.DataObject) -> None:
    metric = of(name, *spans(name, data, count=1))
    for figure, value in metric.get().items():
        assert type(value) is float and math.isfinite(value), figure


@every_metric
def test_says_how_to_use_it(name: str) -> None:
    assert "Examples\n--------\n>>> " in (inspect.getdoc(Metric.named(name)) or "")
