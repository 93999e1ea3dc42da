"""One model's month through the monitor, as events or as panes, and the usual recipe beside it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from load_tests.quiet.events import TOPIC, Events, draw_events
from load_tests.quiet.month import Stretch, stretches
from load_tests.quiet.pane_counts import PaneDrawer, means, pane_counts
from load_tests.quiet.recipes import Recipe
from load_tests.quiet.usual_recipe import UsualFeature
from streamgauge.batch.columns import group_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.contents import SeriesCounts
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.series import Series
from streamgauge.references.bins import NumericBins, numeric_bins
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.events import AlarmEvent, Event

Way = Literal["events", "panes"]
#: Events of a version after which its bins are drawn, with some to spare for what is missing.
WARM_UP = 2_000


class Task(NamedTuple):
    """One model's month to simulate."""

    recipe: Recipe
    way: Way
    days: float
    overrides: dict[str, Any]

    @property
    def cost(self) -> float:
        """About how long it takes, to start with the longest."""
        events = self.recipe.rate * self.days * 86_400.0
        pane: float = self.overrides.get("defaults", {}).get("pane", 10.0)
        panes = min(self.days * 86_400.0 / pane, events)
        return panes + (events / 25.0 if self.way == "events" else 0.0)


@dataclass
class Outcome:
    """What one model's month came to."""

    recipe: Recipe
    way: Way
    #: Whether its windows are those of the default, a minute if there are events enough.
    by_default: bool = False
    events: int = 0
    alarms: list[AlarmEvent] = field(default_factory=list)
    psi_alarms: int = 0
    adwin_alarms: int = 0
    seconds: float = 0.0


class DefaultBook:
    """No model is configured, except for the process' own defaults."""

    def __init__(self, overrides: Mapping[str, Any]) -> None:
        self._overrides = overrides

    def versions(self, model: str) -> Sequence[Configuration]:
        return ()

    def default(self, model: str) -> Configuration:
        return Configuration(ModelSpec.default(model, overrides=self._overrides))


def watch_task(task: Task) -> Outcome:
    """Let one model's month pass."""
    return watch(task.recipe, task.way, days=task.days, overrides=task.overrides)


def watch(recipe: Recipe, way: Way, *, days: float, overrides: Mapping[str, Any]) -> Outcome:
    """Let a model's days pass. ``overrides`` are a process' defaults, as in ``ModelSpec.over``."""
    started = time.perf_counter()
    shortest = DefaultBook(overrides).default(recipe.name).window.min_duration
    outcome = Outcome(recipe, way, by_default=shortest <= 60.0)
    if way == "events":
        _watch_events(recipe, outcome, days, overrides)
    else:
        _watch_panes(recipe, outcome, days, overrides)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _watch_events(
    recipe: Recipe, outcome: Outcome, days: float, overrides: Mapping[str, Any]
) -> None:
    book = DefaultBook(overrides)
    pane = book.default(recipe.name).window.pane
    monitor = PartitionMonitor(0, book=book)
    rng = np.random.default_rng([*recipe.seed, 2])
    usual = _UsualOnEvents()
    for stretch in stretches(recipe, pane=pane, days=days):
        events = draw_events(recipe, stretch, rng, pane=pane, offset=outcome.events)
        outcome.events += len(events.records)
        outcome.alarms += _firing(monitor.process(events.records).events)
        usual.take(events)
    outcome.psi_alarms, outcome.adwin_alarms = _sent(usual.features)


def _watch_panes(
    recipe: Recipe, outcome: Outcome, days: float, overrides: Mapping[str, Any]
) -> None:
    configuration = DefaultBook(overrides).default(recipe.name)
    pane = configuration.window.pane
    monitor = ModelMonitor(recipe.name, configuration, topic=TOPIC, partition=0)
    rng = np.random.default_rng([*recipe.seed, 2])
    drawer = PaneDrawer(recipe, rng)
    usual: dict[str, UsualFeature] = {}
    for stretch in stretches(recipe, pane=pane, days=days):
        start = 0
        while start < len(stretch.panes):
            ready = all(_ready(monitor, drawer, version) for version, _ in stretch.versions)
            # Until bins are drawn, pane by pane; then all that is left at once.
            end = len(stretch.panes) if ready else start + 1
            start += _pass(recipe, stretch.part(start, end), monitor, drawer, rng, outcome, usual)
    outcome.psi_alarms, outcome.adwin_alarms = _sent(usual)


