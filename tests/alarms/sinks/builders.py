"""Alarms and a post that never leaves the process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamgauge.alarms.sinks.base import AlarmSink, Answer
from streamgauge_client import AlarmEvent

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples" / "alarm" / "1"
NOW = 1_790_000_100.0
SECRET = "0123456789abcdef-canary"


def example(name: str, **fields: Any) -> AlarmEvent:
    """One of the contract's examples: minimal, full or resolved."""
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    return AlarmEvent.model_validate({**document, **fields})


class FakePost:
    """Keeps what it is given, and answers as it was told."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[bytes, dict[str, str]]] = []

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.calls.append((body, dict(headers)))
        return self.answers.pop(0) if self.answers else Answer(200)


def made(name: str, post: FakePost | None = None, **options: Any) -> AlarmSink:
    """A sink of that name, wired as the notifier wires it."""
    if AlarmSink.named(name).posts:
        options = {"post": post or FakePost(), "clock": lambda: NOW, **options}
    return AlarmSink.create(name, **options)
