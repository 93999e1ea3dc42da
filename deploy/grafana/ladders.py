"""States as numbers, because Grafana colours numbers: their order, their colours, the query."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.models.dashboard import (
    Threshold,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

#: A state and its colour, from harmless to bad; the first is 1.
Ladder = Mapping[str, str]

STATES: Ladder = {
    "ok": "green",
    "warming": "super-light-blue",
    "too_few": "light-blue",
    "no_data": "text",
    "pending": "yellow",
    "poisoned": "purple",
    "firing": "red",
}
VERDICTS: Ladder = {"pass": "green", "undecided": "text", "fail": "red"}


def ranked(metric: str, ladder: Ladder, *, by: str, where: str = "") -> str:
    """The place of the state that holds, the worst of those that are put together."""
    selector = f"{where}, " if where else ""
    places = " or ".join(
        f'{metric}{{{selector}state="{state}"}} * {place}'
        for place, state in enumerate(ladder, start=1)
    )
    return f"max by ({by}) ({places})"


def mapping(ladder: Ladder) -> ValueMapping:
    """A state's name and colour for its number."""
    return ValueMap(
        options={
            str(place): ValueMappingResult(text=state, color=colour, index=place)
            for place, (state, colour) in enumerate(ladder.items(), start=1)
        }
    )


def steps(ladder: Ladder) -> list[Threshold]:
    """The colours once more, for a panel that colours by threshold."""
    colours = list(ladder.values())
    return [
        Threshold(value=None if place == 0 else float(place + 1), color=colour)
        for place, colour in enumerate(colours)
    ]
