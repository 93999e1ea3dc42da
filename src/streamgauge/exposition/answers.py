"""How good a model's answers are, in a few words of the status page."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from streamgauge.exposition.truths import TruthSummary
from streamgauge.exposition.words import figure, percent
from streamgauge.state.views import PerformanceView

#: The figure that speaks for each task, the first that there is.
_SPEAKING = ("accuracy", "mae")


def answers(truth: TruthSummary | None, live: Collection[str]) -> str:
    """The headline figure and how much of the truth it stands on; empty where none is known.

    Settled figures come before provisional ones, and these say so.
    """
    if truth is None:
        return ""
    settled = _newest(truth.windows, live)
    if settled is not None:
        share = truth.coverage_ratio
        covered = f", {percent(share)} labelled" if share is not None else ""
        return f"{_headline(settled)}{covered}"
    waiting = _newest(truth.provisional, live)
    if waiting is not None and waiting.labelled_ratio is not None:
        return f"{_headline(waiting)} so far, {percent(waiting.labelled_ratio)} of labels in"
    return f"{figure(truth.pending)} wait for labels" if truth.pending else ""


def _newest(views: Sequence[PerformanceView], live: Collection[str]) -> PerformanceView | None:
    known = [view for view in views if view.version in live and view.figures]
    return max(known, key=lambda view: view.end or 0.0, default=None)


def _headline(view: PerformanceView) -> str:
    name = next((each for each in _SPEAKING if each in view.figures), next(iter(view.figures)))
    return f"{name} {figure(view.figures[name])}"
