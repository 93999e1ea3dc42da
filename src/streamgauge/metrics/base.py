"""What a metric is: plain counts that take columns, add up, and can be written down."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

from streamgauge.plugins import Registered


class Metric(Registered, package="streamgauge.metrics"):
    """Counts over a span of event time.

    ``update`` takes columns (each class says which). ``merge`` adds another span: associative, with
    the empty metric as unit, so windows are sums of panes and models sums of shards. Sums of
    floats are carried on one by one, so that it does not matter how a span was cut into batches.
    """

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Add the counts of another span. Raises ``ValueError`` for other bins."""

    def take_out(self, other: Self) -> None:
        """Take the counts of rows out that were added before: ``other`` holds them alone.

        Extremes stay as they were. Only metrics of performance can: labels are corrected.
        """
        raise NotImplementedError(f"{type(self).__name__} takes nothing back")

    @abstractmethod
    def state(self) -> list[Any]:
        """Plain values and arrays that ``from_state`` takes back."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: list[Any]) -> Self:
        """Return the metric that ``state`` described."""

    @abstractmethod
    def get(self) -> dict[str, float]:
        """Return the figures by name; one that is not defined yet is left out, never NaN."""
