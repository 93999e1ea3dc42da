"""Figures of what users do, and of the processes that serve, by the names that criteria use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streamgauge.monitor.figures import Figure, Level, Ratio


def feedback_figures(
    acts: Mapping[str, int], interactions: int, *, kinds: Iterable[str]
) -> dict[str, Figure]:
    """Shares of interactions by kind of feedback. Of ``kinds`` that did not occur it is nil.

    Where nobody ever sends a kind, nothing is known of it.
    """
    if not interactions:
        return {}
    return {
        f"{kind}_ratio": Ratio(min(acts.get(kind, 0), interactions), interactions)
        for kind in acts.keys() | set(kinds)
    }


def telemetry_figures(processes: Iterable[Mapping[str, float]]) -> dict[str, Figure]:
    """What processes measured: what flows adds up, of the rest the worst process counts."""
    found: dict[str, float] = {}
    for measurements in processes:
        for name, value in measurements.items():
            flows = name.endswith("_per_second") or name == "requests_in_flight"
            before = found.get(name)
            if before is None:
                found[name] = value
            else:
                found[name] = before + value if flows else max(before, value)
    return {name: Level(value) for name, value in found.items()}
