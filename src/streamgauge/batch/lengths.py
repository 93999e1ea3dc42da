"""The length of what is no number: texts in characters, vectors in their numbers."""

from __future__ import annotations

import numpy as np

from streamgauge.batch.features import ABSENT, CATEGORY, NULL, NUMBER, VECTOR, Column


def length_column(column: Column) -> Column:
    """A column of lengths: NUMBER where there is a text or a vector, and missing as before.

    A number among the texts has no length; it is ABSENT, because as a value it is judged elsewhere.

    >>> from streamgauge.batch.features import feature_columns
    >>> column = feature_columns([{"t": "abc"}, {"t": ""}, {"t": None}, {"t": 5.0}], ["t"])["t"]
    >>> lengths = length_column(column)
    >>> lengths.kind.tolist(), lengths.values.tolist()
    ([0, 0, 2, 3], [3.0, 0.0, nan, nan])
    """
    kind = column.kind
    words, vectors = kind == CATEGORY, kind == VECTOR
    values = np.where(vectors, column.values, np.nan)
    if column.categories is not None:
        if words.all():
            values = np.fromiter(map(len, column.categories), np.float64, len(kind))  # type: ignore[arg-type]
        else:
            values[words] = [len(word) for word in column.categories if word is not None]
    found = np.where(words | vectors, NUMBER, np.where(kind == NULL, NULL, ABSENT))
    return Column(found.astype(np.int8), values)
