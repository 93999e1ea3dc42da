"""ADWIN: the anchors of River's own suite, and equality with River's public class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river.drift import ADWIN as RiverADWIN

from streamgauge.detectors import ADWIN

Floats = NDArray[np.float64]


def anchor_stream() -> Floats:
    """Stream s1 of River's tests: the legacy generator, so that it never changes."""
    rng = np.random.RandomState(12345)
    stream = np.concatenate((rng.randint(2, size=1000), rng.randint(8, size=1000)))
    return stream.astype(np.float64)


def bernoulli(*rates: float, n: int = 1000, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.concatenate([(rng.random(n) < rate).astype(np.float64) for rate in rates])


def by_river(stream: Floats, **params: Any) -> tuple[list[int], list[float]]:
    """Detections and estimates of River's class, fed as its documentation says."""
    detector = RiverADWIN(**params)
    found, estimates = [], []
    for index, value in enumerate(stream.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(index)
        estimates.append(detector.estimation)
    return found, estimates


def test_anchor() -> None:
    # Releases before 0.26 said 1055: an upgrade that moves the line must be seen.
    assert ADWIN().update_many(anchor_stream()) == [1023]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"delta": 0.05},
        {"delta": 1e-5},
        {"clock": 1},
        {"clock": 100, "grace_period": 200},
        {"delta": 0.3, "clock": 8, "grace_period": 5},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_equals_river(params: dict[str, Any], seed: int) -> None:
    stream = bernoulli(0.2, 0.5, 0.9, 0.1, seed=seed)
    detector, estimates, found = ADWIN(**params), [], []
    for index, value in enumerate(stream.tolist()):
        detector.update(value)
        found += [index] if detector.drift_detected else []
        estimates.append(detector.estimate)
    assert (found, estimates) == by_river(stream, **params)
    assert found, "streams without a detection prove nothing"


def test_two_sided() -> None:
    # A falling error rate is a change too: who wants only the harmful one must look at the mean.
    rising, falling = (ADWIN().update_many(bernoulli(*r, seed=3)) for r in ((0.2, 0.5), (0.5, 0.2)))
    assert rising and falling
    assert min(rising + falling) >= 1000


def test_mean_delay_is_what_it_was() -> None:
    # Error rate 0.2 to 0.5 over 30 streams: 100 events on average, none missed.
    delays = []
    for seed in range(30):
        found = ADWIN().update_many(bernoulli(0.2, 0.5, seed=seed))
        delays += [index - 1000 for index in found if index >= 1000][:1]
    assert len(delays) == 30
    assert 60 <= float(np.mean(delays)) <= 140


def test_the_estimate_is_the_mean_of_what_agrees() -> None:
    detector = ADWIN()
    stream = bernoulli(0.1, 0.9, n=2000, seed=11)
    assert detector.update_many(stream)
    assert detector.estimate == pytest.approx(0.9, abs=0.03)


def state_of(n: int = 500) -> list[Any]:
    detector = ADWIN()
    detector.update_many(bernoulli(0.2, seed=1, n=n))
    return detector.state()


@pytest.mark.parametrize(
    "inside",
    [b"garbage", b"\0" * 1700, state_of()[2][:-1], state_of()[2][:100], state_of()[2] + b"\0", "a"],
    ids=["text", "zeros", "a byte short", "cut", "a byte long", "no bytes"],
)
def test_garbage_is_refused_and_changes_nothing(inside: object) -> None:
    # River's core panics on some of these, and prints that it does.
    detector = ADWIN()
    detector.update_many(bernoulli(0.2, seed=2))
    before = detector.state()
    with pytest.raises(ValueError, match="not the state of an ADWIN"):
        detector.restore([500, False, inside])
    assert detector.state() == before
    assert detector.update_many(bernoulli(0.9, seed=2))


@pytest.mark.parametrize("samples", ["a", None, -1, 1.5])
def test_a_count_that_is_none_is_refused(samples: object) -> None:
    with pytest.raises(ValueError, match="not the state of an ADWIN"):
        ADWIN().restore([samples, False, state_of()[2]])


def test_rises_only_leaves_falls_out_and_goes_on_as_river_does() -> None:
    for seed in range(5):
        stream = bernoulli(0.2, 0.8, 0.2, 0.7, 0.1, seed=seed)
        # Given what River finds, with its estimate at that moment, and the mean of all before it
        both = ADWIN().detect_many(stream)
        start, rises = 0, []
        for each in both:
            rises += [each] if each.estimate > stream[start : each.index + 1].mean() else []
            start = each.index + 1
        assert len(both) >= 4 and 0 < len(rises) < len(both)
        # Then only the rises are told, and the state is the same
        detector = ADWIN(rises_only=True)
        assert detector.detect_many(stream) == rises
        plain = ADWIN()
        plain.update_many(stream)
        assert detector.state()[:3] == plain.state()


def test_a_fall_that_was_left_out_survives_a_restart() -> None:
    # Given a detector at the very value at which River found a fall
    stream = bernoulli(0.8, 0.2, 0.8, n=500, seed=4)
    fall, *later = ADWIN().update_many(stream)
    assert 500 <= fall < 1000 <= later[-1]
    detector = ADWIN(rises_only=True)
    assert detector.update_many(stream[: fall + 1]) == []
    assert not detector.drift_detected and detector.width < fall
    # When it is restored there, then it says so still, and starts afresh with the next value
    second = ADWIN(rises_only=True)
    second.restore(detector.state())
    assert not second.drift_detected
    found = second.update_many(stream[fall + 1 :])
    assert [fall + 1 + index for index in found] == later
    # And it is no state of a detector that hears both.
    with pytest.raises(ValueError, match="three values are wanted"):
        ADWIN().restore(detector.state())
    with pytest.raises(ValueError, match="four values are wanted"):
        ADWIN(rises_only=True).restore(ADWIN().state())


def test_rises_only_however_the_stream_is_cut() -> None:
    # The sums are not exact here: one order of adding only gives the same verdict.
    rng = np.random.default_rng(6)
    stream = np.concatenate([rng.normal(mean, 0.1, 400) for mean in (0.1, 0.7, 0.2, 0.9)])
    whole = ADWIN(rises_only=True, clock=1).update_many(stream)
    assert len(whole) == 2
    for size in (1, 7, 64, 500):
        parts, found = ADWIN(rises_only=True, clock=1), []
        for start in range(0, len(stream), size):
            found += [start + index for index in parts.update_many(stream[start : start + size])]
        assert found == whole


def test_the_window_that_was_kept_bounds_the_age_of_the_change() -> None:
    # It reaches back to before the change, and only by accident not so far.
    for seed in range(30):
        found = ADWIN().detect_many(bernoulli(0.2, 0.6, seed=seed))
        first = next(each for each in found if each.index >= 1000)
        assert first.width is not None and 0.2 < first.estimate <= 0.6
        assert 0 < first.index + 1 - first.width <= 1000
        # River had thrown it away with the next value: the count must be read at that moment.
        river = RiverADWIN()
        for value in bernoulli(0.2, 0.6, seed=seed)[: first.index + 1].tolist():
            river.update(value)
        assert (river.width, river.estimation) == (first.width, first.estimate)
