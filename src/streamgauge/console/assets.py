"""The files that a browser loads: all of them ours, read once, also held compressed."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import resources

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and the same with gzip."""

    body: bytes
    packed: bytes
    content_type: str


@cache
def assets() -> dict[str, Asset]:
    """All files by name. The names are a closed list, so no path can lead out of it."""
    found: dict[str, Asset] = {}
    for path in resources.files("streamgauge.console").joinpath("static").iterdir():
        _, _, ending = path.name.rpartition(".")
        if ending in _TYPES:
            body = path.read_bytes()
            found[path.name] = Asset(body, gzip.compress(body, mtime=0), _TYPES[ending])
    return found
