"""Watermarks: which events are late, whatever the chunks were."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamgauge.windows.watermark import Progress, Watermark

Floats = NDArray[np.float64]
nan = float("nan")


@pytest.fixture(scope="module", autouse=True, params=[0, 1_000], ids=["at once", "one by one"])
def few(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways of taking a batch: a few events are taken in a loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamgauge.windows.watermark.FEW", request.param)
        yield


class Line(NamedTuple):
    """One record of the log: ours or another model's; its event time and its own timestamp."""

    ours: bool
    event: float
    recorded: float


times = st.one_of(st.floats(0, 200, allow_nan=False), st.integers(0, 20).map(lambda n: n * 10.0))
lines = st.lists(st.builds(Line, st.booleans(), times, st.one_of(times, st.just(nan))), max_size=40)


def read(log: list[Line], cuts: list[int], watermark: Watermark) -> Progress:
    """Feed a log in chunks cut anywhere, as a partition does, and join what was found."""
    found: list[Progress] = []
    log_time = -math.inf
    for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True):
        events, recorded, before = [], [], []
        for line in log[start:end]:
            if line.ours:
                events.append(line.event)
                recorded.append(line.recorded)
                before.append(log_time)
            if line.recorded > log_time:
                log_time = line.recorded
        if events:
            found.append(watermark.observe(np.array(events), np.array(recorded), np.array(before)))
        watermark.advance(log_time)
    none = np.zeros(0)
    found.append(Progress(none, none.astype(np.int64), none.astype(np.bool_)))
    return Progress(
        np.concatenate([each.before for each in found]),
        np.concatenate([each.ticks for each in found]),
        np.concatenate([each.late for each in found]),
    )


def in_bytes(found: Progress, watermark: Watermark) -> tuple[bytes, ...]:
    after = (watermark.value, watermark.event_max, watermark.recorded_at, watermark.settled)
    return (*(column.tobytes() for column in found), np.array(after).tobytes())


@pytest.mark.parametrize("grace", [0.0, 7.5])
@given(log=lines, cuts=st.lists(st.integers(0, 40), max_size=8))
@example(log=[Line(True, 50.0, nan), Line(True, 5.0, 60.0)], cuts=[1])
def test_however_the_log_is_cut(grace: float, log: list[Line], cuts: list[int]) -> None:
    cuts = sorted(min(cut, len(log)) for cut in cuts)
    whole, parts = Watermark(pane=10.0, grace=grace), Watermark(pane=10.0, grace=grace)
    expected = in_bytes(read(log, [], whole), whole)
    assert in_bytes(read(log, cuts, parts), parts) == expected
    one_by_one = Watermark(pane=10.0, grace=grace)
    assert in_bytes(read(log, list(range(len(log))), one_by_one), one_by_one) == expected


def by_the_book(log: list[Line], pane: float, grace: float) -> tuple[list[float], list[bool]]:
    """The definition, record by record, in plain Python."""
    value = event_max = log_time = -math.inf
    recorded_at = nan
    before, late = [], []
    for line in log:
        if line.ours:
            if event_max > -math.inf:
                elapsed = log_time - recorded_at
                value = max(value, event_max + (elapsed if elapsed > 0 else 0.0))
            before.append(value)
            closed = math.floor((value - grace) / pane) if value > -math.inf else -math.inf
            late.append(math.floor(line.event / pane) < closed)
            if line.event > event_max:
                event_max, recorded_at = line.event, line.recorded
        if line.recorded > log_time:
            log_time = line.recorded
    return before, late


def finite(log: list[Line]) -> list[Line]:
    return [line for line in log if not math.isnan(line.recorded)]


@pytest.mark.parametrize("grace", [0.0, 7.5])
@given(log=lines.map(finite))
def test_equal_to_the_definition(grace: float, log: list[Line]) -> None:
    found = read(log, [], Watermark(pane=10.0, grace=grace))
    before, late = by_the_book(log, 10.0, grace)
    assert found.before.tolist() == before
    assert found.late.tolist() == late


@given(log=lines)
def test_never_goes_back(log: list[Line]) -> None:
    found = read(log, [], Watermark(pane=10.0, grace=0.0))
    assert (np.diff(found.ticks) >= 0).all()
    assert all(one <= other for one, other in zip(found.before, found.before[1:], strict=False))


def observe(watermark: Watermark, *events: float, at: float | None = None) -> Progress:
    """Events whose records carry their own time, or all the time ``at``."""
    stamps = np.array(events)
    recorded = stamps if at is None else np.full(len(events), at)
    before = np.concatenate(([-math.inf], np.maximum.accumulate(recorded)[:-1]))
    return watermark.observe(stamps, recorded, before)


