"""Clocks that are wrong, and local times that were taken for UTC."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.metrics.skew import Skew


def lagging(*lags: float) -> Skew:
    skew = Skew()
    events = np.full(len(lags), 1_790_000_000.0)
    skew.update(events + np.array(lags), events)
    return skew


@pytest.mark.parametrize(("lag", "ahead"), [(0.0, 0), (-4.9, 0), (-5.1, 1), (-61.0, 1), (9e9, 0)])
def test_ahead_means_more_than_five_seconds(lag: float, ahead: int) -> None:
    assert lagging(lag).ahead == ahead


@pytest.mark.parametrize("hour", range(1, 13))
def test_whole_hours_are_seen(hour: int) -> None:
    skew = lagging(hour * 3600 + 0.3, hour * 3600 + 20.0, 0.2, 0.1)
    assert skew.hour == hour
    assert skew.get()["hour_ratio"] == 0.5


def test_a_nightly_file_is_no_time_zone() -> None:
    # Given a day's events that come together, none of them near its time
    skew = lagging(*np.linspace(600, 86_000, 2_000).tolist())
    # Then few of them are a whole number of hours late by chance: 125 s of each hour
    assert skew.get()["hour_ratio"] < 0.05


def test_events_in_time_are_neither() -> None:
    figures = lagging(0.02, 0.3, 0.7, 2.0).get()
    assert (figures["ahead_ratio"], figures["hour_ratio"]) == (0.0, 0.0)
    assert 0.0 <= figures["lag_p50"] <= 1.0
    assert lagging().get() == {}
    assert lagging(1.0).hour == 0
