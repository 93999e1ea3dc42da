"""Whether verdicts still hold at this moment; the console and the metrics both ask here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.fleet import ModelSummary, SeriesSummary
from streamgauge.exposition.words import duration
from streamgauge.state.views import CriterionView

#: Silence is longer than so many of the last judged windows, because a window lasts as long as its
#: model needs for enough events: fast and slow models need no different setting …
PATIENCE_WINDOWS = 3
#: … and never shorter than this, so that a pause of a fast model (a deploy, a lull) is no silence.
PATIENCE_SECONDS = 60.0


def patience(series: SeriesSummary) -> float:
    """How many seconds a series may send nothing before its last verdict is worth nothing."""
    return max(PATIENCE_SECONDS, PATIENCE_WINDOWS * (series.window_seconds or 0.0))


def as_of_now(
    model: ModelSummary, activity: Activity, *, now: float, deaf: bool = False
) -> ModelSummary:
    """The model with every series that fell silent at ``no_data``, and claims of all undecided.

    The views hold the last judged window for ever; only the reader knows how long ago that was.
    ``deaf`` says that no monitor runs, so nothing in the views is of now.
    """
    found = replace(
        model,
        series=tuple(
            _as_of_now(each, activity.quiet_seconds(model, each, now=now), deaf)
            for each in model.series
        ),
    )
    return replace(found, criteria=_undecided(found.criteria)) if found.silent else found


def _undecided(criteria: Sequence[CriterionView]) -> tuple[CriterionView, ...]:
    """Criteria of a model of which nothing comes: what held an hour ago tells nothing of now."""
    update = {"state": "UNDECIDED", "reason": "no data"}
    return tuple(each.model_copy(update=update) for each in criteria)


def _as_of_now(series: SeriesSummary, quiet: float | None, deaf: bool) -> SeriesSummary:
    if not deaf and quiet is not None and quiet <= patience(series):
        return series
    reason = "no prediction yet" if quiet is None else f"for {duration(quiet)}"
    return replace(series, silent=True, state="no_data", reason=reason)
