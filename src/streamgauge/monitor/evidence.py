"""What is shown beside a judgement and does not judge: the other distances, and the picture."""

from __future__ import annotations

from functools import cache

from streamgauge.distances import Distance, JensenShannon
from streamgauge.monitor.contents import TargetCounts
from streamgauge.monitor.shown_histogram import shown_histogram
from streamgauge.monitor.target import Target
from streamgauge.references.bins import NumericBins
from streamgauge_client.events import Histogram

#: Name of the distance from the last weeks among the others.
RECENT = "js_recent"

_js = JensenShannon()


def other_distances(target: Target, counts: TargetCounts) -> dict[str, float]:
    """Every distance but the one that judges, by name, of a window from the frozen reference.

    They cost more than the judgement itself, so they are taken where somebody will look: of
    windows that exceed, and of the last one.
    """
    if target.reference is None or counts.histogram is None:
        return {}
    before, after = target.reference.counts, counts.effective
    ordered = isinstance(target.bins, NumericBins)
    found = {
        name: distance.value(before, after)
        for name, distance in _others().items()
        if ordered or not distance.ordered
    }
    recent = from_recent(target, counts)
    return found if recent is None else found | {RECENT: recent}


def from_recent(target: Target, counts: TargetCounts) -> float | None:
    """Jensen-Shannon distance from the last weeks, the rolling reference beside the frozen one.

    None before there was a week. Windows under an alarm are no part of it.
    """
    recent = target.season.recent if target.season is not None else None
    if target.season is None or recent is None or counts.histogram is None:
        return None
    return _js.value(recent, target.season.grouped(counts.effective))


def picture(target: Target, counts: TargetCounts) -> Histogram | None:
    """The reference's shares and the window's, over the same bars."""
    if target.reference is None or target.bins is None or counts.histogram is None:
        return None
    return shown_histogram(target.bins, target.reference.counts, counts.histogram.counts)


@cache
def _others() -> dict[str, Distance]:
    return {name: made() for name, made in Distance.classes().items() if name != "js"}
