"""Start a child process that says through a file that it is ready, and ends with its parent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


class Child:
    """A child process running ``python -m <module> --state-file F``, as a context manager."""

    def __init__(self, module: str, *args: str, start_timeout: float = 20.0) -> None:
        self.module = module
        self.args = args
        self.start_timeout = start_timeout
        #: What the child wrote into its state file.
        self.state: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        with tempfile.TemporaryDirectory(prefix="streamgauge-") as directory:
            path = Path(directory) / "state.json"
            command = [sys.executable, "-m", self.module, "--state-file", str(path), *self.args]
            # ``services`` is no installed package: the child finds it where this file lies.
            root = str(Path(__file__).parents[2])
            path_list = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
            environment = {**os.environ, "PYTHONPATH": path_list}
            # A session of its own, so that Ctrl-C reaches the parent alone and the parent decides
            # the order in which things stop.
            self._process = subprocess.Popen(command, env=environment, start_new_session=True)
            deadline = time.monotonic() + self.start_timeout
            while not path.exists():
                if self._process.poll() is not None:
                    raise RuntimeError(
                        f"{self.module} ended with code {self._process.returncode} while it"
                        " started; its output above says why"
                    )
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise RuntimeError(f"{self.module} was not ready in {self.start_timeout:g} s")
                time.sleep(0.02)
            self.state = json.loads(path.read_text())
        return self

    def __exit__(self, *exc: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_state(path: Path, state: dict[str, str]) -> None:
    """Write the file that says "ready". A reader sees all of it or nothing."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(state))
    os.replace(temporary, path)


def until_stopped(alive: threading.Event | None = None) -> None:
    """Wait for SIGTERM, SIGINT or the parent's death; ``alive`` cleared ends the wait too."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid()
    # Polled: the kernel's parent-death signal is Linux alone and tied to the parent's thread.
    while os.getppid() == parent and (alive is None or alive.is_set()):
        with contextlib.suppress(InterruptedError):
            if stop.wait(0.2):
                return
