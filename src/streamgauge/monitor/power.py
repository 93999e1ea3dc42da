"""What a spec can find at a given traffic: which shift, after how long, at which level."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import ncx2

from streamgauge.alarms.policy import ENOUGH, MEMORY
from streamgauge.distances import JensenShannon
from streamgauge.distances.base import degrees_of_freedom, sampling_noise, small_sample
from streamgauge.monitor.calibration import TAIL, merge_rare, regroup
from streamgauge.monitor.judge import EFFECT_FLOOR, alpha
from streamgauge.monitor.target import SAMPLE
from streamgauge.references.bins import numeric_bins
from streamgauge.specs.model_spec import ModelSpec

#: Score, class and latency are judged beside the features.
OUTPUTS = 3
#: What "found" means: so surely, within so many windows.
SURE, WITHIN_WINDOWS = 0.95, 5
#: Windows after which a shift that is still not found is called not found.
PATIENCE_WINDOWS = 1000
#: Events of a profile whose size is not known.
PROFILE_EVENTS = 50_000
SHIFTS = (0.25, 0.5, 1.0, 2.0)

_js = JensenShannon()
_MOST_SAMPLE = 10_000


class Window(NamedTuple):
    """A judgement window at some rate. ``judged`` is False where it ends as TOO FEW."""

    seconds: float
    events: int
    judged: bool


class Shift(NamedTuple):
    """What becomes of one change.

    ``per_window`` is the chance that a window exceeds, ``within`` that an alarm fires within
    ``WITHIN_WINDOWS``; ``seconds`` is by when it fires as surely as ``SURE``, None for not at all.
    """

    size: float
    distance: float
    per_window: float
    within: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Power:
    """The answer of ``power``. Sizes of mean shifts are in standard deviations."""

    rate: float
    window: Window
    tests: int
    alpha: float
    threshold: float
    reference_events: int
    shifts: tuple[Shift, ...]
    smallest_shift: float | None


def window_of(spec: ModelSpec, rate: float) -> Window:
    """How long a window becomes at ``rate`` events a second, and how many are in it."""
    defaults = spec.defaults
    pane = defaults.pane_seconds
    wanted = max(defaults.min_duration_seconds, defaults.min_events / rate)
    longest = max(pane, math.floor(defaults.max_duration_seconds / pane + 0.5) * pane)
    # A small excess is no further pane: the length of a window is a sum of decimal fractions.
    seconds = min(math.ceil(wanted / pane - 1e-9) * pane, longest)
    events = int(rate * seconds + 1e-9)
    return Window(seconds, events, events >= defaults.min_events)


def power(
    spec: ModelSpec, *, rate: float, features: int, reference_events: int | None = None
) -> Power:
    """Work out what would be found at this rate with so many features.

    Events are taken to be independent and features to be normal, which is the best case; what
    windows differ by themselves raises thresholds, and ``explain`` shows them. Distances of windows
    that shifted are taken for noncentral chi-square; a simulation of the judgement agrees.
    """
    window = window_of(spec, rate)
    tests = features + OUTPUTS
    level = alpha(spec.false_alarms_per_month, targets=tests, duration=window.seconds)
    events = reference_events or _reference_events(spec, rate)
    case = _normal_case(spec, window, level, events)
    shifts = tuple(case.shift(size) for size in SHIFTS) if window.judged else ()
    return Power(
        rate,
        window,
        tests,
        level,
        case.threshold(0.0),
        events,
        shifts,
        case.smallest(8.0) if window.judged else None,
    )


def share_power(
    spec: ModelSpec,
    share: float,
    *,
    rate: float,
    features: int,
    reference_events: int | None = None,
) -> float | None:
    """The share of a class, now ``share``, above which its rise is found; None for never."""
    window = window_of(spec, rate)
    level = alpha(spec.false_alarms_per_month, targets=features + OUTPUTS, duration=window.seconds)
    if not window.judged:
        return None

    def shares(rise: float) -> NDArray[np.float64]:
        return np.array([1 - share - rise, share + rise])

    events = reference_events or _reference_events(spec, rate)
    found = _Case(spec, window, level, events, shares).smallest(1 - share)
    return None if found is None else share + found


class _Case:
    """One target whose shares change by a size: ``shares(size)`` (bins,), ``shares(0)`` usual."""

    def __init__(
        self,
        spec: ModelSpec,
        window: Window,
        level: float,
        reference_events: int,
        shares: Callable[[float], NDArray[np.float64]],
    ) -> None:
        self._spec, self._window, self._level = spec, window, level
        self._before = np.rint(reference_events * shares(0.0)).astype(np.int64)
        self._groups = merge_rare(self._before, window.events)
        self._shares = shares

    def _counts(self, size: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        after = np.rint(self._window.events * self._shares(size)).astype(np.int64)
        return regroup(self._before, self._groups), regroup(after, self._groups)

    def threshold(self, size: float) -> float:
        # Of independent events the fitted spread is that of chance, with its factor for the tail.
        chance = _js.threshold(*self._counts(size), alpha=self._level)
        return max(chance * math.sqrt(TAIL), EFFECT_FLOOR)

    def shift(self, size: float) -> Shift:
        p, q = self._counts(size)
        value, noise = _js.value(p, q), sampling_noise(p, q) / (8 * math.log(2))
        stretched = noise * small_sample(p, q)
        exceeds = float(
            ncx2.sf(
                self.threshold(size) ** 2 / stretched,
                degrees_of_freedom(p, q),
                max(value**2 / noise, 1e-9),
            )
        )
        chances = found_within(exceeds, PATIENCE_WINDOWS)
        sure = np.flatnonzero(chances >= SURE)
        # The window in which it begins is mixed, and counts for nothing here.
        windows = int(sure[0]) + 2 if len(sure) else None
        grace = self._spec.defaults.grace_seconds
        seconds = windows * self._window.seconds + grace if windows is not None else None
        return Shift(size, value, exceeds, float(chances[WITHIN_WINDOWS - 1]), seconds)

    def smallest(self, largest: float) -> float | None:
        """The smallest size that is found, by bisection; None where not even the largest is."""
        if self.shift(largest).within < SURE:
            return None
        low, high = 0.0, largest
        while high - low > largest * 1e-4:
            middle = (low + high) / 2
            low, high = (low, middle) if self.shift(middle).within >= SURE else (middle, high)
        return high


def found_within(exceeds: float, windows: int) -> NDArray[np.float64]:
    """Chance that an alarm has fired after 1, 2, … windows that each exceed with one chance.

    It fires when ``ENOUGH`` of the last ``MEMORY`` windows exceed.

    >>> found_within(0.5, 3).round(3).tolist()
    [0.0, 0.25, 0.5]
    """
    waiting = {(False,) * (MEMORY - 1): 1.0}
    found = np.zeros(windows)
    for i in range(windows):
        later: dict[tuple[bool, ...], float] = {}
        for recent, chance in waiting.items():
            for spoke, part in ((True, exceeds), (False, 1 - exceeds)):
                last = (*recent, spoke)
                if sum(last) < ENOUGH:
                    later[last[1:]] = later.get(last[1:], 0.0) + chance * part
        waiting = later
        found[i] = 1 - sum(waiting.values())
    return found


def _normal_case(spec: ModelSpec, window: Window, level: float, events: int) -> _Case:
    sample = min(events, _MOST_SAMPLE) if spec.reference.kind == "profile" else SAMPLE
    edges = numeric_bins(ndtri((np.arange(sample) + 0.5) / sample)).edges

    def shares(size: float) -> NDArray[np.float64]:
        below: NDArray[np.float64] = ndtr(edges - size)
        return np.diff(below, prepend=0.0, append=1.0)

    return _Case(spec, window, level, events, shares)


def _reference_events(spec: ModelSpec, rate: float) -> int:
    """Events behind the reference: those of the time that it takes to be learned."""
    reference = spec.reference
    if reference.kind == "profile":
        return PROFILE_EVENTS
    return max(reference.min_events, int(rate * reference.min_duration_seconds))
