"""What a run of the suite prints: progress, the table, the last line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from load_tests.faults.run import Outcome

HEAD = (
    f"{'fault':<28}{'runs':>5}{'records':>9}{'alarms':>7}{'dead':>7}{'lost':>6}{'doubled':>8}"
    f"{'alarms =':>9}{'states =':>9}{'resent':>7}{'recovery s p50':>15}{'p95':>7}{'down s':>8}"
    f"{'RSS MB':>8}  notes"
)


def progress(outcome: Outcome, number: int, total: int) -> str:
    """One run in one line, and its remarks below."""
    recovery = "-" if outcome.recovery is None else f"{outcome.recovery:.1f} s"
    notes = "".join(f", {name} {n}" for name, n in sorted(outcome.notes.items()))
    line = (
        f"{number}/{total} {outcome.fault} seed {outcome.seed}: "
        f"{'equal' if outcome.passed else 'NOT EQUAL'}, recovery {recovery}{notes}, "
        f"{outcome.seconds:.0f} s"
    )
    unmet = (f"not kept: {promise}" for promise in outcome.unmet)
    return "\n".join((line, *(f"    {remark}" for remark in (*unmet, *outcome.remarks))))


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """The table, a row for each fault."""
    rows = [HEAD]
    for name in dict.fromkeys(o.fault for o in outcomes):
        rows.append(_row(name, [o for o in outcomes if o.fault == name]))
    return rows


def _row(name: str, own: Sequence[Outcome]) -> str:
    counted = [o.recount for o in own if o.recount is not None]
    recoveries = [o.recovery for o in own if o.recovery is not None]
    notes: Counter[str] = Counter()
    for outcome in own:
        notes.update(outcome.notes)
    if remarks := sum(bool(o.remarks) for o in own):
        notes["runs with remarks"] = remarks
    if unmet := sum(bool(o.unmet) for o in own):
        notes["NOT KEPT"] = unmet
    if len(counted) < len(own):
        notes["WITHOUT RECOUNT"] = len(own) - len(counted)
    return (
        f"{name:<28}{len(own):>5}{sum(r.records for r in counted):>9}"
        f"{sum(r.alarms for r in counted):>7}{sum(r.dead for r in counted):>7}"
        f"{sum(r.lost for r in counted):>6}{sum(r.doubled for r in counted):>8}"
        f"{_share(sum(r.alarms_equal for r in counted), len(own)):>9}"
        f"{_share(sum(r.states_equal for r in counted), len(own)):>9}"
        f"{sum(r.resent for r in counted):>7}"
        f"{_seconds(quantile(recoveries, 0.5)):>15}{_seconds(quantile(recoveries, 0.95)):>7}"
        f"{_seconds(quantile([o.down for o in own], 0.5)):>8}"
        f"{max(o.peak_mb for o in own):>8.0f}  "
        + ", ".join(f"{what} {n}" for what, n in sorted(notes.items()))
    )


def last_line(outcomes: Sequence[Outcome]) -> str:
    """For machines. Over all runs; a run without a recount counts as unequal."""
    counted = [o.recount for o in outcomes if o.recount is not None]
    recoveries = [o.recovery for o in outcomes if o.recovery is not None]
    return (
        f"faults: runs={len(outcomes)} lost={sum(r.lost for r in counted)}"
        f" duplicated={sum(r.doubled for r in counted)}"
        f" alarm_sets_equal={_share(sum(r.alarms_equal for r in counted), len(outcomes))}"
        f" recovery_p95_s={_seconds(quantile(recoveries, 0.95))}"
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}"
