"""Tags by how much of the error they could save."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.metrics.error_tags import TAG_LENGTH, ErrorTags
from streamgauge.state.packing import pack, unpack


def of(*events: tuple[str, bool], **options: Any) -> ErrorTags:
    """Events by the words of their tags, and whether each was wrong."""
    made = ErrorTags(**options)
    made.update([words.split() for words, _ in events], np.array([wrong for _, wrong in events]))
    return made


def test_a_common_tag_with_a_small_gap_can_matter_more() -> None:
    # Given 1,000 images at 10 % error: 40 blurred, half of them wrong; 500 at night, 14 % wrong
    blurred = [("blurred", wrong < 20) for wrong in range(40)]
    night = [("night", wrong < 70) for wrong in range(500)]
    rest = [("", wrong < 10) for wrong in range(460)]
    found = of(*blurred, *night, *rest).ranked()
    # Then night comes first: of all errors, more could be saved there
    assert [each.tag for each in found] == ["night", "blurred"]
    first = found[0]
    assert (first.n, first.errors, first.share, first.error_ratio) == (500, 70, 0.5, 0.14)
    assert first.gap == pytest.approx(0.04) and first.impact == pytest.approx(0.02)
    assert found[1].impact == pytest.approx(0.04 * 0.4)


def test_impact_is_what_the_error_would_fall_by() -> None:
    # Given a tag whose events are brought down to the baseline
    made = of(*[("a b", n < 6) for n in range(20)], *[("", n < 4) for n in range(80)])
    (found, _) = made.ranked(baseline=0.05, fewest=1)
    # Then 6 errors become 1, and 10 % error 5 %
    assert made.get()["error_ratio"] - (10 - 6 + 20 * 0.05) / 100 == pytest.approx(found.impact)


def test_few_events_are_not_ranked() -> None:
    made = of(*[("rare", True)] * 29, *[("often", False)] * 30)
    assert [each.tag for each in made.ranked()] == ["often"]
    assert [each.tag for each in made.ranked(fewest=1)] == ["rare", "often"]
    assert [each.tag for each in made.ranked(fewest=1, k=1)] == ["rare"]


def test_equal_tags_are_ranked_by_name() -> None:
    events = [(words, wrong) for words in ("c a", "b c", "a b") for wrong in (True, False)]
    assert [each.tag for each in of(*events).ranked(fewest=1)] == ["a", "b", "c"]


def test_a_tag_that_is_said_twice_is_one() -> None:
    (found,) = of(("x x x", True), ("", False)).ranked(fewest=1)
    assert (found.n, found.errors, found.share) == (1.0, 1.0, 0.5)


def test_weights_are_that_many_events() -> None:
    made = ErrorTags()
    made.update([["a"], ["a", "b"], []], np.array([True, False, False]), np.array([3.0, 0.0, 5.0]))
    (found,) = made.ranked(fewest=1)
    assert found[:4] == ("a", 3.0, 3.0, 3 / 8) and made.tags() == ["a"]


def test_a_long_tag_is_cut() -> None:
    assert of(("t" * 500, True)).tags() == ["t" * TAG_LENGTH]


@given(words=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), data=st.data())
def test_more_tags_than_there_may_be(words: list[str], data: st.DataObject) -> None:
    # Given room for three tags, and events that come in pieces
    whole, cut = of(*[(word, True) for word in words], most=3), ErrorTags(most=3)
    at = data.draw(st.integers(0, len(words)))
    for part in (words[:at], words[at:]):
        cut.update([[word] for word in part], np.ones(len(part), dtype=np.bool_))
    # Then the first three are counted fully, the others together, and cuts do not show
    first = list(dict.fromkeys(words))[:3]
    assert whole.tags() == sorted(first)
    assert whole.overflow == sum(word not in first for word in words)
    assert pack(cut.state()) == pack(whole.state())
    # And of two such, the most frequent are kept.
    other = of(*[("z", False)] * 70, most=3)
    whole.merge(other)
    assert len(whole.tags()) == min(3, len(first) + 1) and "z" in whole.tags()
    assert whole.n == len(words) + 70
    counted = sum(each.n for each in whole.ranked(fewest=0))
    assert counted + whole.overflow == whole.n
    restored = ErrorTags.from_state(unpack(pack(whole.state())))
    assert pack(restored.state()) == pack(whole.state())


def test_nothing_is_ranked_nowhere() -> None:
    assert ErrorTags().ranked() == [] and ErrorTags().get() == {}
    assert of(("", True)).get() == {"n": 1.0, "error_ratio": 1.0, "tags": 0.0}


def test_refuses() -> None:
    with pytest.raises(ValueError, match="one per row"):
        ErrorTags().update([["a"]], np.array([True, False]))
    with pytest.raises(ValueError, match="baseline"):
        of(("a", True)).ranked(baseline=1.5)
    with pytest.raises(ValueError, match="different limits"):
        ErrorTags(most=3).merge(ErrorTags())
