from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.state.positions import Positions

names = st.sampled_from(["predictions", "labels", "feedback", "models"])


@given(st.integers(0, 2**60), st.dictionaries(names, st.integers(0, 2**62)))
def test_text_comes_back(number: int, offsets: dict[str, int]) -> None:
    positions = Positions(number, offsets)
    assert Positions.parse(positions.text) == positions


def test_topics_are_sorted_whatever_their_order() -> None:
    a, b = {"x": 1, "y": 2}, {"y": 2, "x": 1}
    assert Positions(3, a).text == Positions(3, b).text == "#3;x=1;y=2"


def test_lost_stays_lost_until_a_checkpoint() -> None:
    lost = Positions.parse("#0;lost")
    assert lost.lost
    assert lost.text == "#0;lost"
    assert lost.advanced({"x": 4}).text == "#1;x=4"


@pytest.mark.parametrize("text", ["", "17;x=1", "#x", "#1;x", "#1;x=y"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Positions.parse(text)
