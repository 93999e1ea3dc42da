"""Topics that get more partitions say so: keys move, and models start cold elsewhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from streamgauge.streaming.faust_log import FaustLog
from tests.streaming.fakes import CONFIG, PREDICTIONS, FakeLog, FaultyStore, Rig


async def opened(log: FakeLog, store: FaultyStore) -> Rig:
    """The partition after a rebalance, with what it had to say."""
    rig = Rig(log=log, store=store)
    async with rig:
        await rig.settled()
    return rig


async def test_from_four_partitions_to_eight_is_said_once() -> None:
    # Given a group that knows four partitions
    log, store = FakeLog(), FaultyStore()
    log.numbers = 4
    log.append(PREDICTIONS, 5)
    assert (await opened(log, store)).alarms_of("PartitionsGrew") == 0
    assert (await opened(log, store)).alarms_of("PartitionsGrew") == 0
    # When the topics get eight, and Kafka assigns them anew
    log.numbers = 8
    grown = await opened(log, store)
    # Then an alarm tells it, once
    assert grown.alarms_of("PartitionsGrew") == 1
    assert b"went from 4 to 8 partitions" in (grown.publisher.of("alarms")[0].value or b"")
    assert (await opened(log, store)).alarms_of("PartitionsGrew") == 0
    # And a moment in which Kafka does not tell neither is a change nor hides one.
    log.numbers = 0
    log.append(PREDICTIONS)
    assert (await opened(log, store)).alarms_of("PartitionsGrew") == 0
    log.numbers = 16
    assert (await opened(log, store)).alarms_of("PartitionsGrew") == 1


async def test_every_number_says_the_same() -> None:
    # Given another number of the same group, with records and a worker of its own
    alarms = []
    for models in (3, 5):
        log, store = FakeLog(), FaultyStore()
        log.numbers = 4
        log.append(PREDICTIONS, models)
        await opened(log, store)
        log.numbers = 8
        alarms.append((await opened(log, store)).publisher.of("alarms"))
    # Then readers can drop the second, because it is the first
    assert alarms[0] == alarms[1]
    assert len(alarms[0]) == 1


def test_the_count_is_that_of_all_topics_and_of_the_groups_own_consumer() -> None:
    counts = dict.fromkeys(CONFIG.topics, 8) | {PREDICTIONS: 4}
    consumer: Any = SimpleNamespace(topic_partitions=counts.get)
    log = FaustLog(0, consumer=consumer, probe=None, config=CONFIG)  # type: ignore[arg-type]
    assert log.partitions() == 4
    del counts[PREDICTIONS]
    assert log.partitions() == 0
