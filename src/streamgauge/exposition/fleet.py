"""Views of all partitions put together: one summary per model, over its shards."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

from streamgauge.exposition import behaviour, clients, slices, truths
from streamgauge.exposition.behaviour import BehaviourSummary
from streamgauge.exposition.truths import TruthSummary
from streamgauge.state.views import (
    AlarmView,
    ClientView,
    CriterionView,
    FeatureView,
    JudgementState,
    JudgementView,
    ModelView,
    SeriesView,
    SliceView,
)

STATES: tuple[JudgementState, ...] = get_args(JudgementState)
#: From harmless to bad. Of several shards the worst one speaks.
_RANK: dict[JudgementState, int] = {
    "ok": 0,
    "warming": 1,
    "too_few": 2,
    "no_data": 3,
    "pending": 4,
    "poisoned": 5,
    "firing": 6,
}
#: From harmless to bad, as of states.
VERDICTS = ("PASS", "UNDECIDED", "FAIL")
_SPEAKING = ("firing", "poisoned", "pending")
RATIOS = ("missing_ratio", "wrong_type_ratio", "out_of_range_ratio", "new_category_ratio")


@dataclass(frozen=True, slots=True)
class FeatureSummary:
    """One feature of one series: its gravest judgement, and ratios weighted by shard."""

    name: str
    judgement: JudgementView | None
    ratios: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """One (version, step): counts added up over shards, verdicts by the worst shard."""

    version: str
    step: str
    counts: dict[str, int]
    latency: dict[float, float]
    latency_sum: float
    p95: float | None
    state: JudgementState
    reason: str
    window_n: int
    window_end: float | None
    rate: float
    error_ratio: float | None
    features: tuple[FeatureSummary, ...]
    #: Online detectors that no longer work, by (series, detector).
    poisoned: tuple[tuple[str, str], ...]
    #: How long the last judged window was.
    window_seconds: float | None = None
    #: Nothing came for so long that the last verdict no longer holds.
    silent: bool = False
    #: Declared segments, the worst slice first.
    slices: tuple[SliceView, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def worst(self) -> FeatureSummary | None:
        """The feature of greatest severity, where any has one that holds."""
        if self.silent:
            return None
        judged = [f for f in self.features if f.judgement and f.judgement.severity is not None]
        return max(judged, key=gravity, default=None)


#: Fewer than these, ever, and then silence: nobody's model.
FEW_PREDICTIONS = 30


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """All that is known of a model."""

    model: str
    series: tuple[SeriesSummary, ...]
    alarms: tuple[AlarmView, ...]
    alarms_total: dict[str, int]
    feedback: dict[str, int]
    labels: int
    late: int
    unmonitored: int
    features_dropped: int
    last_event: float | None
    watermark: float | None
    spec_version: int | None
    behaviour: tuple[BehaviourSummary, ...] = ()
    interactions: int = 0
    feedback_orphans: int = 0
    lost_events: int = 0
    #: Each process by its newest heartbeat.
    clients: tuple[ClientView, ...] = ()
    #: Steps of which nothing comes, and since when; of several shards the one silent for longest.
    silent_since: dict[str, float] = field(default_factory=dict)
    criteria: tuple[CriterionView, ...] = ()
    #: None where no label ever came and none is expected.
    truth: TruthSummary | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing comes of any version or step."""
        return all(series.silent for series in self.series)

    @property
    def firing(self) -> tuple[AlarmView, ...]:
        return tuple(alarm for alarm in self.alarms if alarm.status == "firing")

    @property
    def passing(self) -> bool:
        """Whether it is hardly a model: a few predictions, and nothing comes any more.

        Names that a broken producer makes up must not stand before those that somebody runs.
        """
        seen = sum(sum(series.counts.values()) for series in self.series)
        return self.silent and seen < FEW_PREDICTIONS and not self.firing and not self.spec_version


def summarise(views: Iterable[ModelView]) -> list[ModelSummary]:
    """Put the shards of each model together, in the order of the models' names."""
    shards: dict[str, list[ModelView]] = defaultdict(list)
    for view in views:
        shards[view.model].append(view)
    return [_model(name, shards[name]) for name in sorted(shards)]


