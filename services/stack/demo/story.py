"""What happens to the sensors, and when: the demo's story as shares of its length."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["quiet", "unit", "healed", "missing", "well", "concept"]

#: Length without DEMO_SECONDS.
DEFAULT_SECONDS = 180.0
#: With less, the story's end has no room.
LEAST_SECONDS = 90.0
UNIT_SENSOR = "sensor_3"
MISSING_SENSOR = "sensor_7"
MISSING_SHARE = 0.4
CONCEPT_SENSOR = "sensor_9"
#: From this share of its values on, that sensor means an anomaly once the concept has changed.
CONCEPT_QUANTILE = 0.8
#: How long each phase lasts, as a share of the demo and in seconds at least. Judgement takes
#: windows of five seconds, and two of three: all are long enough for that.
_LASTS: tuple[tuple[Phase, float, float], ...] = (
    ("quiet", 0.13, 11.0),
    ("unit", 0.14, 13.2),
    ("healed", 0.16, 14.4),
    ("missing", 0.05, 4.5),
    ("well", 0.12, 0.0),
)
#: What the last phase needs: labels come, errors are judged, a challenger wins, and it serves.
CONCEPT_SECONDS = 40.0
DEPLOY = 0.35
SENTENCES: Mapping[Phase, str] = {
    "quiet": "all is well",
    "unit": f"{UNIT_SENSOR} is replaced by one that reports Fahrenheit instead of Celsius",
    "healed": f"{UNIT_SENSOR} reports Celsius again",
    "missing": f"{MISSING_SENSOR} drops {MISSING_SHARE:.0%} of its values",
    "well": f"{MISSING_SENSOR} is whole again",
    "concept": f"the world changes: high readings of {CONCEPT_SENSOR} now mean an anomaly; "
    "no input looks different",
}


@dataclass(frozen=True, slots=True)
class Story:
    """The story over ``seconds``. Past its end everything stays well."""

    seconds: float = DEFAULT_SECONDS

    def phase(self, elapsed: float) -> Phase:
        """What happens ``elapsed`` seconds after the first event."""
        now: Phase = "quiet"
        for phase, begins in self.begins.items():
            if elapsed >= begins:
                now = phase
        return now

    @property
    def begins(self) -> dict[Phase, float]:
        """When each phase begins, in seconds."""
        at = 0.0
        found: dict[Phase, float] = {}
        for phase, share, least in _LASTS:
            found[phase] = at
            lasts = max(share * self.seconds, least)
            if phase == "well":
                lasts = max(min(lasts, self.seconds - CONCEPT_SECONDS - at), 0.0)
            at += lasts
        found["concept"] = at
        return found

    def deployed(self, elapsed: float) -> bool:
        """Whether the quiet model's harmless deploy has happened."""
        return elapsed >= DEPLOY * self.seconds


@dataclass(slots=True)
class Sensors:
    """The sensors as the world has them: what they report of a reading in a phase."""

    seed: int = 7
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def report(self, reading: Mapping[str, float], phase: Phase) -> dict[str, float | None]:
        """What the sensors report; None where one is silent."""
        reported: dict[str, float | None] = dict(reading)
        if phase == "unit":
            reported[UNIT_SENSOR] = reading[UNIT_SENSOR] * 1.8 + 32
        elif phase == "missing" and self._random.random() < MISSING_SHARE:
            reported[MISSING_SENSOR] = None
        return reported
