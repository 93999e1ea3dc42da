"""Which core is measured, and which one everything else has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from load_tests.standard_job.job import Measured

ROOT = Path(__file__).parents[2]
#: No way takes so long; one that hangs must not hang the run.
PATIENCE_SECONDS = 300.0


class Failed(RuntimeError):
    """A way ended without a figure. The text is the end of what it said."""


@dataclass(frozen=True)
class Cores:
    """Two cores by number; the same one twice where there is no other."""

    measured: int
    others: int

    @classmethod
    def choose(cls) -> Cores:
        """The last and the first of those that this process may use."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(measured=allowed[-1], others=allowed[0])

    def take_other(self) -> None:
        """Move this process, and all that it will start, to the core that is not measured."""
        os.sched_setaffinity(0, {self.others})

    def pin(self, pid: int, core: int | None = None) -> None:
        """Move a process that has just started to the measured core.

        It has one thread then, and the threads that it starts go where it is.
        """
        os.sched_setaffinity(pid, {self.measured if core is None else core})

    def run(self, module: str, *arguments: object, python: Path | None = None) -> Measured:
        """Run a way on the measured core; return what it says. Raises ``Failed``."""
        text = self.output(module, *arguments, python=python)
        return Measured(**json.loads(text.splitlines()[-1]))

    def output(self, module: str, *arguments: object, python: Path | None = None) -> str:
        """Run a module on the measured core; return what it prints. Raises ``Failed``."""
        command = [str(python or sys.executable), "-m", module, *map(str, arguments)]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            self.pin(process.pid)
            try:
                said, complaints = process.communicate(timeout=PATIENCE_SECONDS)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode or not said.strip():
            raise Failed(f"{module} ended with code {process.returncode}: {complaints[-1_000:]}")
        return said
