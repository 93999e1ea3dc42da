"""How a process fares: processor, memory, load, network, GPU, requests; read, never guessed."""

from __future__ import annotations

import os
import time
from importlib import import_module
from typing import Any, NamedTuple

from streamgauge_client.requests import RequestCounters

PROC = "/proc/self"
#: Seconds between two readings below which no rate is worth telling.
_SHORTEST = 0.001


class _Reading(NamedTuple):
    """Sums so far; rates are the differences of two readings. None where nothing tells."""

    moment: float
    cpu_seconds: float
    received: float | None
    transmitted: float | None
    requests: int
    errors: int


class ProcessTelemetry:
    """Measures this process, by name and unit as ``TelemetryEvent.measurements`` has it.

    It reads ``/proc``, elsewhere psutil if that is installed; GPUs if pynvml is. What nothing
    tells is left out. Rates are since the last measurement. An object belongs to the process that
    made it.

    Parameters
    ----------
    requests
        The counters of the service's middleware, if it has one.
    """

    def __init__(self, requests: RequestCounters | None = None, *, proc: str = PROC) -> None:
        self._requests = requests
        self._proc = proc
        self._psutil = None if os.path.exists(proc) else _module("psutil")
        self._gpus = _Gpus()
        self._before = self._read()

    def measure(self) -> dict[str, float]:
        """All that can be told now. It takes about 0.2 ms and never raises."""
        before, now = self._before, self._read()
        self._before = now
        found: dict[str, float | None] = {
            "memory_bytes": self._memory(),
            "load_1m": _load(),
            **self._gpus.measure(),
        }
        passed = now.moment - before.moment
        if passed >= _SHORTEST:
            found["cpu_ratio"] = _rate(before.cpu_seconds, now.cpu_seconds, passed)
            found["network_receive_bytes_per_second"] = _rate(before.received, now.received, passed)
            found["network_transmit_bytes_per_second"] = _rate(
                before.transmitted, now.transmitted, passed
            )
        if self._requests is not None and now.requests:
            # A service without the middleware has no requests to tell of, not none.
            found["requests_in_flight"] = self._requests.snapshot().in_flight
            if passed >= _SHORTEST:
                found["requests_per_second"] = _rate(before.requests, now.requests, passed)
                found["request_errors_per_second"] = _rate(before.errors, now.errors, passed)
        return {name: float(value) for name, value in found.items() if value is not None}

    def _read(self) -> _Reading:
        times = os.times()
        received, transmitted = self._network()
        requests = None if self._requests is None else self._requests.snapshot()
        return _Reading(
            time.monotonic(),
            times.user + times.system,
            received,
            transmitted,
            requests.started if requests else 0,
            requests.errors if requests else 0,
        )

    def _memory(self) -> float | None:
        try:
            if self._psutil is not None:
                return float(self._psutil.Process().memory_info().rss)
            pages = _text(self._proc, "statm").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        except Exception:
            return None

    def _network(self) -> tuple[float | None, float | None]:
        """Bytes received and sent in the process' network namespace, loopback left out."""
        try:
            if self._psutil is not None:
                cards = self._psutil.net_io_counters(pernic=True)
                real = [card for name, card in cards.items() if not name.startswith("lo")]
                return sum(card.bytes_recv for card in real), sum(card.bytes_sent for card in real)
            received = transmitted = 0
            lines = _text(self._proc, "net/dev").splitlines()
            for line in lines[2:]:
                name, _, counts = line.partition(":")
                if name.strip() != "lo":
                    columns = counts.split()
                    received += int(columns[0])
                    transmitted += int(columns[8])
            return received, transmitted
        except Exception:
            return None, None


class _Gpus:
    """All GPUs that the process sees: the mean of their use, the sum of their memory in use."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        self._looked = False

    def measure(self) -> dict[str, float]:
        try:
            if not self._looked:
                self._looked = True
                self._look()
            if not self._handles:
                return {}
            nvml = self._nvml
            used = [nvml.nvmlDeviceGetUtilizationRates(one).gpu / 100 for one in self._handles]
            memory = [nvml.nvmlDeviceGetMemoryInfo(one).used for one in self._handles]
            return {"gpu_ratio": sum(used) / len(used), "gpu_memory_bytes": sum(memory)}
        except Exception:
            # No driver, no permission, or a GPU that fell off the bus: there is none to tell of.
            self._handles = []
            return {}

    def _look(self) -> None:
        nvml = _module("pynvml")
        if nvml is not None:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
            self._handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
            self._nvml = nvml


def _text(folder: str, name: str) -> str:
    with open(f"{folder}/{name}", encoding="ascii") as file:
        return file.read()


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except Exception:
        return None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _rate(before: float | None, now: float | None, passed: float) -> float | None:
    if before is None or now is None:
        return None
    # A network card that went away takes its count along.
    return max(0.0, now - before) / passed
