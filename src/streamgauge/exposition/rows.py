"""What the status page says of each model: one row, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.fleet import ModelSummary, worst_state
from streamgauge.exposition.words import duration

#: Nothing for so long is worth a word.
QUIET_SECONDS = 10.0
#: From what must be looked at to what needs nobody.
STATUSES = (
    "firing",
    "poisoned",
    "no monitor",
    "pending",
    "no data",
    "too few",
    "warming",
    "ok",
)
#: Word for each state of a judged window.
_STATE_STATUS = {"no_data": "no data", "too_few": "too few"}


@dataclass(frozen=True, slots=True)
class Row:
    """One model as the page shows it. None where there is nothing to say."""

    model: str
    versions: tuple[str, ...]
    status: str
    why: str
    rate: float | None
    errors: float | None
    p95: float | None
    severity: float | None
    feature: str
    alarms: int
    quiet: float | None


def model_rows(
    models: Sequence[ModelSummary], activity: Activity, *, now: float, deaf: bool = False
) -> list[Row]:
    """One row each. ``deaf`` says that no monitor runs, so nothing in the views is of now."""
    rows = [_row(model, activity, now=now, deaf=deaf) for model in models]
    return sorted(rows, key=lambda r: (STATUSES.index(r.status), -(r.severity or 0.0), r.model))


def _row(model: ModelSummary, activity: Activity, *, now: float, deaf: bool) -> Row:
    live = activity.live_versions(model, now=now)
    series = [each for each in model.series if each.version in live]
    quiet = activity.quiet_seconds(model, now=now)
    silent = quiet is not None and quiet >= QUIET_SECONDS
    state = worst_state(each.state for each in series)
    status = _STATE_STATUS.get(state, state)
    why = next((each.reason for each in series if each.state == state and each.reason), "")
    if any(each.poisoned for each in series):
        status, why = "poisoned", "a detector no longer works"
    if model.firing:
        status, why = "firing", ""
    if deaf:
        status, why = "no monitor", "what is shown is from before it stopped"
    elif status not in ("firing", "poisoned") and (silent or not series):
        status, why = "no data", f"for {duration(quiet)}" if quiet else "nothing came yet"
    slow = [each.p95 for each in series if each.p95 is not None]
    failing = [each.error_ratio for each in series if each.error_ratio is not None]
    judged = [each.worst for each in series if each.worst is not None]
    worst = max(judged, key=lambda f: (f.judgement and f.judgement.severity) or 0.0, default=None)
    return Row(
        model=model.model,
        versions=tuple(live),
        status=status,
        why=why,
        rate=None if silent else sum(each.rate for each in series) if series else None,
        errors=max(failing, default=None),
        p95=max(slow, default=None),
        severity=worst.judgement.severity if worst and worst.judgement else None,
        feature=worst.name if worst else "",
        alarms=len(model.firing),
        quiet=quiet,
    )
