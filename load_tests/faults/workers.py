"""Monitor processes, started as users start them, and what they weigh."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
MONITOR = "services.monitor"


@dataclass
class Worker:
    """One monitor process. ``ending`` once its end is wanted."""

    process: subprocess.Popen[bytes]
    instance: str | None
    log: Path
    ending: bool = False
    peak_mb: float = field(default=0.0)

    def kill(self) -> None:
        """kill -9, and wait."""
        self.note_peak()
        self.ending = True
        self.process.kill()
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        self.note_peak()
        self.ending = self.ending or number is signal.SIGTERM
        self.process.send_signal(number)

    def note_peak(self) -> None:
        """Read its peak of resident memory while there is a process to ask."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            kilobytes = int(status.partition("VmHWM:")[2].split()[0])
            self.peak_mb = max(self.peak_mb, kilobytes / 1024)


class Workers:
    """The monitor processes of one run, in one consumer group."""

    def __init__(self, settings: Mapping[str, str], directory: Path) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")}
        self._environment = kept | {f"STREAMGAUGE_{name}": v for name, v in settings.items()}
        self._directory = directory
        self.started: list[Worker] = []

    def start(
        self, instance: str | None = "monitor-0", *, module: str = MONITOR, **extra: str
    ) -> Worker:
        """Start one. ``instance`` makes it a static member: in place it need not wait."""
        log = self._directory / f"{len(self.started)}-{instance or 'passing'}.log"
        if instance is not None:
            extra["STREAMGAUGE_MONITOR__INSTANCE"] = instance
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=self._environment | extra,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(Worker(process, instance, log))
        return self.started[-1]

    def ended_by_themselves(self) -> list[Worker]:
        """Those that nobody told to end, and that have."""
        return [w for w in self.started if not w.ending and w.process.poll() is not None]

    def note_peaks(self) -> None:
        for worker in self.started:
            worker.note_peak()

    @property
    def peak_mb(self) -> float:
        return max((worker.peak_mb for worker in self.started), default=0.0)

    def said(self, text: str) -> int:
        """How often their logs say something."""
        return sum(worker.log.read_text(errors="replace").count(text) for worker in self.started)

    def stop(self) -> None:
        for worker in self.started:
            if worker.process.poll() is None:
                worker.kill()
