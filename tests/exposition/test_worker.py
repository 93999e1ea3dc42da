from __future__ import annotations

import shutil
import subprocess
import time

import pytest
from prometheus_client import generate_latest

from streamgauge.exposition.worker import worker_registry
from streamgauge.streaming.telemetry import WorkerTelemetry
from tests.exposition.builders import NOW


def busy() -> WorkerTelemetry:
    worker = WorkerTelemetry(
        rebalances=2,
        state_lost=1,
        state_restored=2,
        tick_errors=4,
        producer_errors=6,
        outbox_dropped=7,
        large_checkpoints=2,
        event_loop_lag_seconds=0.25,
    )
    worker.checkpoints.update(ok=5, conflict=1)
    worker.snapshots["failed"] = 1
    worker.snapshot_bytes.append(7000)
    worker.redis_errors["TimeoutError"] = 3
    worker.chunks["taken"] = 9
    worker.checkpoint_seconds.extend([0.004, 0.2])
    worker.checkpoint_bytes.append(5000)
    ours = worker.partition(3)
    ours.state = "running"
    ours.lag_records = {"streamgauge.predictions": 40}
    ours.next_timestamp = NOW - 7
    ours.newest_timestamp = NOW - 9
    ours.durable = {"streamgauge.predictions": 100, "streamgauge.labels": 5}
    ours.committed = {"streamgauge.predictions": 90}
    worker.processing_seconds.extend([("process", 0.01), ("process", 0.02), ("checkpoint", 0.3)])
    ours.dirty_since = time.monotonic() - 2
    ours.unsaved_since = time.monotonic() - 2
    ours.outbox_entries = 1
    worker.partition(4)  # not assigned to us
    return worker


def test_a_workers_numbers_are_there() -> None:
    worker = busy()
    registry = worker_registry(worker, service="monitor", version="1.2", clock=lambda: NOW)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"streamgauge_{name}", labels)

    assert value("build_info", service="monitor", version="1.2") == 1
    assert value("checkpoints_total", result="ok") == 5
    assert value("checkpoints_total", result="fenced") == 0
    assert value("redis_errors_total", error="TimeoutError") == 3
    assert value("redis_errors_total", error="unavailable") == 0
    assert value("assigned_partitions") == 1
    assert value("consumer_lag_records", topic="streamgauge.predictions", partition="3") == 40
    assert value("consumer_lag_seconds", partition="3") == 7
    assert value("event_age_seconds", partition="3") == 9
    assert value("commit_ahead_records", topic="streamgauge.predictions", partition="3") == -10
    assert value("commit_ahead_records", topic="streamgauge.labels", partition="3") is None
    assert value("processing_duration_seconds_count", stage="process") == 2
    assert value("processing_duration_seconds_sum", stage="checkpoint") == 0.3
    age = value("checkpoint_age_seconds", partition="3")
    assert age is not None
    assert 2 <= age < 10
    assert (value("snapshot_age_seconds", partition="3") or 0.0) >= 2
    assert value("snapshots_total", result="failed") == 1
    assert value("snapshots_total", result="ok") == 0
    assert value("snapshot_bytes_sum") == 7000
    assert value("state_lost_total") == 1
    assert value("state_restored_total") == 2
    assert value("outbox_entries", partition="3") == 1
    assert value("partition_state_info", partition="3", state="running") == 1
    assert value("partition_state_info", partition="4", state="unassigned") is None
    assert value("tick_errors_total") == 4
    assert value("producer_errors_total") == 6
    assert value("outbox_dropped_total") == 7
    assert value("large_checkpoints_total") == 2
    assert value("event_loop_lag_seconds") == 0.25


def test_durations_are_moved_into_histograms_in_the_same_scrape() -> None:
    worker = busy()
    registry = worker_registry(worker, service="monitor", version="1", clock=lambda: NOW)
    text = generate_latest(registry).decode()
    assert "streamgauge_checkpoint_duration_seconds_count 2.0" in text
    assert "streamgauge_checkpoint_bytes_sum 5000.0" in text
    assert not worker.checkpoint_seconds
    # A second scrape counts nothing twice.
    assert "streamgauge_checkpoint_duration_seconds_count 2.0" in generate_latest(registry).decode()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_promtool_has_nothing_to_say() -> None:
    registry = worker_registry(busy(), service="monitor", version="1", clock=lambda: NOW)
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=generate_latest(registry),
        capture_output=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
