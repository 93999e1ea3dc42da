"""Codes for "no value" are counted, and values that only look like them are not."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.metrics.sentinels import SENTINELS, Sentinels
from streamgauge.state.packing import pack


@pytest.mark.parametrize("code", SENTINELS.tolist())
def test_every_code_is_found_among_values(code: float) -> None:
    sentinels = Sentinels()
    sentinels.update(np.array([0.5, code, -3.0, 1234.5, code]))
    assert sentinels.found() == {code: 2}
    assert sentinels.get() == {"sentinel_ratio": 0.4}
    assert Sentinels.from_state(sentinels.state()).found() == {code: 2}


@pytest.mark.parametrize("value", [-1.0, 99.0, 999.5, 998.0, 1e10, 2.0**30, -998.9999, 0.0, 1e308])
def test_ordinary_values_are_none(value: float) -> None:
    sentinels = Sentinels()
    sentinels.update(np.array([value, -value]))
    assert sentinels.found() == {}


def test_a_column_of_a_thousand_features_costs_no_state() -> None:
    sentinels = Sentinels()
    sentinels.update(np.arange(100.0))
    assert len(pack(sentinels.state())) < 50


def test_events_that_stand_for_several_count_as_many() -> None:
    sentinels = Sentinels()
    sentinels.update(np.array([-999.0, 5.0, 9999.0]), np.array([10, 5, 1]))
    assert sentinels.found() == {-999.0: 10, 9999.0: 1}
    assert sentinels.n == 16
