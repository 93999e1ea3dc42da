"""A remark on a valid spec: where it is about, what is odd there, what would be better."""

from __future__ import annotations

from typing import NamedTuple

from streamgauge.specs.located import Path


class Remark(NamedTuple):
    """``path`` leads to it from the top of the spec; ``key`` means the key and not its value."""

    path: Path
    message: str
    hint: str = ""
    key: bool = False
