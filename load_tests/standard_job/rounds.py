"""Rounds: every way once a round, so that the ways of a round had the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from load_tests.standard_job.bench import Bench, say
from load_tests.standard_job.cores import Failed
from load_tests.standard_job.job import Measured
from load_tests.standard_job.registry import Way

#: What each way measured in a round; a way that failed is not in it.
Round = Mapping[str, Measured]


def run(ways: Sequence[Way], bench: Bench, rounds: int) -> list[Round]:
    """Run them all in turns, every second round from the last to the first."""
    done: list[Round] = []
    for number in range(rounds):
        found: dict[str, Measured] = {}
        for way in reversed(ways) if number % 2 else ways:
            started = time.monotonic()
            try:
                found[way.name] = way.measure(way, bench)
            except Failed as why:
                say(f"round {number + 1} of {rounds}: {way.name} FAILED: {why}")
                continue
            took = time.monotonic() - started
            rate = found[way.name].rate
            say(f"round {number + 1} of {rounds}: {way.name} {rate:,.0f} events/s ({took:.0f} s)")
        done.append(found)
    return done


def ratio(rounds: Sequence[Round], way: str, other: str) -> float | None:
    """Median over rounds of how many times as fast as the other it was in that round.

    None where they were in no round together.
    """
    pairs = ratios(rounds, way, other)
    return statistics.median(pairs) if pairs else None


def ratios(rounds: Sequence[Round], way: str, other: str) -> list[float]:
    """The same of each round, lowest first."""
    both = [found for found in rounds if way in found and other in found]
    return sorted(found[way].rate / found[other].rate for found in both)
