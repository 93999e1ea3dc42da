"""Bins: how a value finds its place in a histogram, and what that place is called."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Most inner bins of a numeric feature.
MOST_BINS = 64
#: Beyond this a square would overflow to infinity.
LARGEST = 1e150
#: Categories that get a bin of their own; the rest share the last one.
MOST_CATEGORIES = 50
#: More distinct values than this share of the sample: it is text or an id, not a category.
DISTINCT_SHARE = 0.5
#: Longest category that is kept; longer ones are cut, so that a state stays small.
CATEGORY_LENGTH = 64


@dataclass(frozen=True)
class NumericBins:
    """Quantile bins: inner ``edges`` (bins − 1,), ascending; the outer bins are open.

    A value on an edge belongs to the bin below. ``scale`` is the root mean square of the sample,
    which tells a change of unit even before there is a reference.
    """

    edges: NDArray[np.float64]
    scale: float

    @property
    def size(self) -> int:
        return len(self.edges) + 1

    def place(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """Bin of each value, shape (n,)."""
        return np.searchsorted(self.edges, values, side="left")

    @cached_property
    def middle(self) -> float:
        """The middle edge, about which sums are taken; 0 where there is none."""
        if not len(self.edges):
            return 0.0
        return float(np.clip(self.edges[len(self.edges) // 2], -LARGEST, LARGEST))

    @cached_property
    def labels(self) -> list[str]:
        """Names of the bins, for people."""
        edges = self.edges.tolist()
        texts = [f"{edge:.6g}" for edge in edges]
        if not texts:
            return ["all"]
        # Between a double and the next one lies a single value: the sample's smallest.
        single = [math.nextafter(high, -math.inf) == low for low, high in pairwise(edges)]
        inner = [
            high if alone else f"{low} – {high}"
            for (low, high), alone in zip(pairwise(texts), single, strict=True)
        ]
        lowest = f"< {texts[1]}" if single and single[0] else f"≤ {texts[0]}"
        return [lowest, *inner, f"> {texts[-1]}"]

    def plain(self) -> dict[str, Any]:
        return {"edges": self.edges.tolist(), "scale": self.scale}


@dataclass(frozen=True)
class CategoryBins:
    """One bin a category, most frequent first, and a last one for all others."""

    categories: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.categories) + 1

    @cached_property
    def _index(self) -> dict[str, int]:
        return {category: i for i, category in enumerate(self.categories)}

    def place(self, values: Sequence[str]) -> NDArray[np.intp]:
        """Bin of each category, shape (n,)."""
        index, other = self._index, len(self.categories)
        found = list(map(index.get, values))
        if None in found:
            found = [
                index.get(value[:CATEGORY_LENGTH], other) if known is None else known
                for value, known in zip(values, found, strict=True)
            ]
        return np.array(found, dtype=np.intp)

    @property
    def labels(self) -> list[str]:
        return [*self.categories, "(other)"]

    def plain(self) -> dict[str, Any]:
        return {"categories": list(self.categories)}


Bins = NumericBins | CategoryBins


def numeric_bins(sample: NDArray[np.float64]) -> NumericBins:
    """Quantile bins of a finite sample, shape (n,), n ≥ 1; at least ten values a bin.

    The sample's smallest and largest value are edges, so that the outer bins hold what the sample
    never had. Ties share a bin, so a feature of few distinct values gets one bin for each.
    """
    bins = int(np.clip(len(sample) // 10, 4, MOST_BINS - 2))
    quantiles = np.quantile(sample, np.linspace(0.0, 1.0, bins + 1), method="inverted_cdf")
    # Below the lowest double there is none, and an edge must be finite.
    lowest = max(math.nextafter(float(quantiles[0]), -math.inf), -sys.float_info.max)
    return NumericBins(np.unique(np.concatenate(([lowest], quantiles))), _scale(sample))


def category_bins(sample: Sequence[str]) -> CategoryBins | None:
    """Bins for the sample's most frequent categories; None for free text and ids."""
    counts = Counter(value[:CATEGORY_LENGTH] for value in sample)
    if len(counts) > max(20, DISTINCT_SHARE * len(sample)):
        return None
    ranked = sorted(counts, key=lambda category: (-counts[category], category))
    return CategoryBins(tuple(ranked[:MOST_CATEGORIES]))


def mid_ranks(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rank of the middle of each bin in the reference, 0 to 1, shape (bins,).

    What a detector is fed instead of a raw value: robust to tails, blind to scale.

    >>> mid_ranks(np.array([1, 2, 1])).tolist()
    [0.125, 0.5, 0.875]
    """
    total = max(int(counts.sum()), 1)
    return (np.cumsum(counts) - counts / 2) / total


def bins_from_plain(plain: dict[str, Any]) -> Bins:
    """Return the bins that ``plain`` described."""
    if "categories" in plain:
        return CategoryBins(tuple(plain["categories"]))
    return NumericBins(np.array(plain["edges"], dtype=np.float64), float(plain["scale"]))


def _scale(sample: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(np.clip(sample, -LARGEST, LARGEST)))))
