"""Events of small batches wait to be counted together, and nobody sees that they did."""

from __future__ import annotations

from typing import Any

import pytest

from streamgauge.monitor import PartitionMonitor, partition_monitor
from streamgauge.processing import LogRecord
from streamgauge.state.keys import model_id
from streamgauge.state.views import ModelView
from tests.monitor.streams import START, monitor, prediction


def waiting(subject: PartitionMonitor) -> int:
    return sum(each._waiting.rows for each in subject._models.values())


def sampled(i: int, **fields: Any) -> LogRecord:
    """A prediction that stands for four."""
    made = prediction(i, START + i / 100, {"x": 1.0}, **fields)
    headers = (
        ("ce_type", b"streamgauge.prediction.v1"),
        ("ce_sampledrate", b"4"),
        ("content-type", b"application/json"),
    )
    return made._replace(headers=headers)


def known(n: int = 10) -> PartitionMonitor:
    """A monitor that knows a few models."""
    subject = monitor()
    subject.process([prediction(i, START, {"x": 1.0}, model=f"m{i}") for i in range(n)])
    return subject


def test_who_reads_sees_what_waits_with_its_weights() -> None:
    # Given a model of which three events wait that stand for four each, and one for itself
    subject = known(1)
    for i in range(1, 4):
        subject.process([sampled(i, model="m0")])
    subject.process([prediction(4, START + 0.04, {"x": 1.0}, model="m0")])
    assert waiting(subject) == 4
    # When somebody looks
    view = ModelView.model_validate_json(subject.views()[model_id("m0")])
    # Then they count, and nothing waits
    assert view.series[0].counts["ok"] == 1 + 3 * 4 + 1
    assert not waiting(subject)


def test_what_may_wait_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given room for the bytes of about a hundred events
    size = len(prediction(0, START, {"x": 1.0}, model="m0").value or b"")
    monkeypatch.setattr(partition_monitor, "MOST_WAITING_BYTES", 100 * size)
    subject = known()
    # When few come of each of many models, and no checkpoint
    most = held = 0
    for i in range(10, 400, 10):
        at = START + i / 1_000
        subject.process(
            [prediction(i + k, at, {"x": 1.0}, model=f"m{k}") for k in range(10)],
        )
        most = max(most, waiting(subject))
        held = max(held, sum(each.truth._rows for each in subject._models.values()))
    # Then they wait, but not all of them
    assert held <= 110
    assert 50 <= most <= 110
