"""Work that would hold the event loop up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Sealing and proving more bytes than this takes long enough to be done in a thread.
LARGE = 1024 * 1024


async def aside(size: int, work: Callable[[], T]) -> T:
    """Do what is about so many bytes; what takes long, in a thread."""
    return work() if size < LARGE else await asyncio.to_thread(work)
