"""The Prometheus collector: builds all families from the newest views, at scrape time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import get_args

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from streamgauge.clock import Clock, system_clock
from streamgauge.exposition.activity import Activity
from streamgauge.exposition.fleet import STATES, ModelSummary, SeriesSummary
from streamgauge.exposition.handled import put_handled
from streamgauge.exposition.labels import OTHER
from streamgauge.exposition.learners import put_learners
from streamgauge.exposition.overflow import Overflow
from streamgauge.exposition.partitions import put_partitions, put_source
from streamgauge.exposition.sheet import Sheet
from streamgauge.exposition.shown import ShownFeatures
from streamgauge.exposition.silence import as_of_now
from streamgauge.exposition.source import Reading
from streamgauge.exposition.summaries import Summaries
from streamgauge.exposition.truth import put_labels, put_performance, put_performance_slices
from streamgauge.exposition.usage import (
    FEEDBACK_KINDS,
    put_behaviour,
    put_clients,
    put_criteria,
    put_slices,
)
from streamgauge.state.reader import Snapshot
from streamgauge.telemetry import clients, models, pipeline, usage
from streamgauge_client.events.alarm import ALARM_KINDS
from streamgauge_client.events.base import Severity

#: More bounds than these are thinned out by half: nobody sees the difference in a quantile.
MANY_BOUNDS = 30
#: What a model's alarms may be, shown as 0 at the start: a rate needs the 0 before the first one.
ALARM_COUNTERS = tuple(product((k for k in ALARM_KINDS if k != "pipeline"), get_args(Severity)))
#: Share of the cap that such counters may take; of more models than that none has them.
MOST_ZEROS = 0.1
_RATIOS = {
    "missing_ratio": models.FEATURE_MISSING,
    "wrong_type_ratio": models.FEATURE_WRONG_TYPE,
    "out_of_range_ratio": models.FEATURE_OUT_OF_RANGE,
    "new_category_ratio": models.FEATURE_NEW_CATEGORY,
}


class ViewCollector(Collector):
    """Metrics of all models and of the pipeline. Register it with a registry of your own.

    Parameters
    ----------
    reading
        Gives the newest reading. Called once a scrape.
    max_series
        The cap for one exposition. In order of importance: the pipeline, then every model's
        counters and states, latencies, criteria, labels and performance, judgements from the
        gravest on, ratios, clients, slices.
    stale_seconds
        When the views are older than this, models and partitions are left out altogether, because
        old numbers would look healthy. ``streamgauge_redis_up`` and
        ``streamgauge_views_age_seconds`` say why.
    activity
        Who still sends, shared with the console, so that both say the same of silence.
    summaries
        Shared with the console, so that each is made once.
    """

    def __init__(
        self,
        reading: Callable[[], Reading],
        *,
        service: str = "monitor",
        max_series: int = 20_000,
        stale_seconds: float = 30.0,
        activity: Activity | None = None,
        summaries: Summaries | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._reading = reading
        self._service = service
        self._max_series = max_series
        self._stale = stale_seconds
        self._clock = clock
        self._activity = activity or Activity()
        self._summaries = summaries or Summaries()
        self._shown = ShownFeatures()
        self._overflow = Overflow()
        self._dropped: Counter[str] = Counter()
        # Models keep their place in the queue, so that the cap always cuts the same ones off.
        self._admitted: dict[str, None] = {}
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not wait for views."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families of this moment. Scrapes at the same time wait for each other."""
        with self._lock:
            yield from list(self._families())

    def _families(self) -> Iterator[Metric]:
        now = self._clock()
        reading = self._reading()
        sheet = Sheet(self._overflow, limit=self._max_series)
        put_source(sheet, reading, now=now)
        age = reading.age(now)
        if reading.snapshot is not None and age is not None and age <= self._stale:
            put_partitions(sheet, reading.snapshot, service=self._service, now=now)
            self._models(sheet, reading.snapshot, now=now)
        self._dropped.update(sheet.dropped)
        # Put last, they are of the exposition itself; the cap does not apply to them.
        totals = Sheet(Overflow(), limit=100)
        for reason in ("cap", "versions", "nonfinite", "feedback", "services", "metrics"):
            totals.count(pipeline.SERIES_DROPPED, self._dropped[reason], reason=reason)
        totals.gauge(pipeline.SERIES_SHOWN, sheet.series)
        yield from sheet.families()
        yield from totals.families()

    def _models(self, sheet: Sheet, snapshot: Snapshot, *, now: float) -> None:
        self._activity.note(snapshot)
        deaf = self._activity.deaf(snapshot, now=now)
        summaries = {
            summary.model: as_of_now(summary, self._activity, now=now, deaf=deaf)
            for summary in self._summaries.of(snapshot.models)
        }
        self._shown.forget(now=now)
        self._admit(summaries.keys() | snapshot.specs.keys())
        for name in self._admitted:
            sheet.gauge(models.MODEL_EXPECTED, 1, model=name)
            sheet.gauge(models.SPEC_STORED, snapshot.specs.get(name), model=name)
        # The cap takes from the end: first what fires, then as they came, last what was hardly any.
        ordered = sorted(
            (summaries[name] for name in self._admitted if name in summaries),
            key=lambda summary: (summary.passing, not summary.firing),
        )
        live = {s.model: set(self._activity.live_versions(s, now=now)) for s in ordered}
        for summary in ordered:
            _put_model(sheet, summary, live[summary.model])
        shown = [(m, s) for m in ordered for s in m.series if s.version in live[m.model]]
        for model, series in shown:
            _put_latency(sheet, model.model, series)
        for summary in ordered:
            put_criteria(sheet, summary)
            put_labels(sheet, summary)
            put_performance(sheet, summary, live[summary.model])
        self._judgements(sheet, shown, now=now)
        for summary in ordered:
            put_behaviour(sheet, summary)
            put_clients(sheet, summary, now=now)
        for model, series in shown:
            put_slices(sheet, model.model, series)
        put_learners(sheet, snapshot.learners)
        put_handled(sheet, snapshot, self._admitted, now=now)
        for summary in ordered:
            put_performance_slices(sheet, summary, live[summary.model])
        if len(ordered) * len(ALARM_COUNTERS) <= self._max_series * MOST_ZEROS:
            for summary in ordered:
                for kind, severity in ALARM_COUNTERS:
                    sheet.count(models.ALARMS, 0, model=summary.model, kind=kind, severity=severity)

    def _admit(self, names: Iterable[str]) -> None:
        present = set(names)
        for name in self._admitted.keys() - present:
            del self._admitted[name]
        for name in sorted(present):
            self._admitted.setdefault(name)

    def _judgements(
        self, sheet: Sheet, shown: Sequence[tuple[ModelSummary, SeriesSummary]], *, now: float
    ) -> None:
        chosen = [
            (model, series, self._shown.choose(model.model, series, now=now))
            for model, series in shown
        ]
        # The gravest of each first, so that a cap takes the tenth of all before any's first.
        for place in range(max((len(features) for *_, features in chosen), default=0)):
            for model, series, features in chosen:
                if place < len(features):
                    feature = features[place]
                    judgement = feature.judgement
                    if judgement is None:
                        continue
                    labels = {**_labels(model.model, series), "feature": feature.name}
                    labels["detector"] = judgement.detector
                    state = "no_data" if series.silent else judgement.state
                    sheet.states(models.DETECTOR_STATE, state, STATES, **labels)
                    if series.silent:
                        continue
                    sheet.gauge(models.DRIFT_SEVERITY, judgement.severity, **labels)
                    sheet.gauge(models.DRIFT_SCORE, judgement.value, **labels)
                    sheet.gauge(models.DRIFT_THRESHOLD, judgement.threshold, **labels)
        for model, series, _ in chosen:
            for feature_name, detector in series.poisoned:
                labels = {**_labels(model.model, series), "feature": feature_name}
                state = "no_data" if series.silent else "poisoned"
                sheet.states(models.DETECTOR_STATE, state, STATES, **labels, detector=detector)
        for model, series, features in chosen:
            for feature in () if series.silent else features:
                for ratio, value in feature.ratios.items():
                    labels = {**_labels(model.model, series), "feature": feature.name}
                    sheet.gauge(_RATIOS[ratio], value, **labels)


