"""How the cost grows: stub."""

from __future__ import annotations

from typing import Any


def measure(bench: Any) -> dict[str, Any]:
    return {}


def lines(growth: Any) -> list[str]:
    return []
