"""Steps stay short, and large states are written less often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamgauge.streaming.pace import SMALLEST_STEP, Pace, checkpoint_interval
from tests.streaming.fakes import CONFIG

MIB = 1024 * 1024


def test_a_step_that_holds_everything_up_is_halved_down_to_a_few_records() -> None:
    pace = Pace(longest=0.25, most=2000)
    for _ in range(20):
        before = pace.size
        pace.took(1.0, pace.size)
        assert pace.size == max(SMALLEST_STEP, before // 2)
    assert pace.size == SMALLEST_STEP


def test_full_quick_steps_grow_up_to_the_most_and_others_do_not() -> None:
    pace = Pace(longest=0.25, most=2000)
    pace.took(0.01, 3)
    assert pace.size == 500
    for _ in range(5):
        pace.took(0.01, pace.size)
    assert pace.size == 2000
    pace.took(0.2, 2000)
    assert pace.size == 2000


@pytest.mark.parametrize(
    ("dirty", "seconds"), [(0, 0.5), (MIB, 0.5), (6 * MIB, 3.0), (99 * MIB, 5)]
)
def test_the_interval_follows_what_changed_within_its_bounds(dirty: int, seconds: float) -> None:
    config = replace(
        CONFIG,
        checkpoint_min_seconds=0.5,
        checkpoint_max_seconds=5.0,
        checkpoint_bytes_per_second=2 * MIB,
    )
    assert checkpoint_interval(config, dirty) == seconds
