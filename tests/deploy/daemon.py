"""A program that runs while a test does, and is ready when its URL answers 200."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def running(
    command: Sequence[str],
    ready_url: str,
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    seconds: float = 30.0,
) -> Iterator[None]:
    """Run it until the end of the ``with``; what it says goes into ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + seconds
        while not answers(ready_url):
            said = log.read_text(errors="replace")[-2000:]
            assert process.poll() is None, f"{command} ended: {said}"
            assert time.monotonic() < deadline, f"{command} is not ready: {said}"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
