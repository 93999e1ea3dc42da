"""A learned model as bytes: the same log gives the same bytes, in every process."""

from __future__ import annotations

import copyreg
import io
import pickle
from typing import Any

from river import proba


def canonical_bytes(value: object) -> bytes:
    """Plain values and River objects as bytes that ``pickle`` reads.

    Reading them is for authenticated bytes only, and not done here. One trap is dealt with: each of
    River's distributions (one per feature and class in naive Bayes, also in the leaves of trees)
    holds dice of its own for drawing samples, which nobody seeds and nothing here throws. They are
    left out, which also makes such models ten to thirty times smaller.
    """
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = _Table()
    pickler.dump(value)
    return buffer.getvalue()


class _Table(dict[type, Any]):
    """Distributions without their dice, all else as usual."""

    def __missing__(self, kind: type) -> Any:
        if issubclass(kind, proba.base.Distribution):
            return _without_dice
        # Unlike ``Pickler``'s own table, this one would hide what ``copyreg`` knows.
        return copyreg.dispatch_table[kind]


def _without_dice(distribution: Any) -> tuple[Any, ...]:
    state = {key: value for key, value in vars(distribution).items() if key != "_rng"}
    return copyreg.__newobj__, (type(distribution),), state  # type: ignore[attr-defined]