def test_an_event_in_an_open_pane_is_in_time() -> None:
    # Given a watermark at 19.9 s, panes of 10 s, no grace
    watermark = Watermark(pane=10.0, grace=0.0)
    # Then 10 to 20 s is open still, and what lies before is late
    assert observe(watermark, 19.9, 10.0, 9.999, 19.0).late.tolist() == [False, False, True, False]


def test_the_moment_a_pane_closes() -> None:
    watermark = Watermark(pane=10.0, grace=0.0)
    assert observe(watermark, 20.0, 19.999, 20.0).late.tolist() == [False, True, False]


def test_grace_keeps_a_pane_open() -> None:
    watermark = Watermark(pane=10.0, grace=30.0)
    found = observe(watermark, 49.0, 10.0, 9.0, 50.0, 19.0, 20.0)
    assert found.late.tolist() == [False, False, True, False, True, False]


def test_an_event_is_never_late_because_of_itself_or_of_a_later_one() -> None:
    found = observe(Watermark(pane=10.0, grace=0.0), 5.0, 1000.0, 6.0)
    assert found.late.tolist() == [False, False, True]
    assert found.before.tolist() == [-math.inf, 5.0, 1000.0]


def test_the_first_event_is_never_late() -> None:
    found = observe(Watermark(pane=10.0, grace=0.0), 3.0)
    assert found.late.tolist() == [False]
    assert found.ticks[0] < -(2**60)


def test_one_event_of_the_future_makes_those_behind_it_late() -> None:
    # That is why the contract refuses far ones before they come here.
    watermark = Watermark(pane=10.0, grace=0.0)
    found = observe(watermark, 100.0, 400.0, 101.0, 102.0, 395.0, 400.0, at=100.0)
    assert found.late.tolist() == [False, False, True, True, True, False]


def test_a_silent_model_is_carried_on_by_the_log() -> None:
    # Given an event of 95 s that was written 5 s later
    watermark = Watermark(pane=10.0, grace=0.0)
    observe(watermark, 95.0, at=100.0)
    assert watermark.tick == 8
    # When the log runs on by 7 s, then event time does too
    watermark.advance(107.0)
    assert watermark.value == 102.0
    assert watermark.tick == 9
    # And an older log time takes nothing back
    watermark.advance(50.0)
    assert watermark.value == 102.0


def test_a_model_never_seen_is_not_carried_on() -> None:
    watermark = Watermark(pane=10.0, grace=0.0)
    watermark.advance(1e9)
    assert watermark.value == -math.inf
    assert watermark.tick < -(2**60)


def test_a_backfill_is_read_at_its_own_time() -> None:
    # Old events written now: event time runs with them, not with the clock of the log.
    watermark = Watermark(pane=10.0, grace=0.0)
    events = np.arange(0.0, 1000.0, 5.0)
    recorded = np.linspace(1e6, 1e6 + 0.2, 200)
    found = watermark.observe(events, recorded, np.concatenate(([-math.inf], recorded[:-1])))
    assert not found.late.any()
    assert watermark.value == pytest.approx(995.0)


def test_records_without_a_time_still_move_it() -> None:
    watermark = Watermark(pane=10.0, grace=0.0)
    stamps = np.array([50.0, 5.0, 51.0])
    found = watermark.observe(stamps, np.full(3, nan), np.full(3, -math.inf))
    assert found.late.tolist() == [False, True, False]
    watermark.advance(1e9)
    assert watermark.value == 51.0


def test_an_empty_batch_changes_nothing() -> None:
    watermark = Watermark(pane=10.0, grace=0.0)
    observe(watermark, 42.0)
    before = (watermark.value, watermark.settled, watermark.event_max, watermark.recorded_at)
    none = np.zeros(0)
    assert len(watermark.observe(none, none, none).late) == 0
    after = (watermark.value, watermark.settled, watermark.event_max, watermark.recorded_at)
    assert after == before


def test_settling_keeps_a_closed_pane_closed() -> None:
    # Given a pane that was closed by the log alone, and a restart that knows only what is settled
    watermark = Watermark(pane=10.0, grace=5.0)
    observe(watermark, 12.0)
    watermark.advance(40.0)
    watermark.settle(watermark.tick)
    restored = Watermark(pane=10.0, grace=5.0, value=watermark.settled)
    # Then it closes the same panes
    assert restored.tick == watermark.tick == 2
    restored.settle(0)
    assert watermark.settled == 35.0
