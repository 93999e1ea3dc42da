"""Heartbeats: a client tells that it lives and how it fares, and is in nobody's way."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamgauge_client import PredictionEvent, Publisher, TelemetryEvent, decode
from streamgauge_client.process_telemetry import ProcessTelemetry
from streamgauge_client.requests import RequestCounters
from streamgauge_client.testing import capture

ReadTopic = Callable[[str, int], list[Any]]
#: Nothing listens on port 1.
NOWHERE = "127.0.0.1:1"
NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 9000 1 0 0 0 0 0 0 9000 1 0
  eth0: {received} 5 0 0 0 0 0 0 {sent} 3 0
"""


def events_of(messages: list[Any], kind: type[Any]) -> list[Any]:
    events = [decode(one.topic(), one.headers(), one.value()) for one in messages]
    return [event for event in events if isinstance(event, kind)]


def wait_until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        threading.Event().wait(0.01)


def test_a_heartbeat_tells_who_lives_and_what_came_last(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    # Given a publisher that has sent five predictions
    publisher = Publisher(
        broker, model="fraud", version="3.2.0", service="checkout", topic_prefix=unused_prefix,
        heartbeat=0.2,
    )  # fmt: skip
    for number in range(5):
        publisher.log({"a": number}, output=1.0)
    # When its time has come
    wait_until(lambda: publisher.stats().sent >= 6)
    publisher.close(10)
    # Then a heartbeat lies beside them, under the model's key
    messages = read_topic(f"{unused_prefix}.predictions", 6)
    assert len(events_of(messages, PredictionEvent)) == 5
    beat = events_of(messages, TelemetryEvent)[0]
    assert (beat.model, beat.version, beat.service) == ("fraud", "3.2.0", "checkout")
    assert beat.sequence == 4 and abs(beat.timestamp - time.time()) < 60
    host, pid, producer = beat.instance.rsplit("-", 2)
    assert (host, pid) == (os.uname().nodename, str(os.getpid()))
    assert {message.key() for message in messages} == {b"fraud"}
    sequences = [dict(message.headers())["ce_sequence"] for message in messages]
    assert all(sequence.startswith(producer.encode()) for sequence in sequences)
    # And it says how the process fares
    assert beat.measurements.keys() >= {"cpu_ratio", "memory_bytes", "load_1m"}
    assert beat.measurements["memory_bytes"] > 1e6
    # And who counts predictions can leave it out
    stats = publisher.stats()
    assert stats.delivered - stats.heartbeats == 5


def test_without_an_event_there_is_none_and_without_a_wish_neither(
    broker: str, unused_prefix: str
) -> None:
    silent = Publisher(broker, model="m", version="1", topic_prefix=unused_prefix, heartbeat=0.05)
    unwilling = Publisher(
        broker, model="m", version="1", topic_prefix=unused_prefix, heartbeat=False
    )
    willing = Publisher(broker, model="m", version="1", topic_prefix=unused_prefix, heartbeat=0.05)
    unwilling.log(output=1.0)
    willing.log(output=1.0)
    # By the time of the third heartbeat of one, the others have none
    wait_until(lambda: willing.stats().sent >= 4)
    assert silent.stats().sent == 0 and unwilling.stats().sent == 1
    for publisher in (silent, unwilling, willing):
        publisher.close(5)
    assert willing.stats().dropped == {}


def test_in_shards_it_tells_no_sequence(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    with Publisher(
        broker, model="hot", version="1", shards=4, topic_prefix=unused_prefix
    ) as publisher:
        publisher.log(output=1.0)
        publisher.heartbeat()
    (beat,) = events_of(read_topic(f"{unused_prefix}.predictions", 2), TelemetryEvent)
    assert beat.sequence is None


def test_a_captured_test_sees_only_those_that_it_asked_for(broker: str, unused_prefix: str) -> None:
    # Given a publisher with a connection, whose heart beats
    publisher = Publisher(
        broker, model="m", version="1", topic_prefix=unused_prefix, heartbeat=0.05
    )
    publisher.log(output=1.0)
    wait_until(lambda: publisher.stats().sent >= 2)
    # When a test captures events for a while
    with capture() as events:
        other = Publisher(
            broker, model="o", version="1", topic_prefix=unused_prefix, heartbeat=0.05
        )
        other.log(output=1.0)
        deadline = time.monotonic() + 0.5
        wait_until(lambda: time.monotonic() > deadline)
        assert [type(event) for event in events] == [PredictionEvent]
        # Then it gets the one that it asks for
        other.heartbeat()
    assert [event.model for event in events.of(TelemetryEvent)] == ["o"]
    assert events.invalid == []
    publisher.close(5)


def test_disabled_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_DISABLED", "1")
    publisher = Publisher(NOWHERE, model="m", version="1", heartbeat=0.01)
    publisher.log(output=1.0)
    publisher.heartbeat()
    assert publisher.stats().sent == 0 and publisher.stats().dropped == {"disabled": 2}


def test_a_full_queue_loses_the_heartbeat_and_nothing_else() -> None:
    publisher = Publisher(
        NOWHERE, model="m", version="1", kafka={"queue.buffering.max.messages": 3},
        on_full="raise", heartbeat=0.05,
    )  # fmt: skip
    for _ in range(3):
        publisher.log(output=1.0)
    wait_until(lambda: publisher.stats().dropped.get("full", 0) >= 2)
    publisher.close(0)
    assert publisher.stats().sent == 3


def test_a_publisher_in_nobodys_hands_is_let_go() -> None:
    publisher = Publisher(NOWHERE, model="m", version="1", heartbeat=0.01)
    publisher.log(output=1.0)
    sender = weakref.ref(publisher._sender)
    publisher.close(0)
    del publisher
    gc.collect()
    wait_until(lambda: sender() is None)


@pytest.mark.parametrize("given", [-1, float("nan"), float("inf"), "10s", None])
def test_what_is_no_interval_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="seconds above 0"):
        Publisher(model="m", version="1", heartbeat=given)


PROCESSES = """
import os, sys, time
from streamgauge_client import Publisher
publisher = Publisher({servers!r}, model="m", version="1", topic_prefix={prefix!r}, heartbeat=0.1)
def beat_once():
    publisher.log(output=1.0)
    sent = publisher.stats().sent
    deadline = time.monotonic() + 10
    while publisher.stats().sent == sent and time.monotonic() < deadline:
        time.sleep(0.01)
def end():
    publisher.close(10)
    print(os.getpid(), publisher.stats().delivered, flush=True)
beat_once()
child = os.fork()
if child == 0:
    beat_once()
    end()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
end()
"""


def test_a_forked_child_has_its_own_and_none_is_in_the_way_of_the_end(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    # Given a process with a heartbeat that forks another
    script = PROCESSES.format(servers=broker, prefix=unused_prefix)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    # Then both came to their end
    assert done.returncode == 0, done.stderr
    # And each has told of itself
    delivered = {int(pid): int(n) for pid, n in map(str.split, done.stdout.splitlines())}
    messages = read_topic(f"{unused_prefix}.predictions", sum(delivered.values()))
    beats = events_of(messages, TelemetryEvent)
    pids = {beat.instance.rsplit("-", 2)[1] for beat in beats}
    assert pids == set(map(str, delivered)) and len(pids) == 2
    assert len({beat.instance.rsplit("-", 2)[2] for beat in beats}) == 2


class TestMeasurements:
    def test_this_process(self) -> None:
        telemetry = ProcessTelemetry()
        started = time.process_time()
        while time.process_time() - started < 0.1:
            pass
        found = telemetry.measure()
        assert 0 < found["cpu_ratio"] < 2 * (os.cpu_count() or 1)
        assert found["memory_bytes"] > 1e6 and found["load_1m"] >= 0
        assert found["network_receive_bytes_per_second"] >= 0
        json.dumps(found, allow_nan=False)

    def test_network_and_memory_of_proc(self, tmp_path: Path) -> None:
        (tmp_path / "net").mkdir()
        (tmp_path / "statm").write_text("900 500 100 1 0 50 0")
        dev = tmp_path / "net" / "dev"
        dev.write_text(NET_DEV.format(received=1000, sent=500))
        telemetry = ProcessTelemetry(proc=str(tmp_path))
        started = time.monotonic()
        dev.write_text(NET_DEV.format(received=3000, sent=400))
        wait_until(lambda: time.monotonic() - started > 0.05)
        found = telemetry.measure()
        assert 0 < found["network_receive_bytes_per_second"] <= 2000 / 0.05
        # A card that went away and came back counts from 0: no rate is negative.
        assert found["network_transmit_bytes_per_second"] == 0
        assert found["memory_bytes"] == 500 * os.sysconf("SC_PAGE_SIZE")

    def test_what_nothing_tells_is_left_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "psutil", None)
        monkeypatch.setitem(sys.modules, "pynvml", None)
        found = ProcessTelemetry(proc=str(tmp_path / "missing")).measure()
        assert found.keys() <= {"cpu_ratio", "load_1m"}

    def test_psutil_where_proc_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = types.SimpleNamespace(bytes_recv=10, bytes_sent=20)
        monkeypatch.setitem(
            sys.modules,
            "psutil",
            types.SimpleNamespace(
                Process=lambda: types.SimpleNamespace(
                    memory_info=lambda: types.SimpleNamespace(rss=12345)
                ),
                net_io_counters=lambda pernic: {"en0": card, "lo0": card},
            ),
        )
        telemetry = ProcessTelemetry(proc=str(tmp_path / "missing"))
        assert telemetry.measure()["memory_bytes"] == 12345
        assert telemetry._network() == (10, 20)

    @pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetUtilizationRates", None])
    def test_gpus(self, broken: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        # Given two GPUs, of which one may be out of order
        def fail(*arguments: Any) -> None:
            raise RuntimeError("NVML")

        nvml = types.SimpleNamespace(
            nvmlInit=lambda: None,
            nvmlDeviceGetCount=lambda: 2,
            nvmlDeviceGetHandleByIndex=lambda index: index,
            nvmlDeviceGetUtilizationRates=lambda one: types.SimpleNamespace(gpu=20 + 40 * one),
            nvmlDeviceGetMemoryInfo=lambda one: types.SimpleNamespace(used=1000),
        )
        if broken:
            setattr(nvml, broken, fail)
        monkeypatch.setitem(sys.modules, "pynvml", nvml)
        telemetry = ProcessTelemetry()
        for _ in range(2):
            found = telemetry.measure()
            assert found.get("gpu_ratio") == (None if broken else pytest.approx(0.4))
            assert found.get("gpu_memory_bytes") == (None if broken else 2000)

    def test_requests(self) -> None:
        # Given a service without requests, which may have no middleware at all
        requests = RequestCounters()
        telemetry = ProcessTelemetry(requests)
        assert not [name for name in telemetry.measure() if "request" in name]
        # When three came, one failed and one is under way
        started = time.monotonic()
        for _ in range(3):
            requests.started()
        requests.finished(error=True)
        requests.finished(error=False)
        wait_until(lambda: time.monotonic() - started > 0.05)
        found = telemetry.measure()
        # Then the rates are to each other as the counts
        assert found["requests_in_flight"] == 1
        rate = found["requests_per_second"]
        assert 0 < rate <= 3 / 0.05
        assert found["request_errors_per_second"] == pytest.approx(rate / 3)
