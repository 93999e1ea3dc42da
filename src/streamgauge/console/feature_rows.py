"""What moved of a model: its gravest features over the hour, and its outputs' histograms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from streamgauge.console.columns import LATENCY, columns
from streamgauge.console.judgements import histogram_row
from streamgauge.console.names import key_of, said, shown
from streamgauge.console.ring import Values
from streamgauge.console.scene import Document, Scene
from streamgauge.exposition.fleet import FeatureSummary, ModelSummary, gravity
from streamgauge.state.views import ModelView

#: Rows of the heat strip.
MOST_FEATURES = 30
#: What an output's columns are called.
_OUTPUTS = ("output", "output.label", "output.score", "output.confidence", LATENCY)


def feature_rows(scene: Scene, model: ModelSummary, live: Sequence[str]) -> list[Document]:
    """The gravest thirty, each with its hour. Of several versions the gravest speaks."""
    gravest: dict[str, FeatureSummary] = {}
    for series in model.series:
        # A version that sends no more tells nothing of one that does.
        if series.version not in live or (series.silent and not model.silent):
            continue
        for each in series.features:
            known = gravest.setdefault(each.name, each)
            if gravity(each) > gravity(known):
                gravest[each.name] = each
    hour: dict[str, Values] = scene.history.features(model.model)
    ranked = sorted(gravest.values(), key=lambda each: (*(-g for g in gravity(each)), each.name))
    return [
        {
            "key": key_of(each.name),
            "name": shown(each.name),
            "state": "no_data"
            if model.silent
            else each.judgement.state
            if each.judgement
            else None,
            "reason": said(each.judgement.reason) if each.judgement else "",
            "severity": each.judgement.severity if each.judgement and not model.silent else None,
            "values": hour.get(each.name, []),
        }
        for each in ranked[:MOST_FEATURES]
    ]


def output_rows(views: Sequence[ModelView], live: Sequence[str]) -> Iterator[Document]:
    """One histogram for each column of the output, of the first live version that has one."""
    for name in _OUTPUTS:
        for column in columns(views, name, live):
            histogram = histogram_row(column.histogram)
            if histogram is not None:
                yield {
                    "key": key_of(name),
                    "name": name,
                    "version": shown(column.version),
                    "step": shown(column.step),
                    "histogram": histogram,
                }
                break
