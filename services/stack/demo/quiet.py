"""A model that is declared synthetic and must stay silent: a thermostat with seasons and noise.

Its day is compressed to five seconds, its noise depends on what it was a moment ago, and halfway
it is deployed anew with nothing changed. Each of these makes the usual recipe cry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from services.stack.demo.pace import Paced
from services.stack.demo.story import Story
from streamgauge_client import Publisher

MODEL = "thermostat-quiet"
DAY_SECONDS = 5.0
#: How much of the noise is left after one event.
PERSISTENCE = 0.8


class Thermostat:
    """The synthetic world: temperatures by the time of day, and what the model makes of them."""

    def __init__(self, *, seed: int = 11) -> None:
        self._random = np.random.default_rng(seed)
        self._noise = np.zeros(3)

    def event(self, elapsed: float) -> tuple[dict[str, float | str], float]:
        """Features and output at a time, in seconds."""
        fresh = self._random.normal(size=3)
        self._noise = PERSISTENCE * self._noise + math.sqrt(1 - PERSISTENCE**2) * fresh
        season = math.sin(2 * math.pi * elapsed / DAY_SECONDS)
        outside = 8.0 + 6.0 * season + 2.0 * self._noise[0]
        inside = 20.5 + 0.8 * season + 0.5 * self._noise[1]
        humidity = 45.0 - 5.0 * season + 4.0 * self._noise[2]
        power = max(0.0, 0.9 * (21.0 - inside) + 0.05 * (20.0 - outside))
        mode = "heat" if power > 0.5 else "idle"
        return {
            "outside_celsius": float(outside),
            "inside_celsius": float(inside),
            "humidity_percent": float(humidity),
            "mode": mode,
        }, float(power)


class QuietModel(Paced):
    """Publishes the thermostat's predictions; version 2 is version 1 under another name."""

    def __init__(
        self,
        servers: str,
        story: Story,
        *,
        topic_prefix: str,
        security: Mapping[str, str],
        rate: float = 150.0,
    ) -> None:
        super().__init__("demo-quiet-model", rate=rate)
        self._publisher = Publisher(
            servers,
            model=MODEL,
            version="1",
            service="demo",
            topic_prefix=topic_prefix,
            kafka=security,
        )
        self._thermostat = Thermostat()
        self._latency = np.random.default_rng(12)
        self._story = story

    def step(self, index: int, elapsed: float) -> None:
        features, output = self._thermostat.event(elapsed)
        self._publisher.log(
            features=features,
            output=output,
            version="2" if self._story.deployed(elapsed) else "1",
            latency_ms=float(self._latency.gamma(4.0, 0.5)),
        )

    def stop(self) -> None:
        super().stop()
        self._publisher.close()

    def delivered(self) -> int:
        """Predictions that Kafka has acknowledged."""
        self._publisher.flush(timeout=5.0)
        stats = self._publisher.stats()
        return stats.delivered - stats.heartbeats
