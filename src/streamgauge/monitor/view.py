"""A model's view for readers: a pure function of its state."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Literal

import numpy as np

from streamgauge.alarms.finding import Finding
from streamgauge.metrics.histogram import quantile
from streamgauge.metrics.traffic import LATENCY_EDGES, STATUSES, Traffic
from streamgauge.monitor.evidence import other_distances
from streamgauge.monitor.hints import hints_on, hints_on_series
from streamgauge.monitor.model_criteria import criteria_views
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.series import Series
from streamgauge.monitor.shown_alarms import in_order
from streamgauge.monitor.shown_histogram import shown_histogram
from streamgauge.monitor.step import OUTPUT
from streamgauge.monitor.target import Target
from streamgauge.monitor.truth.view import truth_view
from streamgauge.state.views import (
    FeatureView,
    HistogramView,
    JudgementState,
    JudgementView,
    ModelView,
    SeriesView,
)

#: Every fourth bound of the latency grid: two a decade are enough for a Prometheus histogram.
BUCKETS = tuple(range(0, len(LATENCY_EDGES), 4))


def model_view(monitor: ModelMonitor) -> ModelView:
    """Return what readers may know of a model."""
    monitor.settle()
    monitor.truth.give()
    truth = monitor.truth.truth
    mark, accepted = monitor.watermark, monitor.configuration.accepted
    return ModelView(
        model=monitor.model,
        partition=monitor.partition,
        watermark=mark.value if math.isfinite(mark.value) else None,
        last_event=mark.event_max if math.isfinite(mark.event_max) else None,
        spec_version=monitor.configuration.number,
        owner=monitor.configuration.spec.owner,
        late=monitor.lateness.total,
        unmonitored=monitor.catalogue.unmonitored,
        features_dropped=sum(step.dropped for step in monitor.steps.values()),
        labels=monitor.labels,
        truth=truth_view(truth),
        feedback=monitor.feedback,
        behaviour=[_behaviour(monitor, finding) for finding in monitor.behaviour.last],
        interactions=monitor.behaviour.last_acts.interactions,
        feedback_orphans=monitor.behaviour.orphans,
        lost_events=monitor.clients.lost,
        clients=monitor.clients.views(),
        silent=dict(monitor.hearing.silent),
        accepted_at=accepted.at if accepted is not None else None,
        accepted_by=accepted.by if accepted is not None else None,
        alarms_total=dict(
            sorted((Counter(monitor.alarms.totals) + Counter(truth.alarms.totals)).items())
        ),
        alarms=in_order([*monitor.alarms, *truth.alarms]),
        series=[_series_view(monitor, series) for series in monitor.series.values()]
        + ([_others_view(monitor)] if monitor.catalogue.others.n else []),
        criteria=criteria_views(monitor),
    )


def _others_view(monitor: ModelMonitor) -> SeriesView:
    """Totals of the versions that are not watched, so that nothing is missing from a recount."""
    return SeriesView(
        version="_other",
        state="no_data",
        reason="versions and steps that are counted only: too many, or long silent",
        **_totals(monitor.catalogue.others),
    )


def _totals(totals: Traffic) -> dict[str, Any]:
    cumulative = np.cumsum(totals.latency)
    return {
        "counts": dict(zip(STATUSES, totals.statuses.tolist(), strict=True)),
        "latency_buckets": {f"{LATENCY_EDGES[i]:g}": int(cumulative[i]) for i in BUCKETS}
        | {"+Inf": totals.timed},
        "latency_sum": totals.latency_sum,
    }


def _series_view(monitor: ModelMonitor, series: Series) -> SeriesView:
    last = series.last
    traffic = last.counts.traffic
    span = (last.end - last.start) if last.start is not None and last.end is not None else None
    if series.shown is None:
        series.shown = [
            _feature_view(monitor, series, target)
            for name, target in series.targets.items()
            if name not in series.outputs or target.type != "unknown"
        ]
    features = series.shown
    about_none = (last.rules | last.findings).keys() - {feature.name for feature in features}
    overall = [
        _judgement(monitor, series, finding)
        for name in sorted(about_none)
        for finding in (*last.rules.get(name, ()), *last.findings.get(name, ()))
    ]
    referenced = [t.reference for t in series.step.targets.values() if t.reference is not None]
    state, reason = _state(series, features, overall)
    quantiles = {
        f"{q:g}": value
        for q in (0.5, 0.95, 0.99)
        if (value := quantile(LATENCY_EDGES, traffic.latency, q)) is not None
    }
    profiled = monitor.configuration.profile is not None
    return SeriesView(
        version=series.version,
        step=series.step.name,
        **_totals(series.totals),
        latency_quantiles=quantiles,
        state=state,
        reason=reason,
        window_start=last.start,
        window_end=last.end,
        window_n=last.counts.n,
        rate=last.counts.n / span if span else None,
        error_ratio=traffic.get().get("error_ratio"),
        features=features,
        judgements=overall,
        detectors=series.detectors.views(),
        slices=last.slices,
        hints=hints_on_series(last.counts),
        rival=series.rival.version if series.rival is not None else None,
        reference_id=monitor.configuration.spec.reference.id if referenced else None,
        reference_n=max((r.n for r in referenced), default=None),
        reference_kind="none" if not referenced else "profile" if profiled else "learned",
    )


def _feature_view(monitor: ModelMonitor, series: Series, target: Target) -> FeatureView:
    last = series.last
    counts = last.counts.targets.get(target.name)
    findings = (*last.findings.get(target.name, ()), *last.rules.get(target.name, ()))
    judgements = [_judgement(monitor, series, finding) for finding in findings]
    if counts is not None:
        # Quiet windows have no evidence yet: nobody looked at it when they were judged.
        judgements = [
            each.model_copy(update={"others": other_distances(target, counts)})
            if each.detector == "js" and not each.others
            else each
            for each in judgements
        ]
    type_: Literal["numeric", "categorical", "unknown"] = "unknown"
    if target.type in ("numeric", "vector"):
        type_ = "numeric"
    elif target.type in ("categorical", "text"):
        type_ = "categorical"
    if counts is None:
        return FeatureView(name=target.name, type=type_, judgements=judgements)
    quality, moments = counts.quality.get(), counts.moments.get() if counts.moments else {}
    drawn = None
    if target.reference is not None and target.bins is not None and counts.histogram is not None:
        shown = shown_histogram(target.bins, target.reference.counts, counts.histogram.counts)
        drawn = HistogramView(bins=shown.bins, reference=shown.reference, current=shown.current)
    inside = target.name in series.step.targets or target.name == OUTPUT
    return FeatureView(
        name=target.name,
        type=type_,
        judgements=judgements,
        histogram=drawn,
        missing_ratio=quality.get("missing") if inside else None,
        wrong_type_ratio=quality.get("wrong_type"),
        out_of_range_ratio=quality.get("out_of_range"),
        new_category_ratio=quality.get("new_category"),
        mean=moments.get("mean"),
        std=moments.get("std"),
        minimum=moments.get("min"),
        maximum=moments.get("max"),
        hints=hints_on(target, counts),
        provisional=target.provisional,
    )


def _behaviour(monitor: ModelMonitor, finding: Finding) -> JudgementView:
    active = monitor.policy.is_active("feedback", "", "", finding.target)
    return JudgementView(
        **finding.plain() | ({"state": "firing"} if active and finding.exceeds else {})
    )


def _judgement(monitor: ModelMonitor, series: Series, finding: Finding) -> JudgementView:
    active = monitor.policy.is_active(
        finding.kind, series.step.name, series.version, finding.target
    )
    return JudgementView(
        **finding.plain() | ({"state": "firing"} if active and finding.exceeds else {}),
        as_of=series.last.end,
    )


def _state(
    series: Series, features: list[FeatureView], overall: list[JudgementView]
) -> tuple[JudgementState, str]:
    """Return the state of the whole: the worst that is known, and never "ok" without a verdict."""
    judgements = [j for feature in features for j in feature.judgements] + overall
    states = {judgement.state for judgement in judgements}
    for worst in ("firing", "pending"):
        if worst in states:
            return worst, ""
    if series.last.fullness == "too_few":
        needed = series.configuration.window.min_events
        return "too_few", f"{series.last.counts.n} of {needed} events in the longest window"
    drift = [j for feature in features for j in feature.judgements if j.detector == "js"]
    if any(judgement.state == "ok" for judgement in drift):
        return "ok", ""
    reasons = [judgement.reason for judgement in drift if judgement.reason]
    return "warming", reasons[0] if reasons else "waiting for the first full window"
