"""What a checkpoint says of itself, for whoever reads it after an upgrade."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamgauge.processing import StateError
from streamgauge.streaming.meta import SCHEMA, Meta
from tests.streaming.fakes import CONFIG, PREDICTIONS, FakeLog, Rig


async def test_the_version_that_wrote_it_is_in_it() -> None:
    log = FakeLog()
    log.append(PREDICTIONS, 3)
    rig = Rig(log=log, config=replace(CONFIG, code_version="1.2.3"))
    async with rig:
        await rig.settled()
    meta = Meta.from_bytes((await rig.store.load(0)).meta or b"")
    assert (meta.code_version, meta.schema_version) == ("1.2.3", SCHEMA)


async def test_an_older_one_is_read_and_a_newer_one_waits_for_its_version() -> None:
    # Given a checkpoint from before refused records and partitions were counted
    old = Meta.from_bytes(b'{"counts": {"prediction/ok": 3}, "somebody": "else"}')
    assert (old.counts, old.partitions, old.invalid.seen) == ({"prediction/ok": 3}, 0, 0)
    with pytest.raises(StateError, match="run the version that wrote it"):
        Meta.from_bytes(b'{"schema_version": %d}' % (SCHEMA + 1))


async def test_only_what_changed_is_written_again() -> None:
    # Given two models, of which one gets another record
    log = FakeLog()
    log.append(PREDICTIONS, model="still")
    log.append(PREDICTIONS, model="busy")
    rig = Rig(log=log)
    async with rig:
        await rig.settled()
        rig.store._hashes[0].blobs["still"] = b"not written again"
        log.append(PREDICTIONS, model="busy")
        await rig.settled()
        assert rig.state()["still"] == b"not written again"
