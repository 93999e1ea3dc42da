"""The timing context of a prediction."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamgauge_client.prediction_log import PredictionLog


class TimedPrediction:
    """A prediction under way: set ``output`` inside the block.

    At the end of the block the event is logged with the time it took. An exception makes it
    ``status="error"`` with the exception's name, and goes on to the caller.

    Attributes
    ----------
    prediction_id
        Known from the start, so that it can be handed to the user with the answer.
    output, features, status, tags
        May be set or replaced inside the block.
    """

    def __init__(
        self, publisher: PredictionLog, prediction_id: str, features: Any, fields: dict[str, Any]
    ) -> None:
        self.prediction_id = prediction_id
        self.features = features
        self.output: Any = None
        self.status: str = "ok"
        self.tags: Any = fields.pop("tags", None)
        self._publisher = publisher
        self._fields = fields
        self._started = 0.0
        self._wall = 0.0

    def __enter__(self) -> TimedPrediction:
        self._wall = time.time()
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        elapsed = time.perf_counter() - self._started
        fields = {"timestamp": self._wall, "latency_ms": elapsed * 1000, **self._fields}
        if kind is not None:
            fields["error_type"] = kind.__name__
        self._publisher.log(
            self.features,
            self.output,
            prediction_id=self.prediction_id,
            status=self.status if kind is None else "error",
            tags=self.tags,
            **fields,
        )
