"""A real broker that can be killed and started again on the same port and data."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from services.stack.ports import free_port
from tests.integration.conftest import START

START_SECONDS = 180.0  # the first time, Maven fetches the broker


class Broker:
    """``deploy/kafka/start`` with a data directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self.servers = f"127.0.0.1:{self._port}"
        self._script: subprocess.Popen[bytes] | None = None

    @classmethod
    def running(cls, servers: str) -> Broker:
        """One that somebody else started, and ends: not to be killed."""
        broker = cls(Path())
        broker.servers = servers
        return broker

    def start(self) -> None:
        """Start it, and wait until its port is open. Raises ``RuntimeError`` where it ends."""
        ready = self._directory / "address"
        ready.unlink(missing_ok=True)
        output = self._directory / "output"
        command = [START, "--port", str(self._port), "--data", self._directory / "data",
                   "--state-file", ready, "--with-parent"]  # fmt: skip
        with output.open("ab") as sink:
            # A session of its own: Ctrl-C is for the rig, which stops things in order.
            self._script = subprocess.Popen(
                list(map(str, command)),
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self._script.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not start: {output.read_text()[-1000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of the broker itself; the script that started it ends by itself."""
        script, self._script = self._script, None
        if script is None:
            return
        for pid in _children(script.pid):
            if _name(pid) == "java":
                _kill(pid)
        try:
            script.wait(timeout=10)
        except subprocess.TimeoutExpired:
            script.terminate()
            script.wait(timeout=10)


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
