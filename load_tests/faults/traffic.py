"""Seeded traffic: a log made beforehand, of models that drift, with poison in it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from load_tests.faults.store import PARTITIONS
from streamgauge_client.keys import murmur2
from tests.monitor.generate import between, stream

SPAN_SECONDS = 45.0
POISON = [
    None,
    b"\xff\xfe",
    b"{",
    b"[" * 10_000,
    b'{"prediction_id":"p","model":"m","version":"1","output":NaN}',
    b'{"prediction_id":"p","model":"m","version":"1"}',
    b'{"prediction_id":7,"model":["m"],"version":{},"output":1}',
    b'{"prediction_id":"p","model":"m","version":"1","output":1,"timestamp":4102444800}',
    b'{"prediction_id":"p","model":"m","version":"1","output":' + b"1" * 700_000 + b"}",
]


class Item(NamedTuple):
    """One record to send."""

    key: bytes
    value: bytes | None
    time: float
    poison: bool = False


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How much traffic of what kind. One model a partition, of so many, and a drift in each.

    ``span`` is seconds of event time; it is sent in ``seconds``, the faster the more ``rows`` there
    are.
    """

    rows: int = 36_000
    seconds: float = 14.0
    span: float = SPAN_SECONDS
    partitions: int = PARTITIONS
    #: The first model's share; all have the same where none is said.
    hot: float | None = None
    #: One in so many records is poison; and a burst of so many in the middle is nothing else.
    poison_every: int = 100
    burst: int = 0
    #: Shares of events that come up to ``disorder_seconds`` late, and far too late.
    disordered: float = 0.0
    disorder_seconds: float = 1.5
    too_late: float = 0.0


def models(partitions: int = PARTITIONS) -> list[str]:
    """A model for every partition of so many."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        name = f"model-{number}"
        found.setdefault((murmur2(name.encode()) & 0x7FFFFFFF) % partitions, name)
        number += 1
    return [found[partition] for partition in range(partitions)]


def make(shape: Shape, seed: int, now: float) -> list[Item]:
    """The log, in the order in which it is to be sent. Its event times end before ``now``."""
    rng = random.Random(seed)
    items: list[Item] = []
    begin = now - shape.span - 5
    hot = 1 / shape.partitions if shape.hot is None else shape.hot
    for place, model in enumerate(models(shape.partitions)):
        share = hot if place == 0 else (1 - hot) / (shape.partitions - 1)
        rows = round(shape.rows * share)
        fault = between(rows // 2, rows * 7 // 10, _to_fahrenheit)
        records = stream(
            rows,
            rate=rows / shape.span,
            seed=seed * shape.partitions + place,
            model=model,
            start=begin,
            fault=fault,
        )
        for record in records:
            assert record.timestamp is not None
            late = _lateness(shape, rng)
            items.append(Item(model.encode(), record.value, record.timestamp + late))
    items.sort(key=lambda item: item.time)
    return _poisoned(items, shape, rng)


def _to_fahrenheit(features: dict[str, Any]) -> None:
    features["x2"] = features["x2"] * 1.8 + 32


def _lateness(shape: Shape, rng: random.Random) -> float:
    draw = rng.random()
    if draw < shape.too_late:
        return rng.uniform(5.0, 20.0)
    return rng.uniform(0.0, shape.disorder_seconds) if draw < shape.disordered else 0.0


def _poisoned(items: Iterable[Item], shape: Shape, rng: random.Random) -> list[Item]:
    mixed: list[Item] = []
    keys = [name.encode() for name in models(shape.partitions)]
    for number, item in enumerate(items, 1):
        mixed.append(item)
        if number % shape.poison_every == 0:
            # The large one is rare: 700 kB a hundred times a second would be another test.
            value = rng.choice(POISON if rng.random() < 0.02 else POISON[:-1])
            mixed.append(Item(item.key, value, item.time, True))
        if number == shape.rows // 2:
            burst = ((rng.choice(keys), rng.choice(POISON[:-1])) for _ in range(shape.burst))
            mixed += [Item(key, value, item.time, True) for key, value in burst]
    return mixed
