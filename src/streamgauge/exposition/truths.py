"""The truth about a model, put together over shards."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from streamgauge.state.views import JudgementView, PerformanceView, TruthView

#: Slices of one segment that are shown, those with most labels.
MOST_SLICES = 10
#: Figures of one performance that have a series each; users invent their own.
MOST_FIGURES = 40

Key = tuple[str, str]
_Name = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class TruthSummary:
    """Counts add up over shards, shares follow from them, and of delays the slowest shard speaks.

    A figure of several shards is their mean by labels: exact of shares and means over predictions,
    near enough of others, like F1 and areas. ``judgements`` are of concept drift, by version and
    step.
    """

    task: str | None
    windows: tuple[PerformanceView, ...]
    totals: tuple[PerformanceView, ...]
    provisional: tuple[PerformanceView, ...]
    slices: tuple[PerformanceView, ...]
    counts: dict[str, int]
    coverage_ratio: float | None
    labelled_ratio: float | None
    sampling_ratio: float
    pending: int
    orphans: int
    mismatched: int
    delay_quantiles: dict[str, float]
    judgements: dict[Key, tuple[JudgementView, ...]] = field(default_factory=dict)


def put_together(shards: Iterable[TruthView | None]) -> TruthSummary | None:
    """One summary; None where no shard knows of labels."""
    views = [each for each in shards if each is not None]
    if not views:
        return None
    series = [each for view in views for each in view.series]
    counts: Counter[str] = Counter()
    delays: dict[str, list[float]] = defaultdict(list)
    judgements: dict[Key, list[JudgementView]] = defaultdict(list)
    for view in views:
        counts.update(view.labels.counts)
        for q, seconds in view.labels.delay_quantiles.items():
            delays[q].append(seconds)
    for each in series:
        judgements[each.version, each.step] += _of_errors(each.judgements)
    return TruthSummary(
        task=next((view.task for view in views if view.task is not None), None),
        windows=_merged(s.window for s in series),
        totals=_merged(s.total for s in series),
        provisional=_merged(s.provisional for s in series),
        slices=_largest(_merged(each for s in series for each in s.slices)),
        counts=dict(counts),
        coverage_ratio=_share(counts["settled_labelled"], counts["settled"]),
        labelled_ratio=_share(counts["joined"], counts["admitted"]),
        sampling_ratio=min(view.labels.sampling_ratio for view in views),
        pending=sum(view.labels.pending for view in views),
        orphans=sum(view.labels.orphans for view in views),
        mismatched=sum(view.labels.mismatched for view in views),
        delay_quantiles={
            # One that a shard leaves open is open.
            q: max(found)
            for q, found in sorted(delays.items())
            if len(found) == sum(bool(view.labels.counts.get("labels")) for view in views)
        },
        judgements={key: tuple(found) for key, found in judgements.items() if found},
    )


def _of_errors(judgements: Sequence[JudgementView]) -> list[JudgementView]:
    return [each for each in judgements if each.kind == "concept_drift"]


def _share(part: int, whole: int) -> float | None:
    return min(part / whole, 1.0) if whole > 0 else None


def _merged(views: Iterable[PerformanceView | None]) -> tuple[PerformanceView, ...]:
    """One for each (version, step, segment), in the order of names."""
    parts: dict[tuple[str, ...], list[PerformanceView]] = defaultdict(list)
    for view in views:
        if view is not None:
            parts[view.version, view.step, *(view.segment or ())].append(view)
    return tuple(_one(parts[key]) for key in sorted(parts))


def _one(views: Sequence[PerformanceView]) -> PerformanceView:
    if len(views) == 1:
        return views[0]
    figures = {
        name: mean
        for name in dict.fromkeys(name for view in views for name in view.figures)
        if (mean := _weighted(views, name)) is not None
    }
    return views[0].model_copy(
        update={
            "figures": figures,
            # Of one shard alone, they would be too wide or wrong.
            "intervals": {},
            "calibration": None,
            "classes": [],
            "n": sum(view.n for view in views),
            "labelled": sum(view.labelled for view in views),
            "start": _of_all(min, [view.start for view in views]),
            "end": _of_all(max, [view.end for view in views]),
            "age_seconds": _of_all(max, [view.age_seconds for view in views]),
            "worth": _of_all(math.fsum, [view.worth for view in views]),
        }
    )


def _weighted(views: Sequence[PerformanceView], name: str) -> float | None:
    known = [(v.figures[name], v.labelled) for v in views if name in v.figures]
    weight = sum(labelled for _, labelled in known)
    return sum(value * labelled for value, labelled in known) / weight if weight > 0 else None


def _of_all(how: Callable[[list[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return how(known) if known else None


def _largest(slices: Sequence[PerformanceView]) -> tuple[PerformanceView, ...]:
    def name(view: PerformanceView) -> _Name:
        return view.version, view.step, view.segment[0] if view.segment else ""

    ordered = sorted(slices, key=lambda v: (*name(v), -v.labelled, v.segment or ()))
    return tuple(v for _, same in groupby(ordered, key=name) for v in list(same)[:MOST_SLICES])
