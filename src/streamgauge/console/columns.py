"""What is known of one judged thing of a model: a feature, an output, or a name with verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streamgauge.console.judgements import (
    detector_row,
    histogram_row,
    judgement_row,
    largest_moves,
    why,
)
from streamgauge.console.names import key_of, said, shown
from streamgauge.console.scene import Document
from streamgauge.exposition.fleet import shown_name
from streamgauge.exposition.milliseconds import in_milliseconds
from streamgauge.state.views import (
    DetectorView,
    FeatureView,
    HistogramView,
    JudgementView,
    ModelView,
)

LATENCY = "output.latency"
_RELEASE = "release "


@dataclass(frozen=True, slots=True)
class Column:
    """One thing of one (version, step) on one shard."""

    version: str
    step: str
    partition: int
    feature: FeatureView | None
    judgements: Sequence[JudgementView]
    detectors: Sequence[DetectorView]
    rival: str | None = None

    @property
    def histogram(self) -> HistogramView | None:
        """Its histogram; None where none was judged, or its columns do not fit."""
        found = self.feature.histogram if self.feature else None
        if found is None or not len(found.bins) == len(found.reference) == len(found.current):
            return None
        return in_milliseconds(found) if self.feature and self.feature.name == LATENCY else found


def columns(views: Sequence[ModelView], name: str, versions: Sequence[str]) -> list[Column]:
    """All that there is of a name, by version in the order that is given.

    What users do is of no version: its column has the empty one, and stands first.
    """
    order = ["", *versions]
    found = [each for view in views for each in _of_view(view, name) if each.version in order]
    return sorted(found, key=lambda each: (order.index(each.version), each.step))


def names(views: Sequence[ModelView]) -> Iterator[str]:
    """All names that are judged, each at least once."""
    for view in views:
        for series in view.series:
            yield from (feature.name for feature in series.features)
            yield from (each.target for each in series.judgements)
        yield from (each.target for each in view.behaviour)
        for each in view.truth.series if view.truth is not None else ():
            yield from (judgement.target for judgement in each.judgements)


def named(views: Sequence[ModelView], key: str) -> str | None:
    """The name that an address means; that of a release is the name of what it is about."""
    known = set(names(views))
    for name in known:
        if key == key_of(name):
            return name
    return next((name for name in known if key == key_of(_RELEASE + name)), None)


def column_row(column: Column) -> Document:
    """A column as a screen shows it, with the reasons in words."""
    feature, histogram = column.feature, column.histogram
    judged = sorted(
        column.judgements, key=lambda each: -(each.severity if each.severity is not None else -1.0)
    )
    return {
        "version": shown(column.version),
        "step": shown(column.step),
        "partition": column.partition,
        "rival": shown(column.rival) if column.rival else None,
        "type": feature.type if feature else None,
        "unit": "s" if feature and feature.name == LATENCY else "",
        "statistics": {
            name: getattr(feature, name) for name in ("mean", "std", "minimum", "maximum")
        }
        if feature
        else {},
        "ratios": {
            name: getattr(feature, f"{name}_ratio")
            for name in ("missing", "wrong_type", "out_of_range", "new_category")
        }
        if feature
        else {},
        "provisional": feature.provisional if feature else False,
        "hints": [said(hint) for hint in feature.hints] if feature else [],
        "histogram": histogram_row(histogram),
        "judgements": [
            {**judgement_row(each), "name": shown(shown_name(each.target, each))} for each in judged
        ],
        "detectors": [detector_row(each) for each in column.detectors],
        "why": [why(each) for each in judged if each.state in ("firing", "pending", "poisoned")],
        "moves": largest_moves(histogram) if histogram else [],
    }


def _of_view(view: ModelView, name: str) -> Iterator[Column]:
    acts = [each for each in view.behaviour if each.target == name]
    if acts:
        yield Column("", "", view.partition, None, acts, ())
    truths = {(each.version, each.step): each for each in (view.truth.series if view.truth else ())}
    for series in view.series:
        feature = next((each for each in series.features if each.name == name), None)
        judged = [*(feature.judgements if feature else ())]
        judged += [each for each in series.judgements if each.target == name]
        detectors = [each for each in series.detectors if each.series == name]
        truth = truths.get((series.version, series.step))
        if truth is not None:
            judged += [each for each in truth.judgements if each.target == name]
            detectors += [each for each in truth.detectors if each.series == name]
        if feature is not None or judged:
            yield Column(
                series.version,
                series.step,
                view.partition,
                feature,
                judged,
                detectors,
                series.rival,
            )
