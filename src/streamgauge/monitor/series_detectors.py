"""Online detectors of one series: they date a change early; alone they raise no input alarm."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.detectors import Detector
from streamgauge.monitor.contents import Placed, SeriesCounts
from streamgauge.monitor.target import Target
from streamgauge.specs.features import DetectorSpec
from streamgauge.state.views import DetectorView

#: Detections that are remembered with their time.
REMEMBERED = 5


class SeriesDetectors:
    """The detectors of one (version, step), by the name of the series that each is fed.

    Series are fed stationary-looking numbers: mid-ranks in the reference (0 to 1), or errors.
    """

    def __init__(self) -> None:
        self._detectors: dict[tuple[str, str, str], tuple[dict[str, float], Detector]] = {}
        self._totals: dict[tuple[str, str, str], int] = {}
        self.times: dict[str, list[float]] = {}

    def feed(
        self,
        series: str,
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        *,
        name: str = "adwin",
        params: Mapping[str, float] | None = None,
        feed: str = "events",
    ) -> None:
        """Give values (n,) and their event times (n,) in seconds, in log order. NaN is left out."""
        finite = np.isfinite(values)
        if not finite.all():
            values, times = values[finite], times[finite]
        if not len(values):
            return
        key = (series, name, feed)
        if key not in self._detectors:
            chosen = dict(params or {})
            self._detectors[key] = (chosen, Detector.create(name, **chosen))
        for index in self._detectors[key][1].update_many(values):
            self._totals[key] = self._totals.get(key, 0) + 1
            seen = self.times.setdefault(series, [])
            self.times[series] = [*seen, float(times[index])][-REMEMBERED:]

    def feed_ranks(
        self,
        target: Target,
        placed: Placed,
        rows: NDArray[np.intp] | slice,
        times: NDArray[np.float64],
        wanted: DetectorSpec | None = None,
    ) -> None:
        """Give the mid-ranks of rows of a placed column; ``times`` are these rows'."""
        ranks = target.ranks
        if ranks is None:
            return
        place = placed.place[rows]
        if place.min() < 0:
            found = place >= 0
            place, times = place[found], times[found]
        self._feed_as(target.name, ranks[place], times, wanted, "events")

    def feed_pane(self, targets: Iterable[Target], counts: SeriesCounts, end: float) -> None:
        """Give the mean rank of a pane: cheap, and autocorrelation is averaged away."""
        for target in targets:
            asked = target.spec.detectors
            by_pane = [each for each in asked if each.feed == "panes"] if asked else [None]
            if not by_pane:
                continue
            found, ranks = counts.targets.get(target.name), target.ranks
            if found is None or found.histogram is None or ranks is None or not found.squares:
                continue
            mean = np.array([np.dot(found.histogram.counts, ranks) / found.histogram.n])
            for wanted in by_pane:
                self._feed_as(target.name, mean, np.array([end]), wanted, "panes")

    def _feed_as(
        self,
        series: str,
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        wanted: DetectorSpec | None,
        feed: str,
    ) -> None:
        if wanted is None:
            self.feed(series, values, times, feed=feed)
        else:
            self.feed(
                series, values, times, name=wanted.name, params=dict(wanted.params), feed=feed
            )

    def forget(self, series: Collection[str]) -> None:
        """Drop the detectors of series that mean something else from now on."""
        for key in [key for key in self._detectors if key[0] in series]:
            del self._detectors[key]
            self._totals.pop(key, None)
        for name in series:
            self.times.pop(name, None)

    def views(self) -> list[DetectorView]:
        """Return the inside of each detector, for people."""
        views = []
        for key, (_, detector) in sorted(self._detectors.items(), key=lambda item: item[0]):
            series, name, _ = key
            times = self.times.get(series)
            views.append(
                DetectorView(
                    series=series,
                    detector=name,
                    state="ok" if detector.samples >= detector.needed else "warming",
                    samples=detector.samples,
                    needed=detector.needed,
                    estimate=detector.estimate,
                    detections=self._totals.get(key, 0),
                    last_detection=times[-1] if times else None,
                )
            )
        return views

    def state(self) -> list[Any]:
        detectors = [
            [key, params, detector.state(), self._totals.get(key, 0)]
            for key, (params, detector) in sorted(self._detectors.items(), key=lambda item: item[0])
        ]
        return [detectors, dict(sorted(self.times.items()))]

    @classmethod
    def from_state(cls, state: list[Any]) -> SeriesDetectors:
        made = cls()
        detectors, made.times = state
        for (series, name, feed), params, inside, total in detectors:
            detector = Detector.create(name, **params)
            detector.restore(inside)
            made._detectors[(series, name, feed)] = (params, detector)
            if total:
                made._totals[(series, name, feed)] = total
        return made
