"""The naive loop: the job as one writes it with River, an event at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from load_tests.standard_job.job import CATEGORICAL, NUMERIC, SCORE, WINDOW
from load_tests.standard_job.naive_column import NumericColumn, Summary


class NaiveLoop:
    """``take`` every event; ``last`` is the newest window."""

    def __init__(self, reference: Iterable[bytes]) -> None:
        earlier = [orjson.loads(value) for value in reference]
        columns = {name: [row["features"][name] for row in earlier] for name in NUMERIC}
        columns[SCORE] = [row[SCORE] for row in earlier]
        self.columns = {
            name: NumericColumn([value for value in values if value is not None])
            for name, values in columns.items()
        }
        self.categories: dict[str, Counter[Any]] = {name: Counter() for name in CATEGORICAL}
        self.last: dict[str, Summary] = {}
        self.windows = self._events = 0

    def take(self, value: bytes) -> None:
        event = orjson.loads(value)
        features = event["features"]
        for name in NUMERIC:
            self.columns[name].take(features[name])
        self.columns[SCORE].take(event[SCORE])
        for name in CATEGORICAL:
            self.categories[name][features[name]] += 1
        self._events += 1
        if self._events % WINDOW == 0:
            self.last = {name: column.close() for name, column in self.columns.items()}
            self.categories = {name: Counter() for name in CATEGORICAL}
            self.windows += 1
