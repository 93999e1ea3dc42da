"""What a run came to: the figures that the budget and the last line are made of, and the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from load_tests.standard_job.budgets import Verdict
from load_tests.standard_job.latency import Latency
from load_tests.standard_job.rounds import Round, ratio

#: Figures by name, each a ratio of two ways.
RATIOS = {
    "ratio_naive": ("monitor", "naive"),
    "ratio_faust": ("monitor", "faust_take"),
    "ratio_ceiling": ("monitor", "ceiling"),
    "ratio_whylogs": ("monitor", "whylogs"),
    "ratio_evidently": ("monitor", "evidently"),
    "columns_naive": ("monitor_columns", "naive"),
}
LAST = ("ratio_naive", "ratio_faust", "ratio_ceiling", "alarm_p50_s", "alarm_p99_s", "rss_mb")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """All that was measured. ``growth`` holds its ratios and its rows, ``failed`` what was not."""

    rounds: Sequence[Round]
    failed: tuple[str, ...] = ()
    latency: Latency | None = None
    growth: Mapping[str, Any] = field(default_factory=dict)

    def figures(self) -> dict[str, float | None]:
        """Every figure by name; None where it was not measured."""
        found: dict[str, float | None] = {
            name: ratio(self.rounds, *pair) for name, pair in RATIOS.items()
        }
        for name, share in (("alarm_p50_s", 0.5), ("alarm_p95_s", 0.95), ("alarm_p99_s", 0.99)):
            found[name] = self.latency.quantile(share) if self.latency is not None else None
        peaks = [each["monitor"].rss_mb for each in self.rounds if "monitor" in each]
        found["rss_mb"] = max(peaks, default=None)
        return found | dict(self.growth.get("ratios", {}))

    def last(self) -> dict[str, float | None]:
        """The figures of the last line."""
        figures = self.figures()
        return {name: figures[name] for name in LAST}


def write(
    file: Path, outcome: Outcome, verdicts: Sequence[Verdict], machine: Mapping[str, Any]
) -> None:
    """Write everything down as JSON."""
    document = {
        "machine": machine,
        "figures": outcome.figures(),
        "budget": [asdict(each) | {"says": each.says} for each in verdicts],
        "rounds": [
            {name: asdict(each) | {"rate": each.rate} for name, each in found.items()}
            for found in outcome.rounds
        ],
        "latency": asdict(outcome.latency) if outcome.latency is not None else None,
        "growth": outcome.growth,
        "failed": outcome.failed,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1) + "\n")
