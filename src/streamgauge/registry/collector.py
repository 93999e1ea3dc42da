"""Python's garbage collector, left out while a model is written or read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hundreds of thousands of objects come into being here, and none of them is garbage.

    Looking for some among them took half of a load's time, and held up every other thread. Two
    threads at once may end each other's pause early, which costs time and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
