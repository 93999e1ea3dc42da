"""Where an anomaly score looks: weighted sums of features, some chosen by what belongs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

#: Ranks are whole numbers below this.
RANKS = 1024
PROJECTIONS = 24
#: At most so many of them are of two features that go together.
MOST_PAIRS = 16
#: Least squared correlation of ranks that counts as going together.
LEAST_SQUARED = 0.04
#: Ranks are this much coarser (a power of two) where correlations are taken, to keep sums small.
COARSE = RANKS // 8

_PAIR_WEIGHT = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """Two features by index; ``sign`` is that of their correlation."""

    one: int
    other: int
    sign: int


def strongest_pairs(n: int, products: NDArray[np.int64]) -> list[Pair]:
    """Pairs that go together, strongest first, without cycles: two of three alike say it all.

    ``products`` are those of ``cross_products`` over n events. Whole numbers and one division, so
    that every machine chooses the same.
    """
    d = len(products) - 1
    sums = products[d, :d].tolist()
    found: list[tuple[float, int, int, int]] = []
    spread = [n * int(products[i, i]) - sums[i] ** 2 for i in range(d)]
    for i, j in combinations(range(d), 2):
        if spread[i] > 0 and spread[j] > 0:
            shared = n * int(products[i, j]) - sums[i] * sums[j]
            squared = shared**2 / (spread[i] * spread[j])
            if squared >= LEAST_SQUARED:
                found.append((-squared, i, j, 1 if shared > 0 else -1))
    group = list(range(d))
    pairs: list[Pair] = []
    for _, i, j, sign in sorted(found):
        if group[i] != group[j] and len(pairs) < MOST_PAIRS:
            pairs.append(Pair(i, j, sign))
            merged = group[j]
            group = [group[i] if each == merged else each for each in group]
    return pairs


def cross_products(ranks: NDArray[np.int32]) -> NDArray[np.int64]:
    """Sums of products of coarse ranks (n, d), (d + 1, d + 1): the last row is the plain sums."""
    ones = np.ones((len(ranks), 1), dtype=np.float64)
    # Whole numbers below 2**53: the order in which they are added can't matter.
    wide = np.hstack([(ranks // COARSE).astype(np.float64), ones])
    return (wide.T @ wide).astype(np.int64)


def weights(names: Sequence[str], pairs: Sequence[Pair]) -> NDArray[np.int64]:
    """Weights of all projections, shape (PROJECTIONS, d).

    A pair's is the difference of its ranks (the sum, where they oppose each other), which is small
    as long as they go together. The others have √d features with weights from a hash of the names.
    """
    d = len(names)
    made = np.zeros((PROJECTIONS, d), dtype=np.int64)
    for row, pair in enumerate(pairs):
        made[row, pair.one], made[row, pair.other] = _PAIR_WEIGHT, -pair.sign * _PAIR_WEIGHT
    count = min(d, max(2, ceil(sqrt(d))))
    identity = "\0".join(names).encode(errors="surrogatepass")
    for row in range(len(pairs), PROJECTIONS):
        digest = blake2b(identity, digest_size=4 * count, salt=row.to_bytes(8, "big")).digest()
        left = list(range(d))
        for k in range(count):
            pick, size = int.from_bytes(digest[4 * k : 4 * k + 2], "big"), digest[4 * k + 2]
            sign = 1 if digest[4 * k + 3] & 1 else -1
            made[row, left.pop(pick % len(left))] = sign * (16 + size % 48)
    return made
