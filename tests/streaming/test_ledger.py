"""A record that nobody accounts for is a number, and a line in the log."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streamgauge.processing import Effects, LogRecord
from tests.streaming.counting import CountingProcessor
from tests.streaming.fakes import PREDICTIONS, FakeLog, Rig


class Careless(CountingProcessor):
    """Forgets to count what became of every tenth record."""

    def process(self, records: Sequence[LogRecord]) -> Effects:
        effects = super().process(records)
        forgotten = sum(record.offset % 10 == 9 for record in records)
        effects.counts["prediction", "ok"] -= forgotten
        return effects


async def test_records_gone_astray_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    # Given a processor that loses two of twenty records
    log = FakeLog()
    log.append(PREDICTIONS, 20)
    rig = Rig(log=log)
    rig.worker._factory = Careless
    async with rig:
        await rig.until(lambda: rig.durable().get(PREDICTIONS) == 20)
        # Then the difference is shown, and said once however often it is looked at
        for _ in range(3):
            rig.worker.report()
        assert rig.partition.conservation_difference == 2
        assert caplog.text.count("2 records are not accounted for; this is a defect") == 1


async def test_where_the_books_balance_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    # Given a number that did not balance for the owner before
    log = FakeLog()
    log.append(PREDICTIONS, 20)
    rig = Rig(log=log)
    rig.partition.conservation_difference = 2
    async with rig:
        await rig.settled()
    assert "not accounted for" not in caplog.text
