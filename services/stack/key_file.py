"""The key that signs models on this machine where nobody gave one: made once, kept in a file."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from services.stack.reach import Unreachable


def key_file() -> Path:
    """Where the key is kept: with the state of the user's other programs.

    Raises ``OSError`` for a user without a home.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise FileNotFoundError(str(error)) from error
    return Path(state) / "streamgauge" / "state.key"


def kept_key(path: Path) -> str:
    """The key in the file; where there is none, one is made that nobody else may read.

    Raises ``Unreachable`` for a file that others may read or that holds no key, ``OSError`` where
    it can be neither read nor made.
    """
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise Unreachable(
            f"others may read {path}, and whoever has the key can forge models.\n"
            f"  chmod 600 {path}, or set STREAMGAUGE_STATE__KEY."
        )
    key = path.read_text().strip()
    if not key:
        raise Unreachable(f"{path} is empty.\n  Remove it, or set STREAMGAUGE_STATE__KEY.")
    return key


def _make(path: Path) -> None:
    """Put a whole file there, or leave the one that another stack put there meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
    finally:
        os.unlink(made)
