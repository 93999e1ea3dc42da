"""Keep child processes running: start them, wait until they are ready, restart what crashes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: A service that ran this long before it crashed is restarted without waiting.
STEADY_SECONDS = 30.0
LONGEST_BACKOFF_SECONDS = 30.0
ROOT = Path(__file__).parents[2]


class ServiceFailed(RuntimeError):
    """A service ended, or was not ready in time, while everything was being started."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process to run: ``python -m module arguments``. Ready when ``ready_url`` answers 200."""

    name: str
    module: str
    ready_url: str | None = None
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Runs services as child processes until it is stopped.

    Parameters
    ----------
    say
        Takes each sentence about what happens.
    logs
        Directory for what the services write; without one they write where we do.
    """

    def __init__(self, *, say: Callable[[str], None], logs: Path | None = None) -> None:
        self._say = say
        self._logs = logs
        self._running: list[_Running] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    @property
    def restarts(self) -> int:
        """Restarts so far, over all services."""
        return sum(running.restarts for running in self._running)

    def start(self, services: Sequence[Service], *, timeout: float) -> None:
        """Start services together and wait until all are ready.

        Raises ``ServiceFailed`` with the last lines of the one that is not.
        """
        started = [_Running(service, self._logs) for service in services]
        with self._lock:
            self._running += started
            for running in started:
                running.launch()
        deadline = time.monotonic() + timeout
        for running in started:
            running.wait_ready(deadline)
        if not self._watcher.is_alive():
            self._watcher.start()

    def stop(self, *, timeout: float = 8.0) -> None:
        """End every service: SIGTERM to all at once, SIGKILL to those left at the timeout."""
        self._stopping.set()
        with self._lock:
            for running in self._running:
                running.terminate()
            deadline = time.monotonic() + timeout
            for running in self._running:
                if not running.wait(deadline):
                    self._say(f"{running.service.name} did not stop in {timeout:g} s: killed")
            self._running.clear()

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            with self._lock:
                running = [] if self._stopping.is_set() else self._running
                news = [said for each in running if (said := each.tend())]
            # Outside of the lock: whoever reads us may be slow, and stopping must not wait.
            for said in news:
                self._say(said)


class _Running:
    """One service's process, over its restarts."""

    def __init__(self, service: Service, logs: Path | None) -> None:
        self.service = service
        self.restarts = 0
        self._log = logs / f"{service.name}.log" if logs else None
        self._process: subprocess.Popen[bytes] | None = None
        self._launched = 0.0
        self._restart_at: float | None = None
        self._backoff = 0.0

    def launch(self) -> None:
        command = [sys.executable, "-m", "services.stack.runner", self.service.module]
        # ``services`` is no installed package: the child finds it where this file lies.
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self._log.open("ab")) if self._log else None
            self._process = subprocess.Popen(
                [*command, *self.service.arguments],
                env={**_inherited(self.service), "PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A session of its own: Ctrl-C reaches us alone, and we decide the order.
                start_new_session=True,
            )
        self._launched = time.monotonic()

    def wait_ready(self, deadline: float) -> None:
        name = self.service.name
        while not self._ready():
            if self._process is None or (code := self._process.poll()) is not None:
                raise ServiceFailed(f"{name} ended with code {code} while it started{self._tail()}")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{name} is not ready in time{self._tail()}")
            time.sleep(0.05)

    def tend(self) -> str | None:
        """Restart the process where it ended; the answer is what there is to say of it."""
        if self._restart_at is not None:
            if time.monotonic() >= self._restart_at:
                self._restart_at = None
                self.restarts += 1
                self.launch()
                return f"{self.service.name} is started again (restart {self.restarts})"
            return None
        if self._process is None or (code := self._process.poll()) is None:
            return None
        steady = time.monotonic() - self._launched >= STEADY_SECONDS
        self._backoff = 0.0 if steady else min(max(2 * self._backoff, 1.0), LONGEST_BACKOFF_SECONDS)
        self._restart_at = time.monotonic() + self._backoff
        return (
            f"{self.service.name} ended by itself with code {code};"
            f" starting it again in {self._backoff:g} s{self._tail()}"
        )

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self, deadline: float) -> bool:
        """Whether it ended by the deadline; killed where not."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        return True

    def _ready(self) -> bool:
        if self.service.ready_url is None:
            return True
        try:
            with urllib.request.urlopen(self.service.ready_url, timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _tail(self, lines: int = 8) -> str:
        if self._log is None or not self._log.exists():
            return "; its output above says why"
        text = self._log.read_text(errors="replace").splitlines()[-lines:]
        return "; its last lines:\n" + "\n".join(f"    {line}" for line in text)


def _inherited(service: Service) -> dict[str, str]:
    """Our environment and the service's. A secret that we have read stands for its file."""
    own = service.environment
    ours = {name: v for name, v in os.environ.items() if name.removesuffix("_FILE") not in own}
    return {**ours, **own}
