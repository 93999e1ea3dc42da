"""Words beyond the budget: counts that never say too much, and a state that never grows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.metrics.heavy_hitters import CAP, WORD_LENGTH, HeavyHitters
from streamgauge.state.packing import pack, unpack

spans = st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=40), min_size=1, max_size=5)


def counted(words: list[str], *, cap: int) -> HeavyHitters:
    made = HeavyHitters(cap=cap)
    made.update(words)
    return made


@given(st.lists(st.sampled_from("abcdefghij") | st.none(), max_size=60), st.data())
def test_the_cut_of_batches_does_not_show_when_words_overflow(
    words: list[str | None], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(words)))
    whole, parts = HeavyHitters(cap=3), HeavyHitters(cap=3)
    whole.update(words)
    parts.update(words[:cut])
    parts = HeavyHitters.from_state(unpack(pack(parts.state())))
    parts.update(words[cut:])
    assert pack(parts.state()) == pack(whole.state())


@given(spans)
def test_a_count_is_the_least_it_can_be(words: list[list[str]]) -> None:
    # Given windows of panes with more words than are counted one by one
    window = HeavyHitters(cap=3)
    for span in words:
        window.merge(counted(span, cap=3))
    truth = Counter(word for span in words for word in span)
    # Then no event is lost, and none is counted twice
    assert window.n == truth.total()
    assert window.distinct <= 3
    for word, count in window.top(10, floor=1):
        assert truth[word] - window.overflow <= count <= truth[word]


@given(spans)
def test_one_span_is_exact_for_the_words_that_came_first(words: list[list[str]]) -> None:
    for span in words:
        first = list(dict.fromkeys(span))[:3]
        truth = Counter(span)
        assert dict(counted(span, cap=3).top(3, floor=1)) == {word: truth[word] for word in first}


@given(spans)
def test_two_spans_add_up_in_either_order(words: list[list[str]]) -> None:
    one, other = counted(words[0], cap=3), counted(words[-1], cap=3)
    left, right = HeavyHitters(cap=3), HeavyHitters(cap=3)
    left.merge(one)
    left.merge(other)
    right.merge(other)
    right.merge(one)
    assert pack(left.state()) == pack(right.state())


def test_a_merge_keeps_what_is_frequent() -> None:
    # Given a pane full of rare words, and one in which a new word is everywhere
    rare, loud = counted(["a", "b", "c"], cap=3), counted(["x"] * 50 + ["a"], cap=3)
    rare.merge(loud)
    assert rare.top(1) == [("x", 50)]
    assert rare.overflow == 1


def test_a_million_words_fit_the_budget_and_none_of_them_is_shown() -> None:
    hitters = HeavyHitters()
    for start in range(0, 1_000_000, 50_000):
        hitters.update([f"person-{i}@example.org" for i in range(start, start + 50_000)])
    assert len(pack(hitters.state())) < 60 * CAP
    assert hitters.top(10) == []
    assert hitters.get()["overflow_ratio"] > 0.99


def test_a_word_that_few_have_is_shown_to_nobody() -> None:
    hitters = counted(["common"] * 10 + ["rare"] * 9, cap=5)
    assert hitters.top(5) == [("common", 10)]
    assert hitters.top(5, floor=9) == [("common", 10), ("rare", 9)]


def test_long_words_are_cut() -> None:
    hitters = counted(["x" * 500, "x" * 600] * 5, cap=5)
    assert hitters.top(5) == [("x" * WORD_LENGTH, 10)]


def test_other_caps_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="different caps"):
        counted([], cap=3).merge(counted([], cap=4))
