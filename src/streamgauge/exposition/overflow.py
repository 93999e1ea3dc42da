"""Counters that have no series of their own: they add up in one that never goes back."""

from __future__ import annotations

from collections.abc import Iterator

from streamgauge.telemetry import Definition

#: A series: its definition and the values of its labels, in the definition's order.
SeriesKey = tuple[Definition, tuple[str, ...]]


class Overflow:
    """Adds what hidden counters gained, so that ``_other`` is a counter as any.

    A plain sum over the hidden ones would fall whenever one of them gets a series of its own again,
    and Prometheus takes a fall for a restart: the rate would show a burst that never was. Costs one
    number per counter.
    """

    def __init__(self) -> None:
        self._seen: dict[SeriesKey, float] = {}
        self._current: set[SeriesKey] = set()
        self._totals: dict[SeriesKey, float] = {}

    def shown(self, key: SeriesKey, value: float) -> None:
        """A counter that has a series. What it has now will not count as hidden later."""
        self._seen[key] = value
        self._current.add(key)

    def hidden(self, key: SeriesKey, value: float, *, other: SeriesKey) -> None:
        """A counter that has none; its gain goes to ``other``."""
        before = self._seen.get(key, 0.0)
        gain = value - before if value >= before else value
        self._totals[other] = self._totals.get(other, 0.0) + gain
        self.shown(key, value)

    def totals(self) -> Iterator[tuple[SeriesKey, float]]:
        """The sums so far, and forget counters that were neither shown nor hidden this time."""
        for key in self._seen.keys() - self._current:
            del self._seen[key]
        self._current.clear()
        yield from self._totals.items()
