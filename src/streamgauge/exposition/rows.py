"""What is said of each model: one row, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.answers import answers
from streamgauge.exposition.fleet import ModelSummary, SeriesSummary, worst_state
from streamgauge.exposition.silence import as_of_now

#: Data that is older than this is said to be.
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
    """One model as the console shows it. None where there is nothing to say."""

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
    passing: bool = False
    #: How good its answers are, in words; empty where no label tells.
    answers: str = ""


def model_rows(
    models: Sequence[ModelSummary], activity: Activity, *, now: float, deaf: bool = False
) -> list[Row]:
    """One row each. ``deaf`` says that no monitor runs, so nothing in the views is of now."""
    rows = [
        _row(as_of_now(model, activity, now=now, deaf=deaf), activity, now=now, deaf=deaf)
        for model in models
    ]
    return sorted(
        rows,
        key=lambda r: (r.passing, STATUSES.index(r.status), -(r.severity or 0.0), r.model),
    )


def _row(model: ModelSummary, activity: Activity, *, now: float, deaf: bool) -> Row:
    live = activity.live_versions(model, now=now)
    series = _concerned([each for each in model.series if each.version in live])
    speaking = [each for each in series if not each.silent]
    quiet = activity.quiet_seconds(model, now=now)
    state = worst_state(each.state for each in series)
    status = _STATE_STATUS.get(state, state)
    why = next((each.reason for each in series if each.state == state and each.reason), "")
    if not series:
        why = "no prediction yet"
    elif speaking and state == "no_data":
        why = f"a step is silent {why}"
    if any(each.poisoned for each in speaking):
        status, why = "poisoned", "a detector no longer works"
    if model.firing:
        # An open alarm is not over because nothing comes any more.
        status, why = "firing", "" if speaking else f"no data {why}"
    if deaf:
        status, why = "no monitor", "what is shown is from before it stopped"
    slow = [each.p95 for each in speaking if each.p95 is not None]
    failing = [each.error_ratio for each in speaking if each.error_ratio is not None]
    judged = [each.worst for each in speaking if each.worst is not None]
    worst = max(judged, key=lambda f: (f.judgement and f.judgement.severity) or 0.0, default=None)
    return Row(
        model=model.model,
        versions=tuple(live),
        status=status,
        why=why,
        rate=sum(each.rate for each in speaking) if speaking else None,
        errors=max(failing, default=None),
        p95=max(slow, default=None),
        severity=worst.judgement.severity if worst and worst.judgement else None,
        feature=worst.name if worst else "",
        alarms=len(model.firing),
        quiet=quiet,
        passing=model.passing,
        answers=answers(model.truth, live),
    )


def _concerned(series: Sequence[SeriesSummary]) -> list[SeriesSummary]:
    """All but versions of which nothing comes while another sends: that is what a deploy does."""
    sending = {each.version for each in series if not each.silent}
    return [each for each in series if each.version in sending or not sending]
