"""The prediction service's client: replays the readings after the training part, steadily.

What a reading turned out to be it publishes as a label, a moment later: the truth is always late.
"""

from __future__ import annotations

import http.client
import time
from collections import deque
from collections.abc import Sequence

import orjson

from services.stack.demo.data import Reading
from services.stack.demo.pace import Paced
from services.stack.demo.story import CONCEPT_SENSOR, Sensors, Story
from streamgauge_client import Publisher

#: How long after the prediction its truth is known.
LABEL_SECONDS = 2.0


class Client(Paced):
    """Calls the service over one kept-alive connection, as the story has the sensors.

    After the last reading it begins again with the first.

    Parameters
    ----------
    labels
        Publishes what readings turned out to be.
    concept_value
        From this value on, the concept's sensor means an anomaly in the story's last phase.
    """

    def __init__(
        self,
        port: int,
        readings: Sequence[Reading],
        story: Story,
        *,
        labels: Publisher,
        concept_value: float,
        rate: float = 200.0,
    ) -> None:
        super().__init__("demo-client", rate=rate)
        self._labels, self._concept_value = labels, concept_value
        self._late: deque[tuple[float, str, bool]] = deque()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._readings = readings
        self._story = story
        self._sensors = Sensors()
        self.calls = 0
        self.right = 0
        #: When the first faulty reading was sent, seconds since 1970.
        self.fault_at: float | None = None
        #: When the first reading came that means something else now, seconds since 1970.
        self.concept_at: float | None = None

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
        told = orjson.loads(body)
        anomaly = reading.anomaly
        if phase == "concept":
            self.concept_at = self.concept_at or time.time()
            anomaly |= reading.features[CONCEPT_SENSOR] >= self._concept_value
        self.calls += 1
        self.right += (told["output"]["anomaly"] > 0.5) == anomaly
        self._late.append((elapsed + LABEL_SECONDS, told["prediction_id"], anomaly))
        while self._late and self._late[0][0] <= elapsed:
            _, prediction_id, was = self._late.popleft()
            self._labels.label(prediction_id, "anomaly" if was else "normal")

    def stop(self) -> None:
        """End it, and wait for that."""
        super().stop()
        self._labels.close()
