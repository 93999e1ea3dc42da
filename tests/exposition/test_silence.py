"""What sends no more: the metrics and the console say no data, both at the same moment."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.exposition.activity import Activity
from streamgauge.exposition.collector import ViewCollector
from streamgauge.exposition.source import Reading
from streamgauge.state.views import DetectorView, ModelView, SeriesView
from tests.console.screens import MONITOR
from tests.console.screens import Shown as Screens
from tests.exposition.builders import NOW, alarm, feature, model, partition, reading, series

VERSION = {"model": "fraud", "version": "1", "step": ""}
AMOUNT = {**VERSION, "feature": "amount", "detector": "js"}


class Shown:
    """Metrics and console over one activity, as the exporter wires them."""

    def __init__(self) -> None:
        self.at = NOW
        self.reading = Reading()
        activity = Activity()
        self.registry = CollectorRegistry()
        self.registry.register(
            ViewCollector(lambda: self.reading, activity=activity, clock=lambda: self.at)
        )
        self._screens = Screens(activity=activity)

    def look(self, *views: ModelView, at: float, monitor: bool = True) -> Shown:
        """Read these views at a moment."""
        self.at = at
        processes = (MONITOR,) if monitor else ()
        self.reading = reading(views, [partition()], read_at=at, processes=processes)
        return self

    def states(self, name: str, **labels: str) -> set[str]:
        return {
            sample.labels["state"]
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == f"streamgauge_{name}"
            and sample.value
            and labels.items() <= sample.labels.items()
        }

    def families(self) -> set[str]:
        return {family.name for family in self.registry.collect() if family.samples}

    def row(self) -> tuple[str, str]:
        """The status that the console gives the model, and why."""
        row = self._screens.take(self.reading, at=self.at).row()
        return row["status"], row["why"]

    def severity(self) -> float | None:
        severity: float | None = self._screens.take(self.reading, at=self.at).row()["severity"]
        return severity


def judged(seconds: float, **options: Any) -> SeriesView:
    """A series whose last judged window lasted so long."""
    return series(**{"window_start": NOW - 2 - seconds, **options})


@pytest.mark.parametrize(("window", "patience"), [(5, 60), (60, 180), (3600, 10_800)])
def test_verdicts_hold_for_three_windows_and_for_a_minute_at_least(
    window: float, patience: float
) -> None:
    # Given a model whose last window was fine, and which sends no more
    view = model(series=[judged(window)])
    shown = Shown().look(view, at=NOW)
    shown.states("model_state")
    silence_begins = NOW - 1
    # When its silence is not yet longer than its patience, Then the verdict holds, on both
    shown.look(view, at=silence_begins + patience)
    assert shown.states("model_state", **VERSION) == {"ok"}
    assert shown.row() == ("ok", "")
    # and a second later it does not, on both
    shown.look(view, at=silence_begins + patience + 1)
    assert shown.states("model_state", **VERSION) == {"no_data"}
    status, why = shown.row()
    assert status == "no data"
    assert why.startswith("for ")


def test_a_silent_model_shows_no_number_of_its_last_window() -> None:
    # Given a model that shows all there is, eight hours after its last event
    broken = DetectorView(series="amount", detector="adwin", state="poisoned", samples=9, needed=5)
    view = model(series=[series(detectors=[broken])])
    numbers = {
        f"streamgauge_{name}"
        for name in (
            "drift_severity_ratio",
            "drift_score",
            "drift_threshold",
            "feature_missing_ratio",
            "window_events",
        )
    }
    shown = Shown().look(view, at=NOW)
    assert numbers <= shown.families()
    shown.look(view, at=NOW + 8 * 3600)
    # Then neither model nor feature nor detector is well, and what was counted is still there
    assert not numbers & shown.families()
    assert shown.states("model_state", **VERSION) == {"no_data"}
    assert shown.states("detector_state", **AMOUNT) == {"no_data"}
    assert shown.states("detector_state", **{**AMOUNT, "detector": "adwin"}) == {"no_data"}
    assert "streamgauge_predictions" in shown.families()
    assert shown.row() == ("no data", "for 8 h")
    assert shown.severity() is None


def test_what_an_exporter_never_saw_alive_is_silent_from_its_first_scrape() -> None:
    # Given versions that stopped, one with a judged window and one without
    view = model(
        last_event=NOW - 9_000,
        series=[series("1", window_end=NOW - 9_000), series("2", window_end=None)],
    )
    shown = Shown().look(view, at=NOW)
    assert shown.states("model_state") == {"no_data"}


def test_a_model_that_backfills_is_alive() -> None:
    old = model(last_event=NOW - 1e7, series=[series(window_end=NOW - 1e7, ok=100)])
    more = model(last_event=NOW - 1e7, series=[series(window_end=NOW - 1e7, ok=200)])
    shown = Shown().look(old, at=NOW)
    assert shown.states("model_state") == {"no_data"}
    shown.look(more, at=NOW + 1)
    assert shown.states("model_state") == {"ok"}
    assert shown.row()[0] == "ok"


def test_a_model_of_which_only_labels_came_has_no_data() -> None:
    shown = Shown().look(model(series=[], last_event=None, labels=3), at=NOW)
    assert shown.states("model_state", model="fraud") == {"no_data"}
    assert shown.row() == ("no data", "no prediction yet")


def test_the_version_before_a_deploy_does_not_make_its_model_silent() -> None:
    def views(new: int) -> ModelView:
        return model(series=[judged(5, version="1"), judged(5, version="2", ok=new)])

    shown = Shown().look(views(100), at=NOW)
    shown.states("model_state")
    shown.look(views(200), at=NOW + 100)
    # Then the old one's state says so, and the model is well
    assert shown.states("model_state", version="1") == {"no_data"}
    assert shown.states("model_state", version="2") == {"ok"}
    assert shown.row()[0] == "ok"


def test_a_step_that_falls_silent_is_seen() -> None:
    def views(rank: int) -> ModelView:
        return model(
            series=[judged(5, step="rank", ok=rank), judged(5, step="find", features=[feature()])]
        )

    shown = Shown().look(views(100), at=NOW)
    shown.states("model_state")
    shown.look(views(200), at=NOW + 100)
    assert shown.states("model_state", step="find") == {"no_data"}
    assert shown.states("model_state", step="rank") == {"ok"}
    status, why = shown.row()
    assert status == "no data"
    assert why.startswith("a step is silent for")


def test_an_open_alarm_of_a_silent_model_stays_open() -> None:
    view = model(series=[judged(5, state="firing")], alarms=[alarm()])
    shown = Shown().look(view, at=NOW)
    shown.states("model_state")
    shown.look(view, at=NOW + 100)
    assert shown.states("model_state", **VERSION) == {"no_data"}
    labels = {"model": "fraud", "kind": "feature_drift", "severity": "warning"}
    assert shown.registry.get_sample_value("streamgauge_alarms_active", labels) == 1
    assert shown.row() == ("firing", "no data for 101 s")


def test_without_a_monitor_nothing_is_well() -> None:
    # Given a monitor that reported itself, and stopped
    shown = Shown().look(model(), at=NOW)
    assert shown.states("model_state") == {"ok"}
    shown.look(model(), at=NOW + 20, monitor=False)
    # Then no verdict is of now, although the model's own patience is not over
    assert shown.states("model_state") == {"no_data"}
    assert shown.row()[0] == "no monitor"
