"""Collections of garbage soon after something large was dropped."""

from __future__ import annotations

import asyncio
import gc
from weakref import WeakKeyDictionary

#: Partitions are dropped many at a time, and a collection stands in everybody's way.
SOON_SECONDS = 0.5

_due: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.TimerHandle] = WeakKeyDictionary()


def collect_soon() -> None:
    """Collect once for all that is dropped by then.

    A processor is megabytes in cycles. Where collections are rare on purpose, it would stand in
    memory beside the next session's, and that of the one after it.
    """
    loop = asyncio.get_running_loop()
    if loop not in _due:
        _due[loop] = loop.call_later(SOON_SECONDS, _collect, loop)


def _collect(loop: asyncio.AbstractEventLoop) -> None:
    del _due[loop]
    gc.collect()
