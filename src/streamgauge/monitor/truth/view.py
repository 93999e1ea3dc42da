"""What predictions turned out to be, as readers see it: a pure function of the state."""

from __future__ import annotations

from itertools import groupby

from streamgauge.alarms.finding import Finding
from streamgauge.monitor.truth.concept import ConceptWatch
from streamgauge.monitor.truth.gaps import gaps
from streamgauge.monitor.truth.labels_view import labels_view
from streamgauge.monitor.truth.model_truth import ModelTruth, speaks_of_labels
from streamgauge.monitor.truth.performance_view import performance_view
from streamgauge.monitor.truth.priced import priced
from streamgauge.monitor.truth.provisional import Key, Provisional
from streamgauge.monitor.truth.series import ShownWindow, TruthSeries
from streamgauge.monitor.truth.window import TruthWindow
from streamgauge.state.views import (
    DetectorView,
    JudgementView,
    PerformanceView,
    TagView,
    TruthSeriesView,
    TruthView,
)

MOST_CLASSES = 20
#: Slices of one segment, those with most labels.
MOST_SLICES = 10
MOST_TAGS = 5


def truth_view(truth: ModelTruth) -> TruthView | None:
    """What readers may know; None where no label ever came and the spec speaks of none."""
    if not truth.asked and not speaks_of_labels(truth.spec):
        return None
    provisional = truth.provisional.of(truth)
    keys = [*truth.series, *(key for key in provisional if key not in truth.series)]
    told = truth.task or next((each.task for each in provisional.values()), None)
    return TruthView(
        task=told,
        positive=truth.positive.name if told == "binary" else None,
        classes=truth.join.truths.names[:MOST_CLASSES],
        labels=labels_view(truth.join, mismatched=truth.mismatched),
        series=[_series_view(truth, key, provisional.get(key)) for key in keys],
    )


def _series_view(truth: ModelTruth, key: Key, provisional: Provisional | None) -> TruthSeriesView:
    version, step = key
    waiting = _provisional(truth, key, provisional) if provisional is not None else None
    series = truth.series.get(key)
    if series is None:
        return TruthSeriesView(version=version, step=step, provisional=waiting)
    total = priced(truth, _total(truth, series), series.total)
    if series.last is None:
        return TruthSeriesView(
            version=version,
            step=step,
            total=total,
            provisional=waiting,
            detectors=_detectors(series),
            gaps=gaps(truth.spec, total.figures, {}),
        )
    shown = _window(truth, series, series.last)
    usual = series.concept.usual
    return TruthSeriesView(
        version=version,
        step=step,
        window=priced(truth, shown.whole, series.last.whole),
        total=total,
        provisional=waiting,
        slices=shown.slices,
        usual_error_ratio=usual.ratio if usual.believed else None,
        judgements=[
            _judgement(truth, series, each)
            for each in series.findings
            # Of scores nothing can be called wrong: there are no errors to judge.
            if truth.task != "scores" or each.target != "errors"
        ],
        detectors=_detectors(series),
        gaps=gaps(truth.spec, shown.whole.figures, series.last.trivial),
        tags=shown.tags,
    )


def _total(truth: ModelTruth, series: TruthSeries) -> PerformanceView:
    if series.shown_total is None:
        series.shown_total = performance_view(
            series.total,
            truth.task,
            version=series.version,
            step=series.step,
            classes=truth.scorer.classes.names,
        )
    return series.shown_total


def _window(truth: ModelTruth, series: TruthSeries, last: TruthWindow) -> ShownWindow:
    """The last window, worked out once: a thousand views may be made until the next closes."""
    if series.shown_window is None:
        span = (last.start if last.start is not None else last.end, last.end)
        whole = performance_view(
            last.whole,
            truth.task,
            version=series.version,
            step=series.step,
            span=span,
            classes=truth.scorer.classes.names,
            calibrated=True,
        )
        tags = [
            TagView(tag=t.tag, n=t.n, error_ratio=t.error_ratio, impact=t.impact)
            for t in last.tags.ranked(k=MOST_TAGS)
            if t.impact > 0
        ]
        series.shown_window = ShownWindow(whole, _slices(truth, series, last, span), tags)
    return series.shown_window


def _slices(
    truth: ModelTruth, series: TruthSeries, last: TruthWindow, span: tuple[float, float]
) -> list[PerformanceView]:
    by_size = sorted(last.slices.items(), key=lambda p: (p[0][0], -p[1].scored, p[0][1]))
    largest = [
        each
        for _, segment in groupby(by_size, key=lambda pair: pair[0][0])
        for each in list(segment)[:MOST_SLICES]
    ]
    return [
        performance_view(
            part,
            truth.task,
            version=series.version,
            step=series.step,
            segment=of,
            span=span,
        )
        for of, part in largest
    ]


def _provisional(truth: ModelTruth, key: Key, found: Provisional) -> PerformanceView:
    table = truth.join.table
    view = performance_view(
        found.performance,
        found.task,
        version=key[0],
        step=key[1],
        maturity="provisional",
        span=(found.start, found.end),
        classes=found.classes,
    )
    # By the newest prediction, not by a clock: a restored monitor must say the same.
    age = max(table.logged(table.end - 1) - found.logged, 0.0)
    return view.model_copy(update={"age_seconds": age})


def _judgement(truth: ModelTruth, series: TruthSeries, finding: Finding) -> JudgementView:
    active = truth.policy.is_active(finding.kind, series.step, series.version, finding.target)
    return JudgementView(
        **finding.plain() | ({"state": "firing"} if active and finding.exceeds else {}),
        as_of=series.last.end if series.last is not None else None,
    )


def _detectors(series: TruthSeries) -> list[DetectorView]:
    of_scores = sorted(series.scores.by_name.items())
    listening = [("errors", series.concept)]
    listening += [(each.target, each.concept) for _, each in of_scores]
    return [each for target, concept in listening for each in _heard(target, concept)]


def _heard(target: str, concept: ConceptWatch) -> list[DetectorView]:
    return [
        DetectorView(
            series=target,
            detector=name,
            state="ok" if detector.samples >= detector.needed else "warming",
            samples=detector.samples,
            needed=detector.needed,
            estimate=detector.estimate,
            detections=concept.totals.get(name, 0),
            last_detection=concept.times[name][-1] if concept.times.get(name) else None,
        )
        for name, (_, detector) in sorted(concept.detectors.items())
    ]