def _pass(
    recipe: Recipe,
    stretch: Stretch,
    monitor: ModelMonitor,
    drawer: PaneDrawer,
    rng: np.random.Generator,
    outcome: Outcome,
    usual: dict[str, UsualFeature],
) -> int:
    """Let panes pass; return how many did before the monitor drew other bins."""
    pane = monitor.watermark.pane
    shares = np.array([share for _, share in stretch.versions])
    split = rng.multinomial(stretch.n, shares / shares.sum())
    drawn = {}
    for k, (version, _) in enumerate(stretch.versions):
        if not _ready(monitor, drawer, version):
            taken = np.minimum(split[:, k], WARM_UP)
            first = Stretch(stretch.panes, taken, stretch.paths, ((version, 1.0),))
            outcome.alarms += _observe(recipe, first, monitor, rng, outcome.events)
            outcome.events += int(taken.sum())
            split[:, k] -= taken
        if _ready(monitor, drawer, version):
            drawn[version] = drawer.draw(stretch, split[:, k], monitor.series[(version, "")])
    passed = 0
    for i, index in enumerate(stretch.panes.tolist()):
        watched = {version: monitor.series[(version, "")] for version in drawn}
        if not all(each.fits(watched[version]) for version, each in drawn.items()):
            break
        for version, each in drawn.items():
            if each.n[i]:
                made = pane_counts(each, i)
                made.reach(outcome.events, outcome.events + each.n[i] - 1)
                _put(watched[version], index, made, at=(index + 1) * pane)
                outcome.events += each.n[i]
        mark = monitor.watermark
        mark.event_max = mark.recorded_at = (index + 1) * pane
        outcome.alarms += _firing(monitor.advance((index + 1) * pane + mark.grace) or ())
        passed = i + 1
    for name in (column.name for column in recipe.features):
        all_versions = [each.targets[name] for each in drawn.values()]
        if all_versions and isinstance(all_versions[0].bins, NumericBins):
            feature = usual.setdefault(name, UsualFeature())
            together = sum(each.counts[:passed] for each in all_versions)
            feature.take(np.asarray(together), means(all_versions[0])[:passed])
    return passed


def _put(series: Series, pane: int, counts: SeriesCounts, *, at: float) -> None:
    if pane in series.panes:
        series.panes[pane].merge(counts)
    else:
        series.panes[pane] = counts
    series.totals.merge(counts.traffic)
    series.last_seen = at


def _observe(
    recipe: Recipe, stretch: Stretch, monitor: ModelMonitor, rng: np.random.Generator, offset: int
) -> list[AlarmEvent]:
    events = draw_events(recipe, stretch, rng, pane=monitor.watermark.pane, offset=offset)
    batch = group_by_model(decode_records(events.records)).get(recipe.name)
    if batch is None:
        return []
    before = np.concatenate((events.times[:1], events.times[:-1]))
    return _firing(monitor.observe(batch, before))


def _ready(monitor: ModelMonitor, drawer: PaneDrawer, version: str) -> bool:
    series = monitor.series.get((version, ""))
    return series is not None and drawer.ready(series.targets)


class _UsualOnEvents:
    """The recipe on events: fine bins from the first of them, then counts by pane."""

    def __init__(self) -> None:
        self.features: dict[str, UsualFeature] = {}
        self._bins: dict[str, NumericBins] = {}

    def take(self, events: Events) -> None:
        if not len(events.panes):
            return
        _, rows = np.unique(events.panes, return_inverse=True)
        for name, values in events.numbers.items():
            given = np.isfinite(values)
            present, row = values[given], rows[given]
            if name not in self._bins:
                self._bins[name] = numeric_bins(present)
                self.features[name] = UsualFeature()
            bins, k = self._bins[name], int(rows[-1]) + 1
            place = row * bins.size + bins.place(present)
            counts = np.bincount(place, minlength=k * bins.size).reshape(k, bins.size)
            n = counts.sum(axis=1)
            mean = np.bincount(row, present, k) / np.maximum(n, 1)
            self.features[name].take(counts, mean[n > 0])


def _sent(features: Mapping[str, UsualFeature]) -> tuple[int, int]:
    each = features.values()
    return sum(f.psi_alarms for f in each), sum(f.adwin_alarms for f in each)


def _firing(events: Iterable[Event]) -> list[AlarmEvent]:
    return [e for e in events if isinstance(e, AlarmEvent) and e.status == "firing"]
