"""What is said of a model beside its row: silence, claims that do not hold, slices, limits."""

from __future__ import annotations

from streamgauge.exposition.fleet import ModelSummary
from streamgauge.exposition.words import duration, figure, moment, times_threshold
from streamgauge.state.views import CriterionView, SliceView

#: Criteria that are named one by one.
MOST_CRITERIA = 3


def remarks(model: ModelSummary, *, now: float) -> list[str]:
    """One line each, plain text; nothing of what is well."""
    return [*_silence(model, now), *_claims(model), *_slices(model)]


def unjudged(model: ModelSummary) -> list[str]:
    """What was counted and not judged: a limit that nobody hears of is a blind spot."""
    lines = []
    if model.unmonitored:
        lines.append(
            f"{figure(model.unmonitored)} predictions, because the model has too many versions "
            "or steps"
        )
    if model.features_dropped:
        lines.append(
            f"{figure(model.features_dropped)} feature values, because too many names came; "
            "a spec can ignore some"
        )
    return lines


def _silence(model: ModelSummary, now: float) -> list[str]:
    return [
        f"no predictions{f' of step {step}' if step else ''} since {moment(since)}, "
        f"for {duration(max(0.0, now - since))}"
        for step, since in sorted(model.silent_since.items())
    ]


def _claims(model: ModelSummary) -> list[str]:
    failed = [each for each in model.criteria if each.state == "FAIL"]
    lines = [_failed(each) for each in failed[:MOST_CRITERIA]]
    if len(failed) > MOST_CRITERIA:
        lines.append(f"and {len(failed) - MOST_CRITERIA} more criteria that FAIL")
    undecided = [each.name for each in model.criteria if each.state == "UNDECIDED"]
    if undecided:
        more = ", …" if len(undecided) > MOST_CRITERIA else ""
        lines.append(
            f"{len(undecided)} of {len(model.criteria)} criteria UNDECIDED: "
            f"{', '.join(undecided[:MOST_CRITERIA])}{more}"
        )
    return lines


def _failed(criterion: CriterionView) -> str:
    value = "" if criterion.value is None else f", it is {figure(criterion.value)}"
    return f"FAIL: {criterion.name} ({criterion.expr}{value})"


def _slices(model: ModelSummary) -> list[str]:
    """The slice that moved most, where one moved further than chance."""
    slices = [each for series in model.series if not series.silent for each in series.slices]
    worst = max(slices, key=_severity, default=None)
    if worst is None or worst.severity is None or worst.severity <= 1:
        return []
    by = f", by {worst.feature}" if worst.feature else ""
    return [
        f"worst slice: {worst.segment} = {worst.value}, {times_threshold(worst.severity)}{by}, "
        f"{figure(worst.n)} predictions in the last window"
    ]


def _severity(part: SliceView) -> float:
    return part.severity if part.severity is not None else 0.0
