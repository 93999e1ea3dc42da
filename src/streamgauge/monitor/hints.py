"""What is odd about the values behind an alarm, in words that name the likely cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from streamgauge.alarms.finding import Finding
from streamgauge.monitor import lint
from streamgauge.monitor.contents import SeriesCounts, TargetCounts
from streamgauge.monitor.step import LATENCY
from streamgauge.monitor.target import Target
from streamgauge.monitor.unit_jump import Spread, unit_jump
from streamgauge.references.bins import NumericBins

if TYPE_CHECKING:
    from streamgauge.monitor.series import Series

#: Findings whose features are looked at.
MOST_LOOKED_AT = 5
#: New categories that are named.
MOST_NAMED = 5


def hints_of(series: Series, contents: SeriesCounts, findings: Sequence[Finding]) -> list[str]:
    """Hints on the features that moved most in a window."""
    found: list[str] = []
    for name in dict.fromkeys(finding.target for finding in findings[:MOST_LOOKED_AT]):
        target, counts = series.targets.get(name), contents.targets.get(name)
        if target is not None and counts is not None:
            found += [f"{name}: {hint}" for hint in hints_on(target, counts)]
    if any(finding.target in ("timestamp", "prediction_id") for finding in findings):
        found += hints_on_series(contents)
    return found


def hints_on_series(counts: SeriesCounts) -> list[str]:
    """Hints on a window as a whole: its clocks, its ids."""
    skew, figures = counts.skew, counts.skew.get()
    found = (
        lint.skew(
            n=skew.n,
            ahead_ratio=figures.get("ahead_ratio", 0.0),
            hour_ratio=figures.get("hour_ratio", 0.0),
            hour=skew.hour,
        ),
        lint.duplicates(repeated=counts.duplicates.repeated, sampled=counts.duplicates.sampled),
    )
    return [hint for hint in found if hint]


def hints_on(target: Target, counts: TargetCounts) -> list[str]:
    """Hints on one target's window, and on what its values have been like since ever."""
    return [hint for hint in (*_of_numbers(target, counts), _new_words(counts)) if hint] + list(
        target.notes
    )


def _of_numbers(target: Target, counts: TargetCounts) -> Iterator[str | None]:
    reference = target.reference
    if reference is None or counts.moments is None or counts.histogram is None:
        return
    now = counts.moments.get()
    if "mean" not in now:
        return
    if reference.mean is not None and reference.std is not None and _moved_as_one(target, counts):
        yield unit_jump(Spread(reference.mean, reference.std), Spread(now["mean"], now["std"]))
    if now["min"] == now["max"]:
        bin_of_all = int(np.argmax(counts.histogram.counts))
        share = float(reference.counts[bin_of_all]) / max(reference.n, 1)
        yield lint.constant(now["min"], n=counts.n, share_before=share)
    if counts.sentinels is not None and isinstance(target.bins, NumericBins):
        edges = target.bins.edges
        ordinary = (float(edges[0]), float(edges[-1])) if len(edges) else None
        yield lint.sentinels(counts.sentinels.found(), n=counts.sentinels.n, ordinary=ordinary)


def _moved_as_one(target: Target, counts: TargetCounts) -> bool:
    """Whether all values may be of another unit.

    Where a part stayed as it was, the cause is another; and latencies have one unit here.
    """
    reference = target.reference
    if target.name == LATENCY or reference is None or counts.histogram is None:
        return False
    p = reference.counts / max(reference.n, 1)
    q = counts.histogram.counts / max(counts.histogram.n, 1)
    # A mixture overlaps with the reference, and lies on both sides of its middle.
    middle = int(np.searchsorted(np.cumsum(p), 0.5))
    stayed = float(np.minimum(p, q)[1:-1].sum())
    return stayed < 0.2 or not 0.2 < float(q[: middle + 1].sum()) < 0.8


def _new_words(counts: TargetCounts) -> str | None:
    """The new categories by name: of those only that many events share."""
    if counts.new_words is None or not counts.events:
        return None
    named = [
        f"{word!r} ({100 * n / counts.events:.2g} %)"
        for word, n in counts.new_words.top(MOST_NAMED)
    ]
    return f"new: {', '.join(named)}" if named else None
