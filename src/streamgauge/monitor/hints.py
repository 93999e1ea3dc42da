"""What is odd about the values behind an alarm, in words that name the likely cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from streamgauge.alarms.finding import Finding
from streamgauge.monitor.contents import TargetCounts
from streamgauge.monitor.target import Target

if TYPE_CHECKING:
    from streamgauge.monitor.series import Series

#: Findings whose features are looked at.
MOST_LOOKED_AT = 5


def hints_of(series: Series, findings: Sequence[Finding]) -> list[str]:
    """Hints on the features that moved most."""
    found: list[str] = []
    for name in dict.fromkeys(finding.target for finding in findings[:MOST_LOOKED_AT]):
        target, counts = series.targets.get(name), series.last.counts.targets.get(name)
        if target is not None and counts is not None:
            found += [f"{name}: {hint}" for hint in hints_on(target, counts)]
    return found


def hints_on(target: Target, counts: TargetCounts) -> list[str]:
    """Hints on one target's window."""
    return []
