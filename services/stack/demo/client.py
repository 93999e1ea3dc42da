"""The prediction service's client: replays the readings after the training part, steadily."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence

import orjson

from services.stack.demo.data import Reading
from services.stack.demo.pace import Paced
from services.stack.demo.story import Sensors, Story


class Client(Paced):
    """Calls the service over one kept-alive connection, as the story has the sensors.

    After the last reading it begins again with the first.
    """

    def __init__(
        self, port: int, readings: Sequence[Reading], story: Story, *, rate: float = 200.0
    ) -> None:
        super().__init__("demo-client", rate=rate)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._readings = readings
        self._story = story
        self._sensors = Sensors()
        self.calls = 0
        self.right = 0
        #: When the first faulty reading was sent, seconds since 1970.
        self.fault_at: float | None = None

    def step(self, index: int, elapsed: float) -> None:
        reading = self._readings[index % len(self._readings)]
        phase = self._story.phase(elapsed)
        if phase == "unit" and self.fault_at is None:
            self.fault_at = time.time()
        reported = self._sensors.report(reading.features, phase)
        self._connection.request("POST", "/predict", body=orjson.dumps(reported))
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the prediction service answers {answer.status}: {body[:200]!r}")
        self.calls += 1
        self.right += (orjson.loads(body)["output"]["anomaly"] > 0.5) == reading.anomaly
