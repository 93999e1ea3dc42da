"""A worker of which a part has failed ends, instead of living on and doing nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streamgauge.streaming import worker
from streamgauge.streaming.log import LogUnavailable
from streamgauge.streaming.worker import Worker, WorkerError
from tests.streaming.test_worker_rebalance import rig as rig

DEFECT = RuntimeError("a defect")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("agent", "Faust's consumer failed"),
        ("consumer", "Faust's consumer failed"),
        ("group", "Faust's consumer failed"),
        ("start", "Faust did not start"),
        ("partition", "partition 0 failed"),
    ],
)
async def test_a_part_that_failed_ends_the_worker(
    part: str, said: str, rig: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)

    async def start() -> None:
        if part == "start":
            raise DEFECT
        await asyncio.sleep(60)

    failed: Any = SimpleNamespace(
        failure=DEFECT if part == "partition" else None, number=0, report=lambda: None
    )
    rig._partitions[0] = failed
    rig._app = SimpleNamespace(
        crash_reason=DEFECT if part == "agent" else None,
        consumer=SimpleNamespace(
            crash_reason=DEFECT if part == "consumer" else None,
            denied=DEFECT if part == "group" else None,
        ),
    )
    starting = asyncio.create_task(start())
    with pytest.raises(WorkerError, match=said) as ended:
        async with asyncio.timeout(5):
            await rig._watch(starting)
    assert ended.value.__cause__ is DEFECT
    starting.cancel()


async def test_the_watchdog_lets_a_paused_partition_and_an_absent_broker_be(rig: Worker) -> None:
    def progress(state: str, *, silent: float = 0.0) -> bool:
        rig._partitions[0] = SimpleNamespace(state=state)  # type: ignore[assignment]
        rig.telemetry.partition(0).lag_records = {"t": 5}
        rig._broker_seen = asyncio.get_running_loop().time() - silent
        return rig._progress()[0].behind

    # Records wait: who runs must move, who is paused or refused need not, nor anybody without Kafka
    assert progress("running")
    assert not progress("paused")
    assert not progress("refused")
    assert not progress("running", silent=60.0)


async def test_kafka_that_does_not_tell_of_the_snapshots_is_waited_for_and_said(
    rig: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop = asyncio.Event()

    async def topics() -> set[str]:
        # And the stop comes while we ask.
        stop.set()
        raise LogUnavailable("away")

    async def done(*_: Any) -> bool:
        return True

    for part in ("_connect", "_topics_there"):
        monkeypatch.setattr(rig, part, done)
    monkeypatch.setattr(rig, "_probe", SimpleNamespace(topics=topics, stop=done))
    monkeypatch.setattr(rig, "_publisher", SimpleNamespace(stop=done))
    monkeypatch.setattr(worker, "build_app", None)  # nothing is begun after that
    await rig.run(stop)
    assert "does not tell about topic streamgauge.snapshots" in caplog.text
