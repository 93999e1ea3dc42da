"""A store that is emptied between a worker's acquire and its load."""

from __future__ import annotations

from streamgauge.state.base import Stored
from tests.streaming.fakes import PREDICTIONS, FaultyStore, Rig


class WipedWhileOpening(FaultyStore):
    """Loses everything before the first load."""

    wiped = False

    async def load(self, partition: int) -> Stored:
        if not self.wiped:
            self.wiped = True
            self.wipe()
        return await super().load(partition)


async def test_a_store_wiped_while_a_partition_opens_is_opened_again() -> None:
    rig = Rig(store=WipedWhileOpening())
    rig.log.append(PREDICTIONS, 10)
    async with rig:
        await rig.settled()
        assert rig.partition.counts == {"prediction/ok": 10}