def worst_state(states: Iterable[JudgementState]) -> JudgementState:
    """The one that must be seen."""
    return max(states, key=_RANK.__getitem__, default="no_data")


def gravity(feature: FeatureSummary) -> tuple[int, float]:
    """How much a feature needs to be seen: defects and alarms, then verdicts by severity."""
    judgement = feature.judgement
    if judgement is None:
        return -2, 0.0
    if judgement.state in _SPEAKING:
        return _RANK[judgement.state], _severity(judgement)
    return (0, _severity(judgement)) if judgement.state == "ok" else (-1, _severity(judgement))


def _gravity(judgement: JudgementView) -> tuple[int, float]:
    """Which of one feature's judgements speaks for it.

    A missing verdict outranks an "ok": that no value is missing says nothing about drift, and a
    feature that can't be judged must not look healthy.
    """
    return _RANK[judgement.state], _severity(judgement)


def _severity(judgement: JudgementView) -> float:
    severity = judgement.severity
    return severity if severity is not None and math.isfinite(severity) else -1.0


def _model(name: str, views: Sequence[ModelView]) -> ModelSummary:
    series: dict[tuple[str, str], list[SeriesView]] = defaultdict(list)
    alarms_total: Counter[str] = Counter()
    feedback: Counter[str] = Counter()
    silent: dict[str, float] = {}
    for view in views:
        alarms_total.update(view.alarms_total)
        feedback.update(view.feedback)
        for step, since in view.silent.items():
            silent[step] = min(since, silent.get(step, since))
        for each in view.series:
            series[each.version, each.step].append(each)
    events = [v.last_event for v in views if v.last_event is not None]
    watermarks = [v.watermark for v in views if v.watermark is not None]
    specs = [v.spec_version for v in views if v.spec_version is not None]
    truth = truths.put_together(v.truth for v in views)
    of_errors = truth.judgements if truth is not None else {}
    return ModelSummary(
        model=name,
        series=tuple(_series(*key, series[key], of_errors.get(key, ())) for key in sorted(series)),
        alarms=tuple(alarm for view in views for alarm in view.alarms),
        alarms_total=dict(alarms_total),
        feedback=dict(feedback),
        labels=sum(v.labels for v in views),
        late=sum(v.late for v in views),
        unmonitored=sum(v.unmonitored for v in views),
        features_dropped=sum(v.features_dropped for v in views),
        last_event=max(events, default=None),
        watermark=min(watermarks, default=None),
        spec_version=min(specs, default=None),
        behaviour=behaviour.put_together(
            (judgement for view in views for judgement in view.behaviour), gravity=_gravity
        ),
        interactions=sum(v.interactions for v in views),
        feedback_orphans=sum(v.feedback_orphans for v in views),
        lost_events=sum(v.lost_events for v in views),
        clients=clients.newest(client for view in views for client in view.clients),
        silent_since=silent,
        criteria=_criteria(views),
        truth=truth,
    )


def _criteria(views: Sequence[ModelView]) -> tuple[CriterionView, ...]:
    """Each criterion once, as the shard has it on which it stands worst."""
    worst: dict[str, CriterionView] = {}
    for view in views:
        for each in view.criteria:
            known = worst.setdefault(each.name, each)
            if VERDICTS.index(each.state) > VERDICTS.index(known.state):
                worst[each.name] = each
    return tuple(worst.values())


