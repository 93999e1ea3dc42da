"""What happens to the sensors, and when: the demo's story as shares of its length."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["quiet", "unit", "healed", "missing", "well"]

#: Length without DEMO_SECONDS.
DEFAULT_SECONDS = 150.0
UNIT_SENSOR = "sensor_3"
MISSING_SENSOR = "sensor_7"
MISSING_SHARE = 0.4
#: When each phase begins. Judgement takes windows of five seconds, and two of three: both healings
#: are long enough for that also in a demo of a minute.
_BEGINS: tuple[tuple[float, Phase], ...] = (
    (0.0, "quiet"),
    (0.20, "unit"),
    (0.42, "healed"),
    (0.66, "missing"),
    (0.74, "well"),
)
DEPLOY = 0.5
SENTENCES: Mapping[Phase, str] = {
    "quiet": "all is well",
    "unit": f"{UNIT_SENSOR} is replaced by one that reports Fahrenheit instead of Celsius",
    "healed": f"{UNIT_SENSOR} reports Celsius again",
    "missing": f"{MISSING_SENSOR} drops {MISSING_SHARE:.0%} of its values",
    "well": f"{MISSING_SENSOR} is whole again",
}


@dataclass(frozen=True, slots=True)
class Story:
    """The story over ``seconds``. Past its end everything stays well."""

    seconds: float = DEFAULT_SECONDS

    def phase(self, elapsed: float) -> Phase:
        """What happens ``elapsed`` seconds after the first event."""
        now: Phase = "quiet"
        for share, phase in _BEGINS:
            if elapsed >= share * self.seconds:
                now = phase
        return now

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
