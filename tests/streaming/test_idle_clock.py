"""Idle time stands still in an outage, and a while after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamgauge.streaming.idle_clock import IdleClock
from tests.streaming.fakes import CONFIG

TIMES = replace(CONFIG, tick_seconds=0.5, silence_seconds=2.0, settle_seconds=15.0)


def test_before_the_broker_has_shown_the_end_nothing_is_due() -> None:
    clock = IdleClock(TIMES)
    clock.listen(None, 100.0)
    assert not clock.due(100.0)
    clock.listen(1.0, 100.1)
    assert clock.due(100.1)


def test_ticks_come_at_their_interval_and_know_how_old_the_end_is() -> None:
    clock = IdleClock(TIMES)
    clock.listen(1.0, 100.0)
    clock.ticked(100.0)
    assert not clock.due(100.4)
    assert clock.due(100.5)
    assert clock.age(100.5) == 0.5


@pytest.mark.parametrize(("outage", "quiet"), [(5.0, 5.0), (90.0, 15.0)])
def test_after_an_outage_it_waits_as_long_again_up_to_a_bound(outage: float, quiet: float) -> None:
    clock = IdleClock(TIMES)
    clock.listen(1.0, 100.0)
    # Given that the same answer is all that is known
    clock.listen(1.0, 100.0 + outage)
    assert not clock.due(100.0 + outage)
    # When the end is seen afresh, again and again
    for n in range(200):
        now = 100.0 + outage + n / 10
        clock.listen(2.0 + n, now)
        # Then it is due after the quiet time, no earlier.
        assert clock.due(now) == (now >= 100.0 + outage + quiet)


def test_a_start_without_a_broker_counts_as_an_outage() -> None:
    clock = IdleClock(TIMES, heard=90.0)
    clock.listen(1.0, 100.0)
    assert not clock.due(100.0)
    clock.listen(2.0, 110.0)
    assert not clock.due(110.0), "ten seconds without an answer are another outage"


def test_failures_make_it_wait_longer_each_time_until_one_works() -> None:
    clock = IdleClock(TIMES)
    clock.listen(1.0, 100.0)
    assert [clock.failed(100.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    clock.listen(2.0, 101.0)
    assert not clock.due(101.0)
    clock.ticked(170.0)
    assert clock.failed(170.0) == 1
