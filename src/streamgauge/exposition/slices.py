"""Declared segments of one series, put together over shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from streamgauge.state.views import SliceView

#: Slices of one segment that are shown, the largest.
MOST_SLICES = 10


def put_together(shards: Iterable[SliceView]) -> tuple[SliceView, ...]:
    """The largest slices of each segment, the worst first. Of several shards the worst speaks."""
    parts: dict[tuple[str, str], list[SliceView]] = defaultdict(list)
    for view in shards:
        parts[view.segment, view.value].append(view)
    merged = sorted(
        (_merged(views) for views in parts.values()), key=lambda v: (v.segment, -v.n, v.value)
    )
    largest = [
        view
        for _, segment in groupby(merged, key=lambda v: v.segment)
        for view in list(segment)[:MOST_SLICES]
    ]
    return tuple(sorted(largest, key=lambda v: (-(v.severity or 0.0), v.segment, v.value)))


def _merged(views: Sequence[SliceView]) -> SliceView:
    worst = max(views, key=lambda view: view.severity if view.severity is not None else -1.0)
    known = [(view.error_ratio, view.n) for view in views if view.error_ratio is not None]
    events = sum(n for _, n in known)
    return worst.model_copy(
        update={
            "n": sum(view.n for view in views),
            "error_ratio": sum(ratio * n for ratio, n in known) / events if events else None,
        }
    )
