"""Silences of the broker, topic by topic: behind one, the name may stand for another log.

A topic can be deleted, made anew and filled beyond the position while nobody looks. Fetching then
goes on in the middle of the new log, with no error and no hole.
"""

from __future__ import annotations

from collections.abc import Mapping


class Silences:
    """Tells the end of every silence that was longer than so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        #: When each topic was last heard of, and whether that is a time to count from.
        self._heard: dict[str, tuple[float | None, bool]] = {}

    def over(self, answers: Mapping[str, float | None]) -> list[str]:
        """Topics that are heard of again. None: it is we who do not ask."""
        found = []
        for topic, at in answers.items():
            before, counts = self._heard.get(topic, (None, False))
            if at is not None and at == before:
                continue
            if counts and at is not None and before is not None and at - before > self._seconds:
                found.append(topic)
            # What is seen first, at a start or after a pause of ours, can be of any age.
            self._heard[topic] = (at, before is not None)
        return found
