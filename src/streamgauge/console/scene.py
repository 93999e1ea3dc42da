"""One reading of the views, seen at one moment: what all screens are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streamgauge.console.history import History, Point
from streamgauge.console.names import key_of
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.answers import Headline, headline
from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.rows import Row, model_rows
from streamgauge.exposition.silence import as_of_now
from streamgauge.exposition.source import Reading
from streamgauge.exposition.summaries import Summaries
from streamgauge.exposition.words import duration
from streamgauge.state.reader import Snapshot

#: Plain values, ready to be written as JSON.
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """The addresses that are in use, for commands to copy."""

    bootstrap_servers: str
    topic_prefix: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A reading, with each model as it is now: what fell silent is so, whatever its view says.

    ``rows`` stand worst first, ``models`` in the order of their names.
    """

    reading: Reading
    history: History
    place: Place
    now: float
    stale_seconds: float
    models: tuple[ModelSummary, ...] = ()
    rows: tuple[Row, ...] = ()
    headlines: dict[str, Headline] = field(default_factory=dict)
    live: dict[str, list[str]] = field(default_factory=dict)
    deaf: bool = False

    @property
    def snapshot(self) -> Snapshot:
        return self.reading.snapshot or Snapshot(read_at=self.now)

    def model(self, key: str) -> ModelSummary | None:
        """The model that an address means."""
        return next((each for each in self.models if key_of(each.model) == key), None)

    def row(self, model: str) -> Row:
        """What is said of a model in one line."""
        return next(each for each in self.rows if each.model == model)

    def points(self) -> list[Point]:
        """What the history keeps of it."""
        rows = {row.model: row for row in self.rows}
        return [
            _point(model, rows[model.model], self.headlines.get(model.model))
            for model in self.models
        ]

    def records(self) -> int:
        """Records taken from the log, of all partitions."""
        return sum(sum(view.counts.values()) for _, view in self.snapshot.partitions)

    def head(self, screen: str) -> Document:
        """What every screen says first: of when it is, and what is wrong with it."""
        return {
            "screen": screen,
            "now": self.now,
            "read_at": self.reading.snapshot.read_at if self.reading.snapshot else None,
            "up": self.reading.up,
            "stale_seconds": self.stale_seconds,
            "notes": [{"level": level, "text": text} for level, text in self._notes()],
            "firing": sum(row.alarms for row in self.rows),
        }

    def _notes(self) -> Iterator[tuple[str, str]]:
        age = self.reading.age(self.now)
        if not self.reading.up:
            # The screen counts the seconds on; it knows when the views were read.
            why = f" ({self.reading.error})" if self.reading.error else ""
            old = "nothing was read yet" if age is None else f"this is {duration(age)} old"
            yield "stop", f"Redis does not answer{why}; {old}."
        elif age is not None and age > self.stale_seconds:
            yield "stop", f"This is {duration(age)} old."
        elif self.deaf:
            yield (
                "note",
                "No monitor runs any more; start one with `python -m services.monitor`.",
            )


def look(
    reading: Reading,
    *,
    activity: Activity,
    summaries: Summaries,
    history: History,
    place: Place,
    now: float,
    stale_seconds: float,
) -> Scene:
    """Put a reading together. Costs as much as a scrape does, so once for all who look."""
    if reading.snapshot is None:
        return Scene(reading, history, place, now, stale_seconds)
    activity.note(reading.snapshot)
    deaf = activity.deaf(reading.snapshot, now=now)
    models = summaries.of(reading.snapshot.models)
    living = [as_of_now(each, activity, now=now, deaf=deaf) for each in models]
    live = {each.model: activity.live_versions(each, now=now) for each in models}
    found = {each.model: headline(each.truth, live[each.model]) for each in models}
    return Scene(
        reading,
        history,
        place,
        now,
        stale_seconds,
        models=tuple(living),
        rows=tuple(model_rows(models, activity, now=now, deaf=deaf)),
        headlines={name: each for name, each in found.items() if each is not None},
        live=live,
        deaf=deaf,
    )


def _point(model: ModelSummary, row: Row, headline: Headline | None) -> Point:
    severities: dict[str, float] = {}
    for series in model.series:
        for feature in series.features if not series.silent else ():
            severity = feature.judgement.severity if feature.judgement else None
            if severity is not None:
                severities[feature.name] = max(severity, severities.get(feature.name, 0.0))
    rates = dict.fromkeys((series.version for series in model.series), 0.0)
    for series in model.series:
        rates[series.version] += 0.0 if series.silent else series.rate or 0.0
    interval = (headline.interval if headline else None) or (None, None)
    return Point(
        model.model,
        lines={
            "rate": row.rate,
            "errors": row.errors,
            "p95": row.p95,
            "severity": row.severity,
            "performance": headline.value if headline else None,
            "performance_low": interval[0],
            "performance_high": interval[1],
            "labelled": headline.labelled_ratio if headline else None,
        },
        features=severities,
        versions=rates,
    )
