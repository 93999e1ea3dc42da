"""What a worker makes of the partitions that Kafka gives it and takes back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streamgauge.state.memory import MemoryStore
from streamgauge.streaming import worker
from streamgauge.streaming.worker import Worker
from tests.streaming.counting import CountingProcessor
from tests.streaming.fakes import CONFIG, PREDICTIONS


class Started:
    """Stands for a partition worker: remembers what it was given."""

    failure = None
    all: list[Started] = []

    def __init__(self, number: int, *, idle: Any, generation: int, **_: Any) -> None:
        self.number, self.idle, self.generation = number, idle, generation
        self.drained: list[float] = []

    def start(self) -> None:
        Started.all.append(self)

    async def drain(self, deadline: float) -> None:
        self.drained.append(deadline)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A worker that talks to nobody, and the generations that Kafka tells it."""
    Started.all = []
    monkeypatch.setattr(worker, "PartitionWorker", Started)
    monkeypatch.setattr(worker, "KafkaPublisher", lambda *_, **__: None)
    monkeypatch.setattr(worker, "LogProbe", lambda *_, **__: None)
    ours = Worker(CONFIG, processor_factory=CountingProcessor, store=MemoryStore())
    ours._app = SimpleNamespace(consumer=None, consumer_generation_id=0)
    return ours


async def assign(ours: Worker, *numbers: int, topics: tuple[str, ...] = CONFIG.topics) -> None:
    ours._app.consumer_generation_id += 1
    await ours._on_assigned(ours._app, [TP(topic, n) for topic in topics for n in numbers])


async def test_a_number_that_was_away_begins_with_a_new_idle_clock(rig: Worker) -> None:
    # Given two numbers, of which one is somebody else's for a generation
    await assign(rig, 0, 1)
    await assign(rig, 0)
    await assign(rig, 0, 1)
    # Then the one that was ours all the time keeps its clock: an outage may have ended a session
    zeros = [each.idle for each in Started.all if each.number == 0]
    assert zeros[0] is zeros[1] is zeros[2]
    # And the other's silence meanwhile is no outage.
    before, after = (each.idle for each in Started.all if each.number == 1)
    assert before is not after
    after.listen(2.0, 500.0)
    assert after.due(500.0)


async def test_a_number_starts_only_with_all_its_topics(
    rig: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    # A rolling upgrade that adds a topic: others don't subscribe to it yet.
    await assign(rig, 0, topics=(PREDICTIONS,))
    assert not Started.all
    assert "partition 0 waits" in caplog.text
    await assign(rig, 0)
    assert [each.number for each in Started.all] == [0]


async def test_what_is_revoked_is_drained_in_time_and_known_no_longer(rig: Worker) -> None:
    await assign(rig, 0, 1)
    await rig._on_revoked(rig._app, [TP(topic, 1) for topic in CONFIG.topics])
    assert [(s.number, s.drained) for s in Started.all] == [(0, []), (1, [CONFIG.revoke_seconds])]
    assert list(rig._partitions) == [0]
    # And what is assigned anew bears the new generation.
    await assign(rig, 0, 1)
    assert [s.generation for s in Started.all] == [1, 1, 2, 2]
