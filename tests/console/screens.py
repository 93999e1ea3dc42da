"""Screens of readings, as a browser gets them."""

from __future__ import annotations

from typing import Any

import orjson

from streamgauge.console.documents import Documents, Screen
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.source import Reading
from streamgauge.state.processes import ProcessView
from tests.exposition.builders import NOW

MONITOR = ProcessView(service="monitor", instance="m", started_at=1.0)


class Shown:
    """Documents under a clock that tests move."""

    def __init__(self, *, activity: Activity | None = None, **options: Any) -> None:
        self.at = NOW
        values = {"bootstrap_servers": "kafka.example:9092", **options}
        self.documents = Documents(activity=activity, clock=lambda: self.at, **values)

    def take(self, now: Reading, *, at: float = NOW) -> Shown:
        self.at = at
        self.documents.take(now)
        return self

    def screen(self, name: str = "fleet", *keys: str) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.documents.answer(Screen(name, *keys)).body)
        return found

    def row(self, model: str = "fraud") -> dict[str, Any]:
        """What the fleet says of a model."""
        return next(row for row in self.screen()["rows"] if row["name"] == model)

    def notes(self) -> list[str]:
        return [note["text"] for note in self.screen()["notes"]]


def fleet(now: Reading, *, at: float = NOW) -> dict[str, Any]:
    """The first screen of one reading."""
    return Shown().take(now, at=at).screen()


def lines(told: list[dict[str, Any]], model: str) -> list[str]:
    """What remarks say of a model."""
    return [line for each in told if each["name"] == model for line in each["lines"]]


def texts(document: object) -> list[str]:
    """All strings of a document, keys of mappings too."""
    if isinstance(document, str):
        return [document]
    if isinstance(document, dict):
        return [text for pair in document.items() for each in pair for text in texts(each)]
    if isinstance(document, list):
        return [text for each in document for text in texts(each)]
    return []
