"""How good a model's answers are, in a few words and as one figure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from streamgauge.exposition.truths import TruthSummary
from streamgauge.exposition.words import figure, percent
from streamgauge.state.views import PerformanceView

#: The figure that speaks for each task, the first that there is.
_SPEAKING = ("accuracy", "mae")


@dataclass(frozen=True, slots=True)
class Headline:
    """The figure that speaks for a model. ``labelled_ratio`` is the share that it stands on."""

    name: str
    value: float
    interval: tuple[float, float] | None
    labelled_ratio: float | None
    settled: bool


def answers(truth: TruthSummary | None, live: Collection[str]) -> str:
    """The headline figure and how much of the truth it stands on; empty where none is known.

    Settled figures come before provisional ones, and these say so.
    """
    if truth is None:
        return ""
    found = headline(truth, live)
    if found is None:
        return f"{figure(truth.pending)} wait for labels" if truth.pending else ""
    told, share = f"{found.name} {figure(found.value)}", found.labelled_ratio
    if not found.settled:
        return f"{told} so far, {percent(share or 0.0)} of labels in"
    return f"{told}, {percent(share)} labelled" if share is not None else told


def headline(truth: TruthSummary | None, live: Collection[str]) -> Headline | None:
    """The newest figure of live versions, settled ones first; None where none is known."""
    if truth is None:
        return None
    settled = _newest(truth.windows, live)
    if settled is not None:
        return _headline(settled, truth.coverage_ratio)
    waiting = _newest(truth.provisional, live)
    if waiting is not None and waiting.labelled_ratio is not None:
        return _headline(waiting, waiting.labelled_ratio)
    return None


def _newest(views: Sequence[PerformanceView], live: Collection[str]) -> PerformanceView | None:
    known = [view for view in views if view.version in live and view.figures]
    return max(known, key=lambda view: view.end or 0.0, default=None)


def _headline(view: PerformanceView, share: float | None) -> Headline:
    name = next((each for each in _SPEAKING if each in view.figures), next(iter(view.figures)))
    return Headline(
        name, view.figures[name], view.intervals.get(name), share, view.maturity == "settled"
    )
