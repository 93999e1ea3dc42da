"""A privacy policy applied to columns: what came in the clear is not kept so."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from streamgauge.batch.columns import ABSENT, CATEGORY, NUMBER, VECTOR, Column
from streamgauge_client.privacy import PrivacyPolicy

#: Ratio of a value to a bucket's width up to which the client rounds in one step.
_EXACT = 1e6
_ROUNDING = 1e-9


def private_columns(
    columns: Mapping[str, Column], fields: Mapping[str, Any], policy: PrivacyPolicy
) -> dict[str, Column]:
    """The columns with those of ``fields`` changed as ``policy`` changes each value.

    What the client or the ingest changed before stays as it is. A value that the policy does not go
    with is left out, as there.
    """
    changed = dict(columns)
    for name in columns.keys() & fields.keys():
        rule, column = fields[name], columns[name]
        if rule == "drop":
            n = len(column.kind)
            changed[name] = Column(np.full(n, ABSENT, dtype=np.int8), np.full(n, nan))
        elif rule != "keep":
            width = rule.get("bucket") if isinstance(rule, Mapping) else None
            in_one_step = isinstance(width, int | float) and _bucketed(column, width)
            changed[name] = in_one_step or _one_by_one(name, column, policy)
    return changed


def _bucketed(column: Column, width: float) -> Column | None:
    """Lower edges of all values at once; None where some of them need another care."""
    numbers = column.kind == NUMBER
    if ((column.kind == CATEGORY) | (column.kind == VECTOR)).any():
        return None
    ratio = column.values / width
    if not (np.abs(ratio[numbers]) < _EXACT).all():
        return None
    return Column(column.kind, np.where(numbers, np.floor(ratio + _ROUNDING) * width, nan))


def _one_by_one(name: str, column: Column, policy: PrivacyPolicy) -> Column:
    known: dict[float | str, Any] = {}
    kind, values = column.kind.copy(), column.values.copy()
    words: list[str | None] = [None] * len(kind)
    given = column.categories or words
    for row, code in enumerate(kind.tolist()):
        if code not in (NUMBER, CATEGORY):
            # Nothing to hide in a hole; and no policy goes with a vector.
            kind[row] = ABSENT if code == VECTOR else code
            values[row] = nan
            continue
        cell = given[row] if code == CATEGORY else float(column.values[row])
        assert cell is not None
        if cell not in known:
            known[cell] = policy.apply({name: cell}).get(name)
        made = known[cell]
        if isinstance(made, str):
            kind[row], values[row], words[row] = CATEGORY, nan, made
        elif made is None:
            kind[row], values[row] = ABSENT, nan
        else:
            kind[row], values[row] = NUMBER, float(made)
    return Column(kind, values, words if CATEGORY in kind else None)
