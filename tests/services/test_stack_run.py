"""The stack and the demo as a person starts them: processes, an address, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.stack.ports import free_port
from streamgauge_client import Publisher

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Ours without any setting, so that the parts are embedded, and free ports."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("STREAMGAUGE_", "DEMO_"))}
    return {
        **clean,
        "STREAMGAUGE_MONITOR__PORT": str(free_port()),
        "STREAMGAUGE_EXPORTER__PORT": str(free_port()),
        "STREAMGAUGE_INGEST__PORT": str(free_port()),
        "STREAMGAUGE_NOTIFIER__PORT": str(free_port()),
        "STREAMGAUGE_LEARNER__PORT": str(free_port()),
        **more,
    }


def start(module: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def descendants(pid: int) -> set[int]:
    """All processes below a process, by /proc."""
    children: dict[int, set[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            child, parent = int(path.parent.name), path.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), set()).add(child)
    found: set[int] = set()
    level = {pid}
    while level:
        level = set().union(*(children.get(one, set()) for one in level)) - found
        found |= level
    return found


@pytest.fixture
def stack() -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A running stack, the address of its Kafka and of its metrics."""
    process = start("services.stack", environment=environment())
    assert process.stdout is not None
    kafka = metrics = ""
    for line in process.stdout:
        kafka = kafka or "".join(re.findall(r"^stack: Kafka +(\S+)$", line.rstrip()))
        metrics = metrics or "".join(re.findall(r"^stack: metrics +(\S+)$", line.rstrip()))
        if "Ctrl-C" in line:
            break
    try:
        assert kafka and metrics, "the stack ended while it started"
        yield process, kafka, metrics
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_three_lines_reach_the_metrics_and_ctrl_c_ends_everything(
    stack: tuple[subprocess.Popen[str], str, str],
) -> None:
    process, kafka, metrics = stack
    # When somebody publishes as the README says
    with Publisher(kafka, model="mine", version="1") as publisher:
        publisher.log(features={"amount": 12.5}, output=0.93)
    # Then it is in the metrics before long
    wanted = re.compile(r'^streamgauge_predictions_total\{model="mine".*\} 1\.0$', re.M)
    deadline = time.monotonic() + 20
    while not wanted.search(scrape(metrics)):
        assert time.monotonic() < deadline, scrape(metrics)
        time.sleep(0.1)
    # And when it is told to stop, everything ends within ten seconds, and nothing is left
    below = descendants(process.pid)
    assert len(below) >= 5, "broker, Redis and its keeper, monitor, exporter"
    stopped = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=15)
    assert time.monotonic() - stopped < 10
    assert process.returncode == 0
    assert output.rstrip().endswith("stack: stopped")
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("module", ["services.stack", "services.stack.demo"])
def test_what_is_missing_is_said_and_nothing_is_left_running(module: str, tmp_path: Path) -> None:
    # Given settings that name a Redis where there is none
    url = f"redis://127.0.0.1:{free_port()}/0"
    told = environment(STREAMGAUGE_REDIS__URL=url, XDG_STATE_HOME=str(tmp_path))
    process = start(module, environment=told)
    output, _ = process.communicate(timeout=30)
    # Then it says which, and what to do
    assert process.returncode == 3
    assert "Redis is not there" in output and "STREAMGAUGE_REDIS__URL" in output
    assert "Traceback" not in output


def test_a_mistake_in_the_settings_is_explained() -> None:
    process = start("services.stack", environment=environment(STREAMGAUGE_EXPORTER__PRT="1"))
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "did you mean 'port'" in output


def test_the_demo_ends_by_itself_and_counts_every_event() -> None:
    # Given a demo that is too short for its story, and long enough to publish and count
    process = start("services.stack.demo", "--seconds=8", environment=environment())
    output, _ = process.communicate(timeout=90)
    assert process.returncode == 0, output
    # Then it ends with the figures, all events among them
    last = output.rstrip().splitlines()[-1]
    figures = dict(pair.split("=") for pair in last.removeprefix("demo: ").split())
    assert list(figures) == [
        "published",
        "counted",
        "dead",
        "alarms_before_fault",
        "fired",
        "resolved",
        "quiet_model_alarms",
        "naive_alarms",
        "first_feature",
        "seconds_to_alarm",
        "concept_alarm_s",
        "promoted_s",
    ]
    assert int(figures["published"]) > 1_000
    assert figures["counted"] == figures["published"]
    assert (figures["dead"], figures["alarms_before_fault"]) == ("0", "0")
    assert figures["quiet_model_alarms"] == "0"
    # And no control characters, since no terminal is attached
    assert "\x1b" not in output
    assert "from streamgauge_client import Publisher" in output
