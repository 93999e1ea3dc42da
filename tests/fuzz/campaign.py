"""A campaign: inputs judged one by one and in chunks; what breaks a promise is kept."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz import monitored, record_file, verdict

CHUNK = 40
#: Inputs from this size on have their memory looked at: that is slow.
WEIGHED_BYTES = 32 * 1024


class Campaign:
    """Judges inputs, keeps those that break a promise, and counts."""

    def __init__(self, keep: Path) -> None:
        self.verdicts: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.slowest = (0.0, 0)
        self.largest = (0, 0)
        self._keep = keep
        self._chunk: list[bytes] = []

    def take(self, data: bytes) -> None:
        """Judge an input; with every so many of them, the chunk that they make."""
        try:
            self._judge(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._note(data, error)
        self._chunk.append(data)
        if len(self._chunk) == CHUNK:
            chunk, self._chunk = self._chunk, []
            self._compare(chunk)

    def _judge(self, data: bytes) -> None:
        record = record_file.read(data)
        begun = time.thread_time()
        self.verdicts[verdict.judged(record)] += 1
        size = len(record.value or b"")
        # Judging decodes twice and more, so only what took long is measured by itself.
        if time.thread_time() - begun > verdict.MOST_SECONDS:
            self.slowest = max(self.slowest, (verdict.quick(record, slack=1), size))
        if size >= WEIGHED_BYTES:
            self.largest = max(self.largest, (verdict.small(record), size))

    def _compare(self, chunk: list[bytes]) -> None:
        try:
            records = [record_file.read(data, offset=i) for i, data in enumerate(chunk)]
            verdict.same_as_one_by_one(records)
            monitored.heard(records)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            for data in _culprits(chunk):
                self._note(data, error)

    def _note(self, data: bytes, error: BaseException) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        cause = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
        self.broken[cause] += 1
        if self.broken[cause] <= 3:
            name = hashlib.sha256(data).hexdigest()[:16]
            self._keep.mkdir(parents=True, exist_ok=True)
            (self._keep / name).write_bytes(data)
            print(f"{cause}: {str(error)[:300]} -> {self._keep / name}", flush=True)

    def report(self, begun: float) -> int:
        """Print what was found since a monotonic time; the exit code."""
        seconds = time.monotonic() - begun
        print(f"{self.verdicts.total():,} inputs in {seconds:.0f} s: {dict(self.verdicts)}")
        print(f"slowest above the limit's notice: {self.slowest[0] * 1000:.1f} ms of own time")
        print(f"most memory: {self.largest[0]:,} bytes for a value of {self.largest[1]:,}")
        print(f"broken: {dict(self.broken) or 'nothing'}", flush=True)
        return 1 if self.broken else 0


def _culprits(chunk: list[bytes]) -> list[bytes]:
    """Those that break the monitor alone; all of them where it takes several."""
    found = []
    for data in chunk:
        try:
            monitored.heard([record_file.read(data)])
        except BaseException:
            found.append(data)
    return found or chunk
