"""The exporter as a process: a scrape of many series, a million hostile names, open pages.

    python load_tests/exporter.py [--names 1000000] [--pages 200] [--seconds 8]

Views are made by the monitor from a log, and lie in a Redis beside. A scrape is asked for as
Prometheus does, in OpenMetrics and packed; its time is the median of ten. A page is a connection
that takes the fleet's stream, while every view is written anew once a second; what pages cost is
the exporter's processor time with them over that without, in turns, because a shared machine
changes its speed. It exits with 1 where a scrape takes longer than half a second, where series
exceed the cap, or where pages cost more than a tenth. After a million names there are 2,000 models:
what the console says of each once a second is part of what a scrape takes then, and no limit's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import itertools
import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson
from redis import Redis

sys.path.insert(0, str(Path(__file__).parents[1]))

from load_tests.monitor_rate import CHUNK, Book, everything_off, make_log, make_profile
from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.settings import Settings
from streamgauge.state.keys import PARTITION_FIELD, view_key
from streamgauge.state.views import PartitionView

MODELS, EVENTS = 250, 75_000
MOST_SECONDS, MOST_RATIO = 0.5, 1.10
SCRAPER = {"Accept": "application/openmetrics-text; version=1.0.0", "Accept-Encoding": "gzip"}
#: What names begin and end with.
HOSTILE = ('"', "\\", "\n", "\u202e", "</bdi><script>", "{{7*7}}", " ", "🚰")


class Exporter:
    """The process, and what is asked of it."""

    def __init__(self, redis: str) -> None:
        self.port = free_port()
        own = {
            "STREAMGAUGE_REDIS__URL": redis,
            "STREAMGAUGE_EXPORTER__PORT": str(self.port),
            "STREAMGAUGE_LOG__LEVEL": "warning",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.exporter"], env={**os.environ, **own}
        )

    def __enter__(self) -> Exporter:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(urllib.error.URLError):
                self.get("/readyz")
                return self
            time.sleep(0.1)
        self.__exit__()
        raise SystemExit("the exporter does not get ready")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=15)

    def get(self, path: str) -> bytes:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=SCRAPER)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            body: bytes = answer.read()
            packed = answer.headers["Content-Encoding"] == "gzip"
        return gzip.decompress(body) if packed else body

    @property
    def series(self) -> int:
        """How many it shows."""
        lines = self.get("/metrics").decode().splitlines()
        return int(float(next(e for e in lines if e.startswith("streamgauge_series ")).split()[1]))

    @property
    def processor_seconds(self) -> float:
        """What it has used so far."""
        used = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")

    def scrape(self, times: int = 10) -> tuple[float, float]:
        """Median seconds of a scrape, and what one costs of the processor, all else included."""
        took, before = [], self.processor_seconds
        for _ in range(times):
            started = time.perf_counter()
            self.get("/metrics")
            took.append(time.perf_counter() - started)
        return statistics.median(took), (self.processor_seconds - before) / times


def fleet() -> Mapping[str, bytes]:
    """Views of many models with ten features, more series than the cap."""
    log = make_log(EVENTS, MODELS)
    monitor = PartitionMonitor(0, book=Book(everything_off(), make_profile(log)))
    for start in range(0, len(log), CHUNK):
        monitor.process(log[start : start + CHUNK])
    return monitor.views()


def strangers(names: int) -> tuple[Mapping[str, bytes], int]:
    """Views after so many names of models, features and classes, and the events of no model."""
    log = make_log(1_000, 1)
    monitor = PartitionMonitor(0, book=Book(everything_off(), make_profile(log)))
    for start in range(0, names, CHUNK):
        monitor.process([_stranger(i) for i in range(start, min(start + CHUNK, names))])
    return monitor.views(), int(monitor.dirty().gauges["models_dropped"])


def _stranger(i: int) -> LogRecord:
    name = f"{HOSTILE[i % 8]}{i}{HOSTILE[i // 8 % 8]}"
    event = {
        "prediction_id": str(i),
        "model": name,
        "version": name,
        "features": {name: 1.0},
        "output": name,
    }
    at = 1_790_000_000.0 + i / 4_000
    return LogRecord(
        "streamgauge.predictions",
        0,
        i,
        at,
        name.encode(),
        (),
        orjson.dumps({**event, "timestamp": at}),
    )


@contextlib.contextmanager
def exporting(views: Mapping[str, bytes]) -> Iterator[tuple[Exporter, Callable[[], None]]]:
    """An exporter that reads these, and what writes them anew."""
    with EmbeddedRedis() as redis:
        place = PartitionView(partition=0, written_at=time.time())
        own = {PARTITION_FIELD: place.model_dump_json().encode(), **views}
        blanks = itertools.count()
        with Redis.from_url(redis.url) as client:

            def write() -> None:
                # The same views in other bytes, so that all of them are read anew.
                behind = b" " * (next(blanks) % 2)
                told = {name: view + behind for name, view in own.items()}
                client.hset(view_key(Settings().monitor.group, 0), mapping=told)

            write()
            with Exporter(redis.url) as exporter:
                yield exporter, write


async def pages(
    exporter: Exporter, write: Callable[[], None], n: int, seconds: float
) -> tuple[float, int]:
    """Processor seconds a second while so many pages are open, and bytes that they took."""
    taken = 0

    async def read() -> None:
        nonlocal taken
        reader, writer = await asyncio.open_connection("127.0.0.1", exporter.port)
        writer.write(b"GET /api/stream?screen=fleet HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while chunk := await reader.read(1 << 20):
            taken += len(chunk)

    async def go_on() -> None:
        while True:
            await asyncio.to_thread(write)
            await asyncio.sleep(1.0)

    tasks = [asyncio.create_task(each) for each in (go_on(), *(read() for _ in range(n)))]
    # Each has its first message, and none of them is part of the measurement.
    await asyncio.sleep(2.0)
    began, taken = time.monotonic(), 0
    before = exporter.processor_seconds
    await asyncio.sleep(seconds)
    used = exporter.processor_seconds - before
    lasted = time.monotonic() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return used / lasted, taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    cap = Settings().exporter.max_series
    with exporting(fleet()) as (exporter, write):
        scrape, cost = exporter.scrape()
        series = exporter.series
        print(f"a scrape of {series:,} series takes {scrape:.3f} s, {cost:.3f} s of the processor")
        alone, beside = [], []
        for _ in range(3):
            alone.append(asyncio.run(pages(exporter, write, 0, given.seconds))[0])
            used, taken = asyncio.run(pages(exporter, write, given.pages, given.seconds))
            beside.append(used)
    ratio = statistics.median(beside) / statistics.median(alone)
    print(
        f"{given.pages} pages take {taken / given.seconds / 1e6:.1f} MB/s; the exporter needs"
        f" {statistics.median(alone):.3f} of a core without and {statistics.median(beside):.3f}"
        " with them"
    )
    views, refused = strangers(given.names)
    with exporting(views) as (exporter, _):
        hostile, dear = exporter.scrape()
        shown = exporter.series
    print(
        f"{given.names:,} names: {len(views):,} models are held, {refused:,} events counted alone;"
        f" a scrape of {shown:,} series takes {hostile:.3f} s, {dear:.3f} s of the processor"
    )
    print(
        f"exporter: scrape={scrape:.3f} processor={cost:.3f} series={series} pages={ratio:.2f}"
        f" hostile_series={shown} hostile_scrape={hostile:.3f} hostile_processor={dear:.3f}"
    )
    return int(scrape > MOST_SECONDS or max(series, shown) > cap or ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