def _series(
    version: str, step: str, views: Sequence[SeriesView], of_errors: Sequence[JudgementView]
) -> SeriesSummary:
    counts: Counter[str] = Counter()
    for view in views:
        counts.update(view.counts)
    state = worst_state(view.state for view in views)
    ends = [v.window_end for v in views if v.window_end is not None]
    lengths = [
        v.window_end - v.window_start
        for v in views
        if v.window_end is not None and v.window_start is not None
    ]
    lengths = [length for length in lengths if math.isfinite(length)]
    # Quantiles do not add up: the slowest shard stands for all.
    slow = [v.latency_quantiles["0.95"] for v in views if "0.95" in v.latency_quantiles]
    poisoned = {(d.series, d.detector) for v in views for d in v.detectors if d.state == "poisoned"}
    return SeriesSummary(
        version=version,
        step=step,
        counts=dict(counts),
        latency=_latency([view.latency_buckets for view in views]),
        latency_sum=sum(view.latency_sum for view in views),
        p95=max(slow, default=None),
        state=state,
        reason=next((v.reason for v in views if v.state == state and v.reason), ""),
        window_n=sum(view.window_n for view in views),
        window_end=max(ends, default=None),
        rate=sum(view.rate or 0.0 for view in views),
        error_ratio=_weighted([(view.error_ratio, view.window_n) for view in views]),
        features=_features(views, of_errors),
        poisoned=tuple(sorted(poisoned)),
        window_seconds=max(lengths, default=None),
        slices=slices.put_together(each for view in views for each in view.slices),
    )


def shown_name(name: str, judgement: JudgementView) -> str:
    """The name that a judgement of a feature goes by: against another version it is its own."""
    return f"release {name}" if judgement.kind == "release" else name


def _features(
    views: Sequence[SeriesView], of_errors: Sequence[JudgementView]
) -> tuple[FeatureSummary, ...]:
    """All that is judged; errors (concept drift) stand among it as a feature of that name."""
    judgements: dict[str, list[JudgementView]] = defaultdict(list)
    for judgement in of_errors:
        judgements[judgement.target].append(judgement)
    parts: dict[str, list[tuple[FeatureView, int]]] = defaultdict(list)
    for view in views:
        for feature in view.features:
            for judgement in feature.judgements:
                judgements[shown_name(feature.name, judgement)].append(judgement)
            parts[feature.name].append((feature, max(view.window_n, 1)))
        for judgement in view.judgements:
            judgements[shown_name(judgement.target, judgement)].append(judgement)
    return tuple(
        FeatureSummary(
            name=name,
            judgement=max(_judging(judgements[name]), key=_gravity, default=None),
            ratios=_ratios(parts[name]),
        )
        for name in sorted(judgements.keys() | parts.keys())
    )


def _judging(judgements: list[JudgementView]) -> list[JudgementView]:
    """Without what is measured and never judged, where anything else is: it would warm for ever."""
    verdicts = [
        each
        for each in judgements
        if not (each.state == "warming" and each.value is not None and each.threshold is None)
    ]
    return verdicts or judgements


def _ratios(parts: Sequence[tuple[FeatureView, int]]) -> dict[str, float]:
    found = {name: _weighted([(getattr(f, name), n) for f, n in parts]) for name in RATIOS}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _weighted(parts: Sequence[tuple[float | None, int]]) -> float | None:
    """The ratio over all shards, weighted by their events; None where no shard has it."""
    known = [(ratio, n) for ratio, n in parts if ratio is not None]
    events = sum(n for _, n in known)
    return sum(ratio * n for ratio, n in known) / events if events else None


def _latency(shards: Sequence[dict[str, int]]) -> dict[float, float]:
    """Cumulative counts by upper bound, added up.

    A bound that a shard lacks has there the count of the next lower one: nothing lay between.
    """
    parsed = [sorted(_bounds(buckets).items()) for buckets in shards]
    bounds = sorted({bound for shard in parsed for bound, _ in shard})
    if not bounds:
        return {}
    merged = dict.fromkeys([*bounds, math.inf], 0.0)
    for shard in parsed:
        count, position = 0, 0
        for bound in merged:
            while position < len(shard) and shard[position][0] <= bound:
                count = max(count, shard[position][1])
                position += 1
            merged[bound] += count
    return merged


def _bounds(buckets: dict[str, int]) -> dict[float, int]:
    parsed: dict[float, int] = {}
    for bound, count in buckets.items():
        try:
            value = float(bound)
        except ValueError:
            continue
        if not math.isnan(value):
            parsed[value] = count
    return parsed
