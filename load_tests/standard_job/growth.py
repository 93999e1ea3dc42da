"""How the cost grows with features, models, slices and workers: the rows and what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from load_tests.standard_job import growth_workers
from load_tests.standard_job.bench import Bench, say

KINDS = ("features", "models", "slices")
HEAD = f"{'growth':<10}{'level':<34}{'µs of CPU':>11}{'of the first':>14}"


def measure(bench: Bench, *, monitored: bool) -> dict[str, Any]:
    """Rows, and the ratios that have a budget; with workers where a monitor can run."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        say(f"growth: {kind}, in process")
        module = "load_tests.standard_job.growth_in_process"
        rows += json.loads(bench.cores.output(module, kind))
    ratios = {"models_1000_to_one": _rate_of_first(rows, "models", "1,000 in turns")}
    workers = None
    if monitored:
        workers = growth_workers.measure(bench)
        ratios["workers_two_to_one"] = workers["ratio"]
    return {"rows": rows, "workers": workers, "ratios": ratios}


def _rate_of_first(rows: Sequence[Mapping[str, Any]], kind: str, level: str) -> float:
    (found,) = [row for row in rows if row["kind"] == kind and row["level"] == level]
    return 1.0 / float(found["of_first"])


def lines(growth: Mapping[str, Any]) -> list[str]:
    """What was measured, for people; nothing where nothing was."""
    if not growth:
        return []
    found = [HEAD]
    for row in growth["rows"]:
        found.append(
            f"{row['kind']:<10}{row['level']:<34}{row['microseconds']:>11.1f}"
            f"{row['of_first']:>14.2f}"
        )
    if workers := growth["workers"]:
        found += [
            f"{'workers':<10}{each['level']:<34}{each['rate']:>11,.0f} events/s by the clock"
            for each in workers["rows"]
        ]
        found.append(f"{'':<10}{workers['remark']}")
    return found
