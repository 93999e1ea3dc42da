"""Judgement windows: panes merged until there is enough to judge, or time is up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.metrics.histogram import Histogram
from streamgauge.windows.judgement import Fullness, JudgementWindow, WindowRule

DEFAULT = WindowRule(pane=10.0, min_duration=60.0, min_events=500, max_duration=86_400.0)
HOUR = 3600.0


def pane(n: int) -> Histogram:
    """Contents of a pane with ``n`` events."""
    made = Histogram(bins=1)
    made.update(np.zeros(n, dtype=np.intp))
    return made


def window(n: int, seconds: float, *, start: float = 1_790_000_000.0) -> JudgementWindow[Histogram]:
    return JudgementWindow(pane(n), start, start + seconds)


@pytest.mark.parametrize(
    ("n", "seconds", "expected"),
    [
        # Both are needed.
        (500, 60.0, "full"),
        (499, 60.0, "open"),
        (500, 50.0, "open"),
        (1_000_000, 10.0, "open"),
        (0, 60.0, "open"),
        (499, 12 * HOUR, "open"),
        (500, 12 * HOUR, "full"),
        # Time is up, whether there is enough or not.
        (499, 24 * HOUR, "too_few"),
        (0, 24 * HOUR, "too_few"),
        (1, 48 * HOUR, "too_few"),
        (500, 24 * HOUR, "full"),
        (499, 24 * HOUR - 10.0, "open"),
    ],
)
def test_fullness(n: int, seconds: float, expected: Fullness) -> None:
    assert window(n, seconds).fullness(DEFAULT) == expected


@pytest.mark.parametrize("length", [0.1, 0.3, 1.0, 1.1, 10.0])
def test_sums_of_decimal_fractions_do_not_cost_a_pane(length: float) -> None:
    # Given panes whose bounds are index times length, as the monitor makes them
    rule = WindowRule(pane=length, min_duration=60 * length, min_events=1, max_duration=1e6)
    for first in range(1_790_000_000, 1_790_000_400, 7):
        made = JudgementWindow(pane(1), first * length, (first + 59) * length)
        assert made.fullness(rule) == "open"
        made.add(pane(1), (first + 59) * length, (first + 60) * length)
        assert made.fullness(rule) == "full"


@given(panes=st.lists(st.tuples(st.integers(0, 400), st.booleans()), min_size=1, max_size=60))
def test_a_window_is_the_union_of_its_panes(panes: list[tuple[int, bool]]) -> None:
    # Panes with a gap before them where the model was silent.
    start, at = 1000.0, 1000.0
    made = JudgementWindow(Histogram(bins=1), start, start)
    for n, gap in panes:
        at += 30.0 * gap
        made.add(pane(n), at, at + 10.0)
        at += 10.0
    assert made.contents.n == sum(n for n, _ in panes)
    assert (made.start, made.end) == (start, at)


@given(panes=st.lists(st.integers(0, 400), min_size=1, max_size=200))
def test_every_event_is_judged_once_or_waits(panes: list[int]) -> None:
    rule = WindowRule(pane=1.0, min_duration=5.0, min_events=500, max_duration=30.0)
    judged, current = 0, None
    for index, n in enumerate(panes):
        if current is None:
            current = JudgementWindow(Histogram(bins=1), float(index), index + 1.0)
        current.add(pane(n), float(index), index + 1.0)
        fullness = current.fullness(rule)
        length = current.end - current.start
        if fullness == "full":
            assert current.contents.n >= 500 and length >= 5.0
        elif fullness == "too_few":
            assert current.contents.n < 500 and length == 30.0
        if fullness != "open":
            judged, current = judged + current.contents.n, None
    assert judged + (current.contents.n if current else 0) == sum(panes)


@pytest.mark.parametrize(
    ("rate", "expected"), [(1 / 60, 500 * 60.0), (10.0, 60.0), (10_000.0, 60.0)]
)
def test_slow_and_fast_models_need_no_configuration(rate: float, expected: float) -> None:
    made, seconds = window(0, 0.0), 0.0
    while made.fullness(DEFAULT) == "open":
        before = int(rate * seconds)
        seconds += 10.0
        at = 1_790_000_000.0 + seconds
        made.add(pane(int(rate * seconds) - before), at - 10.0, at)
    assert made.fullness(DEFAULT) == "full"
    assert seconds == pytest.approx(expected, abs=10.0)
