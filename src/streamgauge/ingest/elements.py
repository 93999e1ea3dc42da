"""How many elements an array has, counted without making any of them."""

from __future__ import annotations

import re

import numpy as np

# Possessive, so that a hostile string can't make the search go back. The last quote may be missing.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1


def count_elements(array: bytes) -> int:
    """Elements of a JSON array, at least where it is broken: four million bytes hold two million.

    >>> count_elements(b'[1, [2, 3], {"a": ",,"}]'), count_elements(b"[]")
    (3, 1)
    """
    structure = np.frombuffer(_STRING.sub(b"", array).translate(None, _NO_STRUCTURE), np.uint8)
    depth = np.cumsum(_STEP[structure], dtype=np.int32)
    return int(np.count_nonzero((structure == ord(",")) & (depth == 1))) + 1
