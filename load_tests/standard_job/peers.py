"""The peers' environments, which are no part of ours: they do not resolve beside our pins."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
PEERS = ("whylogs", "evidently")
REMEDY = "not installed: make load-peers"


class NoPeer(RuntimeError):
    """A peer could not be installed. The text is what pip said."""


def python(peer: str) -> Path | None:
    """The interpreter of a peer's environment, once that is complete."""
    found = CACHE / f".venv-{peer}"
    complete = (found / "complete").exists()
    return found / "bin" / "python" if complete else None


def install(peer: str) -> None:
    """Make a peer's environment, where there is none. Raises ``NoPeer``."""
    if python(peer) is not None:
        print(f"peers: {peer} is installed", file=sys.stderr)
        return
    place = CACHE / f".venv-{peer}"
    print(f"peers: installing {peer} into {place}, a minute or two", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=True, symlinks=True)
    wanted = HERE / f"requirements-{peer}.txt"
    pip = [place / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check",
           "--no-input", "install", "-r", wanted]  # fmt: skip
    done = subprocess.run(list(map(str, pip)), stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise NoPeer(f"{peer} can't be installed: {done.stderr[-1_000:]}")
    (place / "complete").touch()
