"""Online detectors of one series: they date a change early; alone they raise no input alarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.detectors import Detector
from streamgauge.state.views import DetectorView

#: Detections that are remembered with their time.
REMEMBERED = 5


class Watch:
    """The detectors of one (version, step), by the name of the series that each is fed.

    Series are fed stationary-looking numbers: mid-ranks in the reference (0 to 1), or errors.
    """

    def __init__(self) -> None:
        self._detectors: dict[str, tuple[str, dict[str, float], Detector]] = {}
        self._totals: dict[str, int] = {}
        self.times: dict[str, list[float]] = {}

    def feed(
        self,
        series: str,
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        *,
        name: str = "adwin",
        params: Mapping[str, float] | None = None,
    ) -> None:
        """Give values (n,) and their event times (n,) in seconds, in log order. NaN is left out."""
        finite = np.isfinite(values)
        if not finite.all():
            values, times = values[finite], times[finite]
        if not len(values):
            return
        key = f"{series}\n{name}"
        if key not in self._detectors:
            chosen = dict(params or {})
            self._detectors[key] = (name, chosen, Detector.create(name, **chosen))
        for index in self._detectors[key][2].update_many(values):
            self._totals[key] = self._totals.get(key, 0) + 1
            seen = self.times.setdefault(series, [])
            self.times[series] = [*seen, float(times[index])][-REMEMBERED:]

    def views(self) -> list[DetectorView]:
        """Return the inside of each detector, for people."""
        views = []
        for key, (name, _, detector) in sorted(self._detectors.items()):
            series = key.split("\n")[0]
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
        detectors = {
            key: [name, params, detector.state()]
            for key, (name, params, detector) in sorted(self._detectors.items())
        }
        return [detectors, dict(sorted(self._totals.items())), dict(sorted(self.times.items()))]

    @classmethod
    def from_state(cls, state: list[Any]) -> Watch:
        made = cls()
        detectors, made._totals, made.times = state
        for key, (name, params, inside) in detectors.items():
            detector = Detector.create(name, **params)
            detector.restore(inside)
            made._detectors[key] = (name, params, detector)
        return made
