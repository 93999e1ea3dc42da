"""What a run prints: a row for each way, the budget, and the line for machines."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from load_tests.standard_job.budgets import Verdict
from load_tests.standard_job.latency import Latency
from load_tests.standard_job.rounds import Round, ratios

HEAD = (
    f"{'way':<17}{'events/s':>10}{'by the clock':>14}{'µs of CPU':>11}{'× naive':>9}"
    f"{'lowest':>8}{'highest':>8}{'RSS MB':>8}  what it is"
)
FOOT = (
    "events/s: of the core, less the time in which others had it. × naive: median over rounds. "
    "µs of CPU: an event, its own process alone."
)


def rows(rounds: Sequence[Round], ways: Mapping[str, str]) -> list[str]:
    """The table; ``ways`` says what each is. Those that were never measured are left out."""
    lines = [HEAD]
    for name, says in ways.items():
        own = [found[name] for found in rounds if name in found]
        if not own:
            continue
        pairs = ratios(rounds, name, "naive")
        shown = (statistics.median(pairs), pairs[0], pairs[-1]) if pairs else (None,) * 3
        cpu = statistics.median(each.cpu_seconds / each.events for each in own) * 1e6
        lines.append(
            f"{name:<17}{statistics.median(each.rate for each in own):>10,.0f}"
            f"{statistics.median(each.clock_rate for each in own):>14,.0f}{cpu:>11.1f}"
            f"{figure(shown[0]):>9}{figure(shown[1]):>8}{figure(shown[2]):>8}"
            f"{max(each.rss_mb for each in own):>8.0f}  {says}"
        )
    return [*lines, FOOT]


def budget(verdicts: Sequence[Verdict]) -> list[str]:
    """What is met, what is not, and what was not measured."""
    return [
        f"budget: {each.name} {figure(each.value)} of at least {each.least:g}: {each.says}"
        for each in verdicts
    ]


def last_line(figures: Mapping[str, float | None]) -> str:
    """For machines.

    >>> last_line({"ratio_naive": 2.5, "rss_mb": None})
    'load: ratio_naive=2.50 rss_mb=-'
    """
    return "load: " + " ".join(f"{name}={figure(value)}" for name, value in figures.items())


def figure(value: float | None) -> str:
    """Two places, one from a hundred on; a dash for what is not there."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def alarms(latency: Latency) -> str:
    """From an event to its alarm, in one line."""
    shares = " ".join(f"p{100 * q:.0f} {figure(latency.quantile(q))} s" for q in (0.5, 0.95, 0.99))
    return (
        f"alarms: {len(latency.seconds)} of {latency.drifts} drifts at"
        f" {latency.rate:,.0f} events/s, event to subscriber {shares};"
        f" the sender was {latency.sender_late_seconds:.2f} s late at worst"
    )
