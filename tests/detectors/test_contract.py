"""What every detector must do, whichever file it stands in."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import poisson

from streamgauge.detectors import Detection, Detector
from streamgauge.plugins import PluginError
from streamgauge.state.packing import pack, unpack

Floats = NDArray[np.float64]
Make = type[Detector]

#: A registered detector is in the suite without being listed here.
every_detector = pytest.mark.parametrize("make", Detector.classes().values(), ids=Detector.names())


def errors(*rates: float, n: int = 600, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.concatenate([(rng.random(n) < rate).astype(np.float64) for rate in rates])


def shifting(make: Make, *, seed: int, before: int = 600, after: int = 600) -> Floats:
    """What the detector takes, with an obvious rise: ranks of over five deviations, or errors."""
    if make.series == "error":
        return np.concatenate(
            [errors(0.2, n=before, seed=seed), errors(0.8, n=after, seed=seed + 1000)]
        )
    rng = np.random.default_rng(seed)
    low, high = rng.normal(0.3, 0.05, before), rng.normal(0.7, 0.05, after)
    return np.clip(np.concatenate((low, high)), 0.0, 1.0)


def restarted(make: Make, detector: Detector) -> Detector:
    """The detector as a restart finds it: through the bytes of a checkpoint."""
    fresh = make()
    fresh.restore(unpack(pack(detector.state())))
    return fresh


@every_detector
@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 1.0, -3.25, 1e6])
def test_silent_on_a_constant_stream(make: Make, level: float) -> None:
    level = level if make.series == "any" else float(level > 0.5)
    detector = make()
    assert detector.update_many(np.full(5000, level)) == []
    assert not detector.drift_detected and not detector.warning_detected
    assert detector.estimate == pytest.approx(level)


@every_detector
def test_silent_while_it_warms_up(make: Make) -> None:
    detector = make()
    assert detector.needed > 0
    assert detector.estimate is None
    # The largest change there is, and still nothing to say.
    values = (np.arange(detector.needed - 1) >= detector.needed // 2).astype(np.float64)
    for value in values.tolist():
        detector.update(value)
        assert not detector.drift_detected
    assert detector.samples == detector.needed - 1


@every_detector
def test_as_rarely_wrong_on_a_stationary_stream_as_it_promises(make: Make) -> None:
    found = 0
    for seed in range(5):
        ranks = np.random.default_rng(seed).random(10_000)
        quiet = ranks if make.series == "any" else (ranks < 0.2).astype(np.float64)
        found += len(make().update_many(quiet))
    promised = 5 * make.false_alarms
    # Of a promise of none there is no share.
    least, most = (poisson.ppf(share, promised) if promised else 0 for share in (0.001, 0.999))
    assert least <= found <= most


@every_detector
@pytest.mark.parametrize("seed", range(5))
def test_fires_on_an_obvious_shift(make: Make, seed: int) -> None:
    found = make().update_many(shifting(make, seed=seed))
    assert found, "an obvious shift went unnoticed"
    if make.series == "any":
        assert 600 <= found[0] < 800


@every_detector
@pytest.mark.parametrize("rises", [True, False])
def test_hears_changes_of_its_direction_only(make: Make, rises: bool) -> None:
    # Given the same streams, turned round where the level is to fall
    heard = 0
    for seed in range(20):
        stream = shifting(make, seed=seed)
        found = make().update_many(stream if rises else 1.0 - stream)
        heard += any(600 <= index < 800 for index in found)
    # Then its own are heard, and of the others no more than by accident. A false alarm shortly
    # before the change leaves nothing to compare with.
    if make().direction in ("both", "up" if rises else "down"):
        assert heard == 20 or (heard >= 17 and make.false_alarms > 0.2)
    else:
        assert heard <= 4


@every_detector
def test_on_errors_a_fall_is_not_told(make: Make) -> None:
    assert Detector.create_for_errors(make.name).direction == "up"
    for seed in range(5):
        rise, fall = errors(0.1, 0.9, seed=seed), errors(0.9, 0.1, seed=seed)
        assert Detector.create_for_errors(make.name).update_many(rise)
        found = Detector.create_for_errors(make.name).update_many(fall)
        assert found == [] or make.false_alarms > 1


@every_detector
def test_a_detection_is_told_as_it_looked_at_that_moment(make: Make) -> None:
    stream, single = np.concatenate([shifting(make, seed=each) for each in (1, 2)]), make()
    expected = []
    for index, value in enumerate(stream.tolist()):
        single.update(value)
        if single.drift_detected:
            assert single.estimate is not None
            expected.append(Detection(index, single.estimate, single.width))
    assert len(expected) >= 2
    assert make().detect_many(stream) == expected
    for each in expected:
        assert each.width is None or 0 < each.width <= each.index + 1


@every_detector
def test_severity_reaches_one_exactly_when_it_fires(make: Make) -> None:
    detector, told = make(), 0
    for value in np.concatenate([shifting(make, seed=each) for each in (1, 2, 3)]).tolist():
        detector.update(value)
        severity = detector.severity
        if severity is None:
            continue
        told += 1
        assert np.isfinite(severity) and severity >= 0
        if abs(severity - 1) > 1e-9:
            assert (severity > 1) is detector.drift_detected
    # Who tells one tells it always, but for the first values of each start.
    assert told == 0 or told > 1000


@every_detector
def test_one_value_at_a_time_is_the_same(make: Make) -> None:
    stream, single = shifting(make, seed=1), make()
    found = []
    for index, value in enumerate(stream.tolist()):
        single.update(value)
        if single.drift_detected:
            found.append(index)
    assert found == make().update_many(stream)


@every_detector
@pytest.mark.parametrize("seed", range(3))
def test_starts_afresh_on_the_update_after_a_detection(make: Make, seed: int) -> None:
    stream, detector = shifting(make, seed=seed, after=2000), make()
    next_value = 0.25 if make.series == "any" else 1.0
    first = make().update_many(stream)[0]

    # Given a detector that has just detected
    detector.update_many(stream[: first + 1])
    assert detector.drift_detected
    # When the next value comes, then nothing before it counts
    detector.update(next_value)
    assert not detector.drift_detected
    assert detector.estimate == pytest.approx(next_value)
    # And from there on it is a new detector, with the count of samples alone carried on
    new, rest = make(), stream[first + 1 :]
    new.update(next_value)
    assert detector.update_many(rest) == new.update_many(rest)
    assert detector.state()[1:] == new.state()[1:]
    assert detector.samples == first + 2 + len(rest)


@every_detector
def test_a_restored_detector_continues_identically(make: Make) -> None:
    stream = np.concatenate((shifting(make, seed=4), shifting(make, seed=5)))
    whole = make()
    found = whole.update_many(stream)
    assert len(found) >= 2
    around = [index + step for index in found for step in (0, 1, 2)]
    for cut in sorted({0, 1, 2, 31, 32, 33, 500, *around, len(stream)}):
        first = make()
        before = first.update_many(stream[:cut])
        second = restarted(make, first)
        for read in ("drift_detected", "warning_detected", "estimate", "severity", "width"):
            assert getattr(second, read) == getattr(first, read), f"{read}, cut at {cut}"
        after = second.update_many(stream[cut:])
        assert before + [cut + index for index in after] == found, f"cut at {cut}"
        assert pack(second.state()) == pack(whole.state()), f"cut at {cut}"


@every_detector
def test_state_stays_small(make: Make) -> None:
    detector = make()
    rng = np.random.default_rng(9)
    for _ in range(20):
        values = rng.random(10_000)
        detector.update_many(values if make.series == "any" else (values < 0.2).astype(np.float64))
        assert len(pack(detector.state())) < 8192


@every_detector
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 1e154])
@pytest.mark.parametrize("place", [0, 50, 99])
def test_refuses_poison_and_is_none_the_worse(make: Make, poison: float, place: int) -> None:
    stream, detector = shifting(make, seed=6), make()
    detector.update_many(stream[:500])
    before = pack(detector.state())
    poisoned = stream[500:600].copy()
    poisoned[place] = poison
    with pytest.raises(ValueError, match="finite"):
        detector.update_many(poisoned)
    with pytest.raises(ValueError, match="finite"):
        detector.update(poison)
    # Nothing of the refused batch was taken.
    assert pack(detector.state()) == before
    whole = make().update_many(stream)
    assert detector.update_many(stream[500:]) == [each - 500 for each in whole if each >= 500]


@every_detector
@pytest.mark.parametrize("odd", [-0.0, 5e-324, -5e-324, 2.3e-308, 1.0000000000000002])
def test_odd_small_numbers_do_it_no_harm(make: Make, odd: float) -> None:
    stream, detector = shifting(make, seed=7), make()
    detector.update_many(stream[:100])
    if make.series == "error" and odd:
        with pytest.raises(ValueError, match="takes errors only"):
            detector.update_many(np.full(10, odd))
    else:
        detector.update_many(np.full(10, odd))
    found = detector.update_many(stream[100:])
    assert any(500 <= index < 700 for index in found), "it never fired again"


@every_detector
@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, 1e-9])
def test_who_takes_errors_takes_nothing_else(make: Make, value: float) -> None:
    stream, detector = shifting(make, seed=7), make()
    detector.update_many(stream[:100])
    before = pack(detector.state())
    if make.series == "any":
        detector.update(value)
        return
    with pytest.raises(
        ValueError, match=f"{make.name} takes errors only: 1 where .* wrong, else 0"
    ):
        detector.update_many(np.append(stream[100:], value))
    assert pack(detector.state()) == before


@every_detector
def test_the_two_zeros_are_one(make: Make) -> None:
    stream = shifting(make, seed=7)
    first, second = make(), make()
    assert first.update_many(stream) == second.update_many(np.where(stream == 0, -0.0, stream))
    if make.series == "error":
        assert pack(first.state()) == pack(second.state())
        first, second = make(), make()
        first.update_many(np.zeros(5))
        second.update_many(-np.zeros(5))
        assert pack(first.state()) == pack(second.state())


@every_detector
@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 1200), max_size=12).map(sorted),
    seed=st.integers(0, 20),
)
def test_however_the_stream_is_cut(make: Make, cuts: list[int], seed: int) -> None:
    stream, whole, parts = shifting(make, seed=seed), make(), make()
    found: list[int] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += [start + index for index in parts.update_many(stream[start:end])]
    assert found == whole.update_many(stream)
    assert pack(parts.state()) == pack(whole.state())


@every_detector
@pytest.mark.parametrize("garbage", [None, 5, "text", [], [1], {}, [None] * 3, [0, False, b""]])
def test_refuses_a_state_it_can_not_read(make: Make, garbage: object) -> None:
    detector = make()
    detector.update_many(shifting(make, seed=8)[:300])
    before = pack(detector.state())
    with pytest.raises(ValueError, match="state"):
        detector.restore(garbage)  # type: ignore[arg-type]
    assert pack(detector.state()) == before


@every_detector
def test_says_how_to_use_it_and_where_it_is_from(make: Make) -> None:
    text = inspect.getdoc(make) or ""
    assert "Examples\n--------\n>>> " in text
    assert "References\n----------\n" in text
    assert "false alarms" in text


@every_detector
def test_every_parameter_has_a_name_and_a_default(make: type[Detector]) -> None:
    assert Detector.create(make.name).state() == make().state()
    for parameter in inspect.signature(make).parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(PluginError, match="did you mean 'adwin'"):
        Detector.create("adwim")
    with pytest.raises(PluginError, match="no parameter 'detla'; did you mean 'delta'"):
        Detector.create("adwin", detla=0.1)


def test_unknown_parameters_of_every_detector_are_told_with_the_known_ones() -> None:
    for name, make in Detector.classes().items():
        parameter = next(iter(inspect.signature(make).parameters))
        with pytest.raises(PluginError, match=f"{name}' has no parameter .* mean '{parameter}'"):
            Detector.create(name, **{parameter + "x": 1})
    with pytest.raises(PluginError, match="did you mean 'hddm_a'"):
        Detector.create("hdm_a")
    with pytest.raises(PluginError, match="did you mean 'page_hinkley'"):
        Detector.create_for_errors("page_hinkly")
    # What is asked for stands above what errors want.
    assert Detector.create_for_errors("page_hinkley", mode="both").direction == "both"
