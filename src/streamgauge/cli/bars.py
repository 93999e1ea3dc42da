"""A histogram as lines of text: the reference's share of each bin above the present one's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamgauge.cli.output import printable

if TYPE_CHECKING:
    from streamgauge.state.views import HistogramView

#: Most bins that are drawn. More of them are merged with their neighbours.
_MOST = 16
_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bars(histogram: HistogramView) -> Iterator[str]:
    """Two bars a bin, on one scale."""
    rows = merged(histogram)
    widest = max((max(before, after) for _, before, after in rows), default=0.0) or 1.0
    label = min(28, max((len(name) for name, _, _ in rows), default=0))
    for name, before, after in rows:
        yield f"{_fit(name, label)}  reference {_bar(before, widest)} {before:6.1%}"
        yield f"{'':{label}}  current   {_bar(after, widest)} {after:6.1%}"


def merged(histogram: HistogramView) -> list[tuple[str, float, float]]:
    """Name, reference share and current share of at most 16 runs of neighbouring bins."""
    rows = list(zip(histogram.bins, histogram.reference, histogram.current, strict=False))
    size = -(-len(rows) // _MOST) or 1
    found: list[tuple[str, float, float]] = []
    for i in range(0, len(rows), size):
        run = rows[i : i + size]
        name = printable(run[0][0]) if len(run) == 1 else _span(run[0][0], run[-1][0])
        found.append((name, sum(r[1] for r in run), sum(r[2] for r in run)))
    return found


def _span(first: str, last: str) -> str:
    """A name for a run of bins: from the low end of the first to the high end of the last."""
    low, _, high = first.partition(" – ")[0], "", last.rpartition(" – ")[2]
    return printable(f"{low} … {high}")


def _bar(share: float, widest: float) -> str:
    eighths = round(share / widest * _WIDTH * 8)
    # A share that is there must be seen, however small it is.
    eighths = max(eighths, 1) if share > 0 else 0
    full, rest = divmod(eighths, 8)
    return f"{'█' * full}{_EIGHTHS[rest] if rest else ''}".ljust(_WIDTH)


def _fit(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"
