"""The ratios that a run must reach, and whether it did."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parents[1] / "budgets.toml"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A ratio beside its least. ``value`` is None where it was not measured."""

    name: str
    least: float
    value: float | None

    @property
    def below(self) -> bool:
        """What was not measured is not below."""
        return self.value is not None and self.value < self.least

    @property
    def says(self) -> str:
        if self.value is None:
            return "not measured"
        return "BELOW" if self.below else "met"


def judge(figures: Mapping[str, float | None], least: Mapping[str, float]) -> list[Verdict]:
    """Each budgeted ratio beside what was measured."""
    return [
        Verdict(name=name, least=value, value=figures.get(name)) for name, value in least.items()
    ]


def read(file: Path = FILE) -> dict[str, float]:
    """The least of each ratio."""
    found = tomllib.loads(file.read_text())["standard_job"]
    return {name: float(value) for name, value in found.items()}
