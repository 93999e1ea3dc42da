"""Versions and steps of a model: what each sends, since when, and what it is held against."""

from __future__ import annotations

from collections.abc import Sequence

from streamgauge.console.names import said, shown
from streamgauge.console.scene import Document, Scene
from streamgauge.exposition.fleet import ModelSummary, SeriesSummary
from streamgauge.state.views import ModelView, SeriesView

MOST_VERSIONS = 50


def version_rows(
    scene: Scene, model: ModelSummary, views: Sequence[ModelView], live: Sequence[str]
) -> list[Document]:
    """A row for each, those that send first."""
    appeared = scene.history.appeared(model.model)
    raw = {(s.version, s.step): s for view in views for s in view.series}
    found = sorted(model.series, key=lambda each: (each.version not in live, each.version))
    return [
        {**_version(each), "since": appeared.get(each.version), "live": each.version in live}
        | _reference(raw.get((each.version, each.step)))
        for each in found[:MOST_VERSIONS]
    ]


def _version(series: SeriesSummary) -> Document:
    return {
        "version": shown(series.version),
        "step": shown(series.step),
        "total": series.total,
        "state": series.state,
        "reason": said(series.reason),
        "silent": series.silent,
        "rate": None if series.silent else series.rate,
        "errors": None if series.silent else series.error_ratio,
        "p95": None if series.silent else series.p95,
        "poisoned": [f"{shown(name)} ({detector})" for name, detector in series.poisoned[:5]],
    }


def _reference(series: SeriesView | None) -> Document:
    return {
        "reference": series.reference_kind if series else "none",
        "rival": shown(series.rival) if series and series.rival else None,
    }
