"""Judgements as a screen shows them: the value against its threshold, and in words."""

from __future__ import annotations

from streamgauge.console.names import said, shown
from streamgauge.console.scene import Document
from streamgauge.exposition.words import figure, percent, times_threshold
from streamgauge.state.views import DetectorView, HistogramView, JudgementView

#: Bins whose share is told in words.
MOST_MOVES = 3
#: A share that moved by less is nothing to speak of.
LEAST_MOVE = 0.02
_RATIOS = {"missing", "wrong_type", "out_of_range", "new_category", "error_ratio", "rule", "rate"}


def judgement_row(judgement: JudgementView) -> Document:
    """One judgement, its numbers as they are."""
    return {
        "target": shown(judgement.target),
        "detector": shown(judgement.detector),
        "kind": shown(judgement.kind),
        "state": judgement.state,
        "value": judgement.value,
        "threshold": judgement.threshold,
        "severity": judgement.severity,
        "ratio": judgement.detector in _RATIOS,
        "others": {shown(name): value for name, value in [*judgement.others.items()][:8]},
        "n": judgement.n,
        "needed": judgement.needed,
        "reason": said(judgement.reason),
        "as_of": judgement.as_of,
    }


def detector_row(detector: DetectorView) -> Document:
    """An online detector's inside."""
    return {
        "series": shown(detector.series),
        "detector": shown(detector.detector),
        "state": detector.state,
        "samples": detector.samples,
        "needed": detector.needed,
        "estimate": detector.estimate,
        "detections": detector.detections,
        "last_detection": detector.last_detection,
    }


def histogram_row(histogram: HistogramView | None) -> Document | None:
    """Shares by bin, before and now."""
    if histogram is None:
        return None
    return {
        "bins": [shown(name, 40) for name in histogram.bins],
        "reference": histogram.reference,
        "current": histogram.current,
    }


def why(judgement: JudgementView) -> str:
    """Why a judgement fired, or why there is no verdict, in a sentence.

    >>> fired = JudgementView(target="x", detector="js", state="firing", value=0.4, threshold=0.2,
    ...                       severity=2.0, n=500)
    >>> why(fired)
    'js is 0.4, 2 × threshold (0.2), over 500 values'
    """
    name = shown(judgement.detector)
    if judgement.state not in ("firing", "pending") or judgement.severity is None:
        return said(f"{name}: {judgement.reason or judgement.state.replace('_', ' ')}")
    say = percent if judgement.detector in _RATIOS else figure
    value = say(judgement.value) if judgement.value is not None else "–"
    threshold = say(judgement.threshold) if judgement.threshold is not None else "–"
    against = " against the version before" if judgement.kind == "release" else ""
    waits = "; one window more and it fires" if judgement.state == "pending" else ""
    return (
        f"{name}{against} is {value}, {times_threshold(judgement.severity)} ({threshold}), "
        f"over {figure(judgement.n)} values{waits}"
    )


def largest_moves(histogram: HistogramView) -> list[str]:
    """Where the values went, in words: the bins whose share moved most.

    >>> largest_moves(HistogramView(bins=["a", "b"], reference=[0.9, 0.1], current=[0.4, 0.6]))
    ['a: 90 % → 40 %', 'b: 10 % → 60 %']
    """
    moves = sorted(
        zip(histogram.bins, histogram.reference, histogram.current, strict=False),
        key=lambda each: -abs(each[2] - each[1]),
    )
    return [
        f"{shown(name, 40)}: {percent(before)} → {percent(now)}"
        for name, before, now in moves[:MOST_MOVES]
        if abs(now - before) >= LEAST_MOVE
    ]
