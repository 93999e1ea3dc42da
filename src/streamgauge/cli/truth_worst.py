"""The part of ``explain`` that says where answers are worse than they could be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamgauge.cli.output import show_number
from streamgauge.cli.verdict_rows import percent

if TYPE_CHECKING:
    from streamgauge.state.views import GapView, PerformanceView, TruthSeriesView

#: Slices, tags and classes that are named.
MOST_WORST = 3


def gap_words(gap: GapView) -> str:
    """How a model stands to a baseline or a trivial answer."""
    how = "better than" if gap.gap > 0 else "WORSE than" if gap.gap < 0 else "as good as"
    by = f" by {show_number(abs(gap.gap))}" if gap.gap else ""
    return (
        f"{gap.metric} {show_number(gap.value)}, {how} {gap.against} ({show_number(gap.other)}){by}"
    )


def calibration_words(window: PerformanceView) -> Iterator[str]:
    """That a model is too sure of itself, or not sure enough; nothing where it is calibrated."""
    found = window.calibration
    if found is None or found.threshold is None or found.ece <= found.threshold:
        return
    excess = sum(
        n * (sure - right)
        for n, sure, right in zip(found.n, found.confidence, found.accuracy, strict=True)
    )
    yield (
        f"{'overconfident' if excess > 0 else 'underconfident'}: calibration error "
        f"{show_number(found.ece)}, of a calibrated model at most {show_number(found.threshold)}"
    )


def worst_words(series: TruthSeriesView) -> Iterator[str]:
    """Slices, tags and classes among which the errors are."""
    whole = series.window.figures.get("error_ratio", 0.0) if series.window is not None else 0.0
    worse = [
        each
        for each in series.slices
        if each.segment is not None and each.figures.get("error_ratio", 0.0) > whole
    ]
    for each in sorted(worse, key=lambda e: -e.figures["error_ratio"])[:MOST_WORST]:
        name, value = each.segment or ("", "")
        yield (
            f"worse than the whole: {name} = {value}, wrong in "
            f"{percent(each.figures['error_ratio'])} of {each.labelled:,.0f}"
        )
    for tag in series.tags[:MOST_WORST]:
        yield (
            f"errors are among {tag.tag}: wrong in {percent(tag.error_ratio)} of {tag.n:,.0f}; as "
            f"good as the rest, all errors would fall by {100 * tag.impact:.3g} points"
        )
    classes = series.window.classes if series.window is not None else []
    for found in classes[:MOST_WORST]:
        if found.recall < 1:
            yield (
                f"class {found.name}: {percent(found.recall)} of {found.n:,.0f} found, "
                f"precision {percent(found.precision)}"
            )
