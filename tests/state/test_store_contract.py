"""Every checkpoint store gives the same answers: memory, fakeredis, redis-server."""

from __future__ import annotations

import pytest

from streamgauge.state.base import Checkpoint, CheckpointStore

FIRST = "#0;labels=0;predictions=0"


def write(base: str, position: str, **parts: dict[str, bytes]) -> Checkpoint:
    return Checkpoint(
        base=base,
        position=position,
        meta=b"meta of " + position.encode(),
        blobs=parts.get("blobs", {}),
        views=parts.get("views", {}),
        outbox=parts.get("outbox", {}),
    )


async def test_sequence_of_the_protocol(store: CheckpointStore) -> None:
    # Given a partition nobody held before, the first worker gets it at the first position.
    a = await store.acquire(0, owner="a", generation=1, first=FIRST)
    assert (a.epoch, a.position, a.created, a.stale) == ("1", FIRST, True, False)

    # When it writes, the write stands; the same again finds its base gone.
    one = write(FIRST, "#1;labels=0;predictions=9", blobs={"m": b"\x00s"}, outbox={"x": b"alarm"})
    assert await store.checkpoint(0, owner="a", epoch="1", write=one) == "OK"
    assert await store.checkpoint(0, owner="a", epoch="1", write=one) == "CONFLICT"
    stored = await store.load(0)
    assert stored.position == "#1;labels=0;predictions=9"
    assert stored.meta == b"meta of #1;labels=0;predictions=9"
    assert (stored.blobs, stored.outbox) == ({"m": b"\x00s"}, {"x": b"alarm"})

    # When a second worker takes over, the first is fenced and can't come back by itself.
    b = await store.acquire(0, owner="b", generation=2, first=FIRST)
    assert (b.epoch, b.position, b.created) == ("2", one.position, False)
    two = write(one.position, "#2;labels=0;predictions=12")
    assert await store.checkpoint(0, owner="a", epoch="1", write=two) == "FENCED"
    assert (await store.acquire(0, owner="a", generation=1, first=FIRST)).stale
    assert await store.holder(0) == ("b", "2", one.position)
    assert await store.checkpoint(0, owner="b", epoch="2", write=two) == "OK"

    # Then a lower generation gets in only by force.
    forced = await store.acquire(0, owner="a", generation=1, first=FIRST, force=True)
    assert (forced.epoch, forced.position, forced.stale) == ("3", two.position, False)


async def test_nothing_is_there_before_the_first_acquire(store: CheckpointStore) -> None:
    assert await store.holder(5) == ("", "", "")
    stored = await store.load(5)
    assert (stored.position, stored.meta, stored.blobs, stored.outbox) == ("", None, {}, {})
    assert await store.checkpoint(5, owner="a", epoch="1", write=write("", "#1")) == "FENCED"


async def test_a_delayed_duplicate_of_a_checkpoint_without_progress_is_refused(
    store: CheckpointStore,
) -> None:
    await store.acquire(0, owner="a", generation=1, first="#0;predictions=5")
    idle = write("#0;predictions=5", "#1;predictions=5", blobs={"m": b"old"})
    newer = write("#1;predictions=5", "#2;predictions=5", blobs={"m": b"new"})
    assert await store.checkpoint(0, owner="a", epoch="1", write=idle) == "OK"
    assert await store.checkpoint(0, owner="a", epoch="1", write=newer) == "OK"

    assert await store.checkpoint(0, owner="a", epoch="1", write=idle) == "CONFLICT"

    assert (await store.load(0)).blobs == {"m": b"new"}


async def test_outbox_keeps_the_first_entry_of_an_id_until_it_is_published(
    store: CheckpointStore,
) -> None:
    await store.acquire(0, owner="a", generation=1, first="#0")
    entries = {"x": b"1", "y": b"2"}
    assert await _ok(store, write("#0", "#1", outbox=entries))
    assert await _ok(store, write("#1", "#2", outbox={"x": b"changed"}))
    assert (await store.load(0)).outbox == entries

    await store.published(0, ["x", "never there"])
    await store.published(0, [])

    assert (await store.load(0)).outbox == {"y": b"2"}


@pytest.mark.parametrize("n", [0, 1, 499, 500, 501, 4001])
async def test_many_fields_fit_in_one_write(store: CheckpointStore, n: int) -> None:
    await store.acquire(0, owner="a", generation=1, first="#0")
    blobs = {f"m{i}": str(i).encode() for i in range(n)}
    views = {f"v{i}": b"view" for i in range(n)}
    assert await _ok(store, write("#0", "#1", blobs=blobs, views=views, outbox={"x": b"1"}))
    stored = await store.load(0)
    assert (stored.blobs, stored.outbox) == (blobs, {"x": b"1"})


async def _ok(store: CheckpointStore, checkpoint: Checkpoint) -> bool:
    return await store.checkpoint(0, owner="a", epoch="1", write=checkpoint) == "OK"


async def test_of_two_with_the_same_epoch_only_the_owner_writes(store: CheckpointStore) -> None:
    # Given a failover that lost the second acquire, so that the epoch says one for both
    await store.acquire(0, owner="a", generation=1, first="#0")
    both = write("#0", "#1")
    assert await store.checkpoint(0, owner="b", epoch="1", write=both) == "FENCED"
    assert await store.checkpoint(0, owner="a", epoch="1", write=both) == "OK"
