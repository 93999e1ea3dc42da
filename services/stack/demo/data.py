"""River's bundled Shuttle data: 49,097 real readings of nine sensors in a space shuttle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Readings that the classifier is trained on, and that its reference profile describes.
TRAINING = 9_097


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of all nine sensors, and what it turned out to be."""

    features: dict[str, float]
    anomaly: bool


def quantile(readings: Sequence[Reading], sensor: str, q: float) -> float:
    """The value below which a share ``q`` of a sensor's readings lies."""
    ordered = sorted(reading.features[sensor] for reading in readings)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]


def readings() -> list[Reading]:
    """All readings in the file's order. The data names no sensor, so they are numbered."""
    # Imported here: River takes a third of a second, which --help need not pay.
    from river import datasets

    return [
        Reading({f"sensor_{name[1:]}": float(value) for name, value in x.items()}, bool(y))
        for x, y in datasets.Shuttle()
    ]