def _labels(model: str, series: SeriesSummary) -> dict[str, str]:
    return {"model": model, "version": series.version, "step": series.step}


def _put_model(sheet: Sheet, model: ModelSummary, live: set[str]) -> None:
    name = model.model
    for series in model.series:
        labels = _labels(name, series)
        for status, n in series.counts.items():
            if series.version in live:
                sheet.count(models.PREDICTIONS, n, **labels, status=status)
            else:
                sheet.hide(models.PREDICTIONS, n, reason="versions", **{**labels, "status": status})
        if series.version in live:
            sheet.states(models.MODEL_STATE, series.state, STATES, **labels)
            sheet.gauge(models.WINDOW_EVENTS, None if series.silent else series.window_n, **labels)
    if not model.series:
        # Nothing came yet but a label or feedback: no version is known, and nothing is healthy.
        sheet.states(models.MODEL_STATE, "no_data", STATES, model=name, version="", step="")
    sheet.count(models.LABELS, model.labels, model=name)
    sheet.count(models.LATE, model.late, model=name)
    sheet.count(models.UNMONITORED, model.unmonitored, model=name)
    sheet.count(models.FEATURES_DROPPED, model.features_dropped, model=name)
    for place, (kind, n) in enumerate(sorted(model.feedback.items())):
        many = place >= FEEDBACK_KINDS
        sheet.count(models.FEEDBACK, n, model=name, kind=OTHER if many else kind)
        sheet.dropped["feedback"] += many
    active: Counter[tuple[str, str]] = Counter(
        (alarm.kind, alarm.severity) for alarm in model.firing
    )
    for what, n in model.alarms_total.items():
        kind, _, severity = what.partition("/")
        sheet.count(models.ALARMS, n, model=name, kind=kind, severity=severity)
        # What once fired stays at 0: a series that vanishes is no answer.
        active.setdefault((kind, severity), 0)
    for (kind, severity), n in active.items():
        sheet.gauge(models.ALARMS_ACTIVE, n, model=name, kind=kind, severity=severity)
    sheet.gauge(models.LAST_EVENT, model.last_event, model=name)
    sheet.gauge(models.WATERMARK, model.watermark, model=name)
    sheet.gauge(models.SPEC_VERSION, model.spec_version, model=name)
    for step, since in model.silent_since.items():
        sheet.gauge(models.SILENT_SINCE, since, model=name, step=step)
    sheet.gauge(clients.LOST_EVENTS, model.lost_events, model=name)
    sheet.count(usage.FEEDBACK_ORPHANS, model.feedback_orphans, model=name)


def _put_latency(sheet: Sheet, model: str, series: SeriesSummary) -> None:
    if not series.latency:
        return
    bounds = sorted(series.latency)
    if len(bounds) > MANY_BOUNDS:
        bounds = [*bounds[:-1:2], bounds[-1]]
    buckets = {bound: series.latency[bound] for bound in bounds}
    sheet.histogram(models.LATENCY, buckets, series.latency_sum, **_labels(model, series))
