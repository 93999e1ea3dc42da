"""The quiet run in small: a few models, a few days, seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from load_tests.quiet import drifts
from load_tests.quiet.month import stretches
from load_tests.quiet.pane_counts import PaneDrawer
from load_tests.quiet.plan import plan, with_pane
from load_tests.quiet.recipes import NATURES, recipe
from load_tests.quiet.report import lines
from load_tests.quiet.watch_model import Outcome, Way, watch
from streamgauge.monitor.series import Series


def outcome(index: int, way: Way, *, days: float, rate: float, **more: Any) -> Outcome:
    made = replace(recipe(1, index, days=days), rate=rate, **more)
    overrides = with_pane(min(250 / rate, 3600.0), silence=way == "events")
    return watch(made, way, days=days, overrides=overrides)


@pytest.mark.parametrize("index", range(len(NATURES)), ids=NATURES)
def test_a_quiet_model_of_each_nature_says_nothing_in_days(index: int) -> None:
    # Given a model in which nothing happens; when three days pass; then nothing is said
    quiet = outcome(index, "panes", days=3.0, rate=0.2)
    assert [alarm.summary for alarm in quiet.alarms] == []
    assert quiet.events == pytest.approx(3 * 86_400 * 0.2, rel=0.5)


def test_events_and_panes_are_two_ways_to_the_same_end() -> None:
    # Given the same model, with one deploy, as events and as counts
    days, rate = 2.0, 0.1
    start = recipe(1, 0, days=days).start
    deploys = ((start, "1", False), (start + 86_400.0, "2", True))
    # When two days pass
    both = {
        way: outcome(0, way, days=days, rate=rate, deploys=deploys) for way in ("events", "panes")
    }
    # Then as many events were seen, and neither said anything
    assert both["events"].events == both["panes"].events
    assert [each.alarms for each in both.values()] == [[], []]


def test_counts_of_a_pane_are_distributed_as_its_events_are(monkeypatch: Any) -> None:
    # Given what the monitor learned of a model from its events
    learned: list[Series] = []
    draw = PaneDrawer.draw

    def keep(self: PaneDrawer, stretch: Any, n: Any, series: Series) -> Any:
        learned.append(series)
        return draw(self, stretch, n, series)

    monkeypatch.setattr(PaneDrawer, "draw", keep)
    made = replace(recipe(1, 5, days=0.5), rate=0.5)
    watch(made, "panes", days=0.5, overrides=with_pane(500.0, silence=False))
    series, rng = learned[-1], np.random.default_rng(3)
    stretch = next(iter(stretches(made, pane=500.0, days=0.5)))
    n = np.full(len(stretch.panes), 2_000)
    drawn = draw(PaneDrawer(made, rng), stretch, n, series)
    for column in made.features:
        # When the same panes are drawn as events and counted by the monitor's bins
        path = np.repeat(stretch.paths[column.name], 2_000 * len(n) // len(stretch.paths["level"]))
        values = column.values(rng, path)
        bins = series.targets[column.name].bins
        assert bins is not None
        counted = np.bincount(bins.place(values), minlength=bins.size)  # type: ignore[arg-type]
        # Then the shares are the same
        expected = drawn.targets[column.name].counts.sum(axis=0)
        shares, others = counted / counted.sum(), expected / expected.sum()
        assert np.abs(shares - others).max() < 0.01, column.name


def test_a_shift_in_one_of_twenty_features_is_found_in_time() -> None:
    task = drifts.drift_task(1, 0)
    quick = replace(task.recipe, rate=0.3)
    found = drifts.find(task._replace(recipe=quick, overrides=with_pane(800.0, silence=False)))
    assert drifts.in_time(found)
    assert found.false == 0


def test_a_plan_mixes_natures_rates_and_both_ways() -> None:
    tasks = plan(60, 30.0, 1)
    assert {task.recipe.nature for task in tasks} == set(NATURES)
    assert {task.way for task in tasks} == {"events", "panes"}
    assert min(t.recipe.rate for t in tasks) < 0.05 and max(t.recipe.rate for t in tasks) > 500
    assert [t.cost for t in tasks] == sorted((t.cost for t in tasks), reverse=True)


def test_the_last_line_has_the_figures() -> None:
    quiet = outcome(0, "panes", days=1.0, rate=0.05)
    quiet.psi_alarms, quiet.adwin_alarms = 3, 4
    rows = lines([quiet], days=1.0, budget=1.0)
    assert rows[-1] == "quiet: models=1 months=0.0333333 alarms=0 budget=0.0333333 naive_alarms=7"
