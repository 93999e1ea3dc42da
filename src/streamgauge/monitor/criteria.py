"""Criteria against the figures of a window: PASS, FAIL or UNDECIDED, with the interval."""

from __future__ import annotations

from collections.abc import Iterable

from streamgauge.monitor.figures import Estimate, Figures
from streamgauge.specs.claims import Claim
from streamgauge.specs.criteria import Criterion
from streamgauge.specs.measures import measure
from streamgauge.state.views import CriterionView

#: How sure a verdict is, window by window.
CONFIDENCE = 0.95
_LACKING = {
    "labels": "needs labels: no settled window has it yet",
    "feedback": "needs feedback of interactions",
    "telemetry": "needs the client's telemetry",
}
#: More events than this are not promised to settle anything.
_NEVER = 10**9


def evaluate(
    criteria: Iterable[Criterion], figures: Figures, *, confidence: float = CONFIDENCE
) -> list[CriterionView]:
    """Judge each criterion by itself.

    It passes when the whole interval satisfies it, fails when nothing of the interval does, and is
    undecided in between, or where its figure is not known. The verdict is of one window: out of
    twenty that are looked at, one errs by chance.
    """
    return [_verdict(each, figures, confidence) for each in criteria]


def _verdict(criterion: Criterion, figures: Figures, confidence: float) -> CriterionView:
    claim = criterion.claim
    figure = figures.get(claim.figure)
    estimate = figure.estimate(confidence) if figure is not None else None
    if estimate is None:
        return CriterionView(
            name=criterion.name,
            kind=criterion.kind,
            expr=criterion.expr,
            state="UNDECIDED",
            reason=_lacking(claim),
        )
    # The end of the interval that speaks against the claim, and the one that speaks for it.
    best, worst = estimate.low, estimate.high
    if not claim.upper:
        best, worst = worst, best
    passed = worst is not None and claim.holds(worst)
    failed = best is not None and not claim.holds(best)
    return CriterionView(
        name=criterion.name,
        kind=criterion.kind,
        expr=criterion.expr,
        state="PASS" if passed else "FAIL" if failed else "UNDECIDED",
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        reason="" if passed or failed else _undecided(claim, estimate),
    )


def _lacking(claim: Claim) -> str:
    known = measure(claim.name)
    if known is None:
        return f"no figure is called {claim.name}"
    return _LACKING.get(known.needs, "not measured in the last window")


def _undecided(claim: Claim, estimate: Estimate) -> str:
    """Say why, and about how many events would tell: an interval shrinks with their root."""
    against = estimate.high if claim.bound >= estimate.value else estimate.low
    if against is None:
        return "too few events to bound it"
    gap, reach = abs(claim.bound - estimate.value), abs(against - estimate.value)
    text = "the interval reaches across the bound"
    needed = estimate.n * (reach / gap) ** 2 if gap else _NEVER
    if needed >= _NEVER:
        return text
    return f"{text}; about {int(float(f'{needed:.1e}')):,} events would tell"
