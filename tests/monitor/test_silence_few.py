"""A few records are taken one by one, many at once: the silence of a series is the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.monitor import silence
from streamgauge.monitor.silence import Silence

#: Seconds between records: none, ordinary, about the least that is a silence, and hours.
GAPS = st.one_of(
    st.just(0.0),
    st.floats(0.0, 5.0),
    st.sampled_from([59.0, 60.0, 61.0, 300.0, 3599.0, 3600.0, 20_000.0]),
)


@given(
    gaps=st.lists(GAPS, min_size=1, max_size=60),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=8),
    after=st.sampled_from([None, 2.0, 100.0]),
)
def test_one_by_one_or_at_once_is_the_same(
    gaps: list[float], sizes: list[int], after: float | None
) -> None:
    # Given a log with pauses, in batches of any size
    times = 1_790_000_000.0 + np.cumsum(gaps)
    cuts = sorted({min(cut, len(gaps)) for cut in itertools.accumulate(sizes)} - {0})
    batches = [part for part in np.split(times, cuts) if len(part)]
    found = []
    # When it is taken in both ways
    for few in (0, 1_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(silence, "FEW", few)
            subject = Silence()
            told = [subject.take(each, learn_seconds=10.0, after=after) for each in batches]
            found.append((told, repr(subject.state())))
    # Then they tell the same and know the same
    assert found[0] == found[1]
