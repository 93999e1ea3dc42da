from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_without_a_redis_server_ci_fails_and_others_skip(ci: str, outcome: str) -> None:
    test = "tests/state/test_redis_failures.py::test_a_large_checkpoint_is_written"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={"PATH": "/nowhere", "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert outcome in done.stdout, done.stdout + done.stderr
