"""The stack's supervisor and its look before it starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.stack.ports import free_port
from services.stack.reach import Unreachable, check_ports, check_redis, kafka_topics
from services.stack.supervisor import Service, ServiceFailed, Supervisor
from streamgauge.settings import ExporterSettings, RedisSettings

ROOT = Path(__file__).parents[2]
SLEEPER = "import os, time, pathlib\npathlib.Path({pid!r}).write_text(str(os.getpid()))\n{then}\n"


def wait_for(condition: Callable[[], object], *, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose new parent has not reaped it has ended all the same.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(say=said.append, logs=tmp_path)
    yield made
    made.stop(timeout=1)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Service]:
    """Makes a service of a few lines of Python."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, source: str) -> Service:
        (tmp_path / f"{name}.py").write_text(source)
        return Service(name=name, module=name)

    return make


Make = Callable[[str, str], Service]


def test_no_port_is_told_twice() -> None:
    # Given ports on which nobody listens yet, Then no other is told the same
    told = [free_port() for _ in range(300)]
    assert len(set(told)) == len(told)


def test_start_waits_until_the_service_answers(
    supervisor: Supervisor, module: Make, tmp_path: Path
) -> None:
    # Given a service that opens its port after a moment
    port = free_port()
    service = module(
        "slow",
        "import http.server, time, sys\n"
        "time.sleep(0.4)\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        f"http.server.HTTPServer(('127.0.0.1', {port}), Handler).serve_forever()\n",
    )
    service = Service("slow", service.module, ready_url=f"http://127.0.0.1:{port}/readyz")
    # When it is started, Then start returns when it can be reached
    supervisor.start([service], timeout=10)
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_a_service_that_ends_while_it_starts_is_told_with_its_last_words(
    supervisor: Supervisor, module: Make
) -> None:
    service = module("broken", "raise SystemExit('no such table')\n")
    service = Service("broken", service.module, ready_url="http://127.0.0.1:1/readyz")
    with pytest.raises(ServiceFailed, match=r"(?s)broken ended with code 1.*no such table"):
        supervisor.start([service], timeout=10)


def test_a_service_that_never_answers_is_told_after_the_timeout(
    supervisor: Supervisor, module: Make
) -> None:
    service = module("mute", "import time\ntime.sleep(60)\n")
    service = Service("mute", service.module, ready_url="http://127.0.0.1:1/readyz")
    with pytest.raises(ServiceFailed, match="mute is not ready in time"):
        supervisor.start([service], timeout=0.5)


def test_a_crash_is_said_and_the_service_started_again(
    supervisor: Supervisor, module: Make, said: list[str], tmp_path: Path
) -> None:
    # Given a service that runs
    pid = tmp_path / "pid"
    supervisor.start(
        [module("worker", SLEEPER.format(pid=str(pid), then="time.sleep(60)"))], timeout=5
    )
    wait_for(lambda: pid.exists() and pid.read_text())
    first = int(pid.read_text())
    # When it is killed
    os.kill(first, signal.SIGKILL)
    # Then that is said, and another runs in its place
    wait_for(lambda: pid.read_text() not in ("", str(first)))
    assert alive(int(pid.read_text()))
    assert "worker ended by itself with code -9; starting it again in 1 s" in said[0]
    wait_for(lambda: supervisor.restarts == 1 and len(said) == 2)
    assert said[1] == "worker is started again (restart 1)"


def test_stop_ends_also_what_does_not_listen(
    supervisor: Supervisor, module: Make, said: list[str], tmp_path: Path
) -> None:
    # Given a service that ignores SIGTERM
    pid = tmp_path / "pid"
    then = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    then += f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    started = tmp_path / "started"
    supervisor.start([module("deaf", SLEEPER.format(pid=str(started), then=then))], timeout=5)
    wait_for(lambda: pid.exists() and pid.read_text())
    # When everything is stopped, Then it is gone at the timeout
    supervisor.stop(timeout=0.3)
    assert not alive(int(pid.read_text()))
    assert said == ["deaf did not stop in 0.3 s: killed"]


def test_no_service_outlives_a_killed_supervisor(module: Make, tmp_path: Path) -> None:
    # Given a process that supervises a service
    pid = tmp_path / "pid"
    module("orphan", SLEEPER.format(pid=str(pid), then="time.sleep(60)"))
    program = (
        "import threading\n"
        "from services.stack.supervisor import Service, Supervisor\n"
        "Supervisor(say=print).start([Service('orphan', 'orphan')], timeout=5)\n"
        "threading.Event().wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        wait_for(lambda: pid.exists() and pid.read_text())
    finally:
        # When it is killed without a chance to clean up
        parent.kill()
        parent.wait()
    # Then the service ends too
    wait_for(lambda: not alive(int(pid.read_text())))


def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=rf"(?s){port}.*exporter.*STREAMGAUGE_EXPORTER__PORT"):
            check_ports([("exporter", ExporterSettings(port=port))])


def test_a_missing_redis_is_named_without_its_password() -> None:
    with pytest.raises(
        Unreachable, match=r"(?s)Redis is not there.*STREAMGAUGE_REDIS__URL"
    ) as raised:
        check_redis(
            RedisSettings(url=SecretStr(f"redis://user:canary-7c1@127.0.0.1:{free_port()}/0")),
            timeout=1,
        )
    assert "canary-7c1" not in str(raised.value)


def test_a_missing_kafka_is_named_with_a_remedy() -> None:
    with pytest.raises(Unreachable, match=r"(?s)Kafka is not there.*BOOTSTRAP_SERVERS"):
        kafka_topics(f"127.0.0.1:{free_port()}", timeout=1)
