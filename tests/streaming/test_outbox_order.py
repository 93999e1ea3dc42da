"""An alarm leaves after the checkpoint that holds it, and twice where its removal was not heard."""

from __future__ import annotations

from streamgauge.state.base import StoreAmbiguous
from streamgauge_client.topics import ALARMS
from tests.streaming.counting import EVERY
from tests.streaming.fakes import PREDICTIONS, FakeLog, FaultyStore, Rig


def log_of(n: int) -> FakeLog:
    log = FakeLog()
    log.append(PREDICTIONS, n)
    return log


async def test_no_alarm_leaves_before_its_checkpoint_is_written() -> None:
    # Given a store that takes nothing
    rig = Rig(log=log_of(EVERY))
    rig.store.faults = ["away"] * 10**6
    async with rig:
        await rig.until(lambda: rig.telemetry.checkpoints["unavailable"] >= 2)
        assert not rig.publisher.published
        # When it takes the checkpoint, the alarm leaves
        rig.store.faults.clear()
        await rig.settled()
        assert len(rig.publisher.alarm_ids()) == 1


class Forgetful(FaultyStore):
    """Does not hear, once, that entries were published."""

    lost = 1

    async def published(self, partition: int, ids: list[str]) -> None:
        if self.lost:
            self.lost -= 1
            raise StoreAmbiguous("cut before it was removed")
        await super().published(partition, ids)


async def test_an_alarm_whose_removal_was_lost_leaves_again_as_the_same() -> None:
    rig = Rig(log=log_of(EVERY), store=Forgetful())
    async with rig:
        await rig.until(lambda: len(rig.publisher.published) == 2)
        first, second = rig.publisher.published
        # Readers drop it by its id, because nothing in it differs.
        assert first == second
        await rig.settled()
        assert not (await rig.store.load(0)).outbox


def test_all_alarms_of_a_model_are_kept() -> None:
    # The key is the model: compaction would leave one.
    assert (ALARMS.key, ALARMS.compacted) == ("model", False)
