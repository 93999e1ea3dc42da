"""The histogram of a latency, with bins in milliseconds."""

from __future__ import annotations

import re

from streamgauge.state.views import HistogramView

_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")


def in_milliseconds(histogram: HistogramView) -> HistogramView:
    """A latency's bins with their unit; its grid ends far beyond what ever comes."""
    shares = [p + q for p, q in zip(histogram.reference, histogram.current, strict=True)]
    filled = [place for place, share in enumerate(shares) if share] or [0, len(shares) - 1]
    kept = slice(filled[0], filled[-1] + 1)
    return histogram.model_copy(
        update={
            "bins": [
                f"{_NUMBER.sub(lambda found: f'{1000 * float(found[0]):.4g}', bin_)} ms"
                for bin_ in histogram.bins[kept]
            ],
            "reference": histogram.reference[kept],
            "current": histogram.current[kept],
        }
    )
