"""What was dropped is collected soon, and once for all that was."""

from __future__ import annotations

import asyncio
import gc

import pytest

from streamgauge.streaming import garbage


async def test_many_that_are_dropped_together_are_one_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collected = []
    monkeypatch.setattr(garbage, "SOON_SECONDS", 0.01)
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    # Given a rebalance that takes a hundred partitions away
    for _ in range(100):
        garbage.collect_soon()
    assert not collected
    # Then there is one collection for all of them, and another for what is dropped later
    async with asyncio.timeout(5):
        while not collected:
            await asyncio.sleep(0)
    garbage.collect_soon()
    async with asyncio.timeout(5):
        while len(collected) < 2:
            await asyncio.sleep(0)
    assert collected == [True, True]
