"""What stock Faust does with acknowledgements, by its own fetch loop, and that ours has none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.consumer import Consumer
from faust.types import TP, ConsumerMessage

from streamgauge.streaming.consumer import Fetched
from tests.streaming.fakes import PREDICTIONS
from tests.streaming.test_faust_consumer import Driven, Rig, fetched
from tests.streaming.test_faust_consumer import rig as rig

T = TP(PREDICTIONS, 0)


class Stock(Driven):
    """Faust's own bookkeeping over prepared messages: nothing of ours but the absent thread."""

    offsets: list[int] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = {T: None}  # type: ignore[assignment]

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        while self.offsets:
            yield T, message(self.offsets.pop(0))
        self._stopped.set()


def message(offset: int) -> Any:
    return ConsumerMessage(
        PREDICTIONS, 0, offset, 0.0, 0, [], None, b"v", None, 0, 0, T, generation_id=5
    )


async def committed_by_stock(rig: Rig, offsets: list[int], unacked: int) -> int | None:
    """What Faust would commit after these offsets, all acknowledged but one."""
    delivered: list[Any] = []

    async def deliver(each: Any) -> None:
        delivered.append(each)

    async def nothing(*_: Any) -> None: ...

    stock = Stock(rig.app.transport, deliver, nothing, nothing)
    stock.offsets = list(offsets)
    stock._set_active_tps({T})
    stock.resume_flow()
    rig.app.topics.acks_enabled_for = lambda _topic: True
    await Consumer._drain_messages(stock, SimpleNamespace(_stopped=SimpleNamespace(is_set=bool)))
    assert [each.offset for each in delivered] == offsets
    stock._acked[T] = [offset for offset in offsets if offset != unacked]
    new: int | None = Consumer._new_offset(stock, T)
    return new


async def test_stock_commits_past_an_unacknowledged_record_behind_a_hole(rig: Rig) -> None:
    assert await committed_by_stock(rig, [10, 11, 20, 21], unacked=20) == 22


async def test_stock_commits_past_a_whole_unacknowledged_chunk(rig: Rig) -> None:
    # A message a chunk bears the last offset: 100 to 199 are not acknowledged.
    assert await committed_by_stock(rig, [99, 199, 299], unacked=199) == 300


@pytest.mark.parametrize("offsets", [[10, 11, 20, 21], [*range(99, 300, 100)]])
async def test_ours_has_nothing_to_commit_whatever_came(rig: Rig, offsets: list[int]) -> None:
    # Given holes and chunks, delivered and not acknowledged
    await rig.drain(*(fetched(offset) for offset in offsets))
    # Then Faust's own commit, of its timer and of its stop, finds nothing
    asked: list[Any] = []

    async def commit(offsets: Any) -> bool:
        asked.append(offsets)
        return True

    rig.consumer._commit = commit
    assert not rig.app.topics.acks_enabled_for(PREDICTIONS)
    assert await rig.consumer.force_commit(start_new_transaction=False) is False
    await rig.consumer.on_stop()
    assert not asked
    assert (rig.consumer._acked, rig.consumer._gap) == ({}, {})


async def test_a_chunk_whose_delivery_was_suspended_is_missed_and_read_again(rig: Rig) -> None:
    from streamgauge.streaming.cursor import Cursor

    # Given a delivery that a rebalance suspends: Faust cancels it, and goes on as if it had ended
    inner = rig.consumer.callback

    async def suspended(each: Any) -> None:
        if each.value.base == 0:
            rig.consumer.suspend_flow.set()
            await rig.consumer.sleep(60)
        await inner(each)

    rig.consumer.callback = suspended
    first, second = fetched(*range(100)), fetched(*range(100, 200))
    chunks = await rig.drain(first, Fetched(*second))
    # Then the first never came, and the second is not taken for the next
    assert [chunk.base for chunk in chunks] == [100]
    cursor = Cursor(0)
    assert cursor.check(chunks[0]).verdict == "seek"
    assert cursor.next == 0
