"""The first screen: all models, worst first, and what else their owners would want to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from streamgauge.console.alarm_rows import alarm_rows
from streamgauge.console.history import STEP_SECONDS
from streamgauge.console.learning_rows import learning_rows
from streamgauge.console.names import key_of, said, shown
from streamgauge.console.ring import Values, thinned
from streamgauge.console.scene import Document, Scene
from streamgauge.console.start_document import get_started
from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.remarks import remarks, unjudged
from streamgauge.exposition.rows import QUIET_SECONDS, Row

#: Most models on the screen; the rest, which is quieter, is only counted.
MOST_ROWS = 200
MOST_ALARMS = 5
MOST_REMARKS = 20
#: Points of a sparkline.
SPARK = 60


def fleet_document(scene: Scene) -> Document:
    """Rows with what the last hour looked like. Without any model: how to begin."""
    document = scene.head("fleet")
    if scene.reading.snapshot is not None and not scene.models:
        return {**document, "start": get_started(scene.place), "rows": []}
    return {
        **document,
        "tiles": _tiles(scene),
        "quiet_seconds": QUIET_SECONDS,
        "rows": [_row(scene, row) for row in scene.rows[:MOST_ROWS]],
        "more": max(0, len(scene.rows) - MOST_ROWS),
        "alarms": alarm_rows(scene.models, status="firing", most=MOST_ALARMS),
        "remarks": _told(scene, lambda model: remarks(model, now=scene.now)),
        "unjudged": _told(scene, unjudged, passing=True),
        "learning": learning_rows(scene.snapshot.learners),
    }


def _tiles(scene: Scene) -> Document:
    partitions = [view for _, view in scene.snapshot.partitions]
    times = [view.log_time for view in partitions if view.log_time is not None]
    return {
        "alarms": sum(row.alarms for row in scene.rows),
        "models": len(scene.rows),
        "rate": sum(row.rate or 0.0 for row in scene.rows),
        "dead": sum(n for view in partitions for n in view.dead.values()),
        "newest": max(times, default=None),
    }


def _row(scene: Scene, row: Row) -> Document:
    rates = scene.history.line(row.model, "rate")
    headline = scene.headlines.get(row.model)
    return {
        "key": key_of(row.model),
        "name": shown(row.model),
        "versions": [shown(version) for version in row.versions],
        "status": row.status,
        "why": said(row.why),
        "rate": row.rate,
        "spark": spark(rates, fmean),
        "spark_seconds": len(rates) * STEP_SECONDS,
        "errors": row.errors,
        "p95": row.p95,
        "severity": row.severity,
        "feature": shown(row.feature),
        "feature_key": key_of(row.feature) if row.feature else None,
        "answers": said(row.answers),
        "labelled": headline.labelled_ratio if headline else None,
        "alarms": row.alarms,
        "quiet": row.quiet,
    }


def spark(values: Values, how: Callable[[Sequence[float]], float]) -> Values:
    """A line of few points, in three digits: two hundred of them travel every second."""
    return [
        None if value is None else float(f"{value:.3g}") for value in thinned(values, SPARK, how)
    ]


def _told(
    scene: Scene, tell: Callable[[ModelSummary], Iterable[str]], *, passing: bool = False
) -> list[Document]:
    """Lines of text by model; nothing of those of which there is nothing to say."""
    found: list[Document] = []
    for model in scene.models:
        lines = [said(line) for line in tell(model)] if passing or not model.passing else []
        if lines:
            found.append({"key": key_of(model.model), "name": shown(model.model), "lines": lines})
    rest = len(found) - MOST_REMARKS
    more = [{"key": None, "name": "", "lines": [f"and {rest} more models"]}] if rest > 0 else []
    return found[:MOST_REMARKS] + more
