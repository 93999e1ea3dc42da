"""The parts of the demo: its data, its story, its ledger, and the recipe that it compares with."""

from __future__ import annotations

import re

import numpy as np
import pytest

from services.stack.demo import figures, quiet
from services.stack.demo.classifier import AnomalyClassifier
from services.stack.demo.data import TRAINING, Reading, readings
from services.stack.demo.ledger import Ledger, sentence
from services.stack.demo.recipe import WINDOW, UsualRecipe, population_stability
from services.stack.demo.reference import build
from services.stack.demo.screen import PlainLines
from services.stack.demo.story import MISSING_SENSOR, UNIT_SENSOR, Phase, Sensors, Story
from streamgauge.state.reader import Snapshot
from streamgauge.state.views import (
    AlarmView,
    FeatureView,
    JudgementView,
    ModelView,
    PartitionView,
    SeriesView,
)
from streamgauge_client import AlarmEvent


@pytest.fixture(scope="module")
def data() -> list[Reading]:
    return readings()


def test_the_data_is_whole(data: list[Reading]) -> None:
    assert len(data) == 49_097
    assert list(data[0].features) == [f"sensor_{n}" for n in range(1, 10)]
    assert sum(reading.anomaly for reading in data) == 3_511


def test_the_classifier_is_worth_watching(data: list[Reading]) -> None:
    classifier = AnomalyClassifier(data[:TRAINING])
    sample = data[TRAINING : TRAINING + 10_000]
    right = [(classifier.probability(r.features) > 0.5) == r.anomaly for r in sample]
    assert np.mean(right) > 0.99


def test_a_missing_sensor_counts_as_its_mean(data: list[Reading]) -> None:
    classifier = AnomalyClassifier(data[:TRAINING])
    without = {**data[0].features, "sensor_7": None}
    mean = float(np.mean([r.features["sensor_7"] for r in data[:TRAINING]]))
    assert classifier.probability(without) == pytest.approx(
        classifier.probability({**data[0].features, "sensor_7": mean})
    )


def test_the_reference_describes_features_and_output(data: list[Reading]) -> None:
    profile = build("m", "1", data[:TRAINING])
    assert profile.n == TRAINING
    assert set(profile.targets) == {*data[0].features, "output.score", "output.label"}
    assert profile.id == build("m", "1", data[:TRAINING]).id


@pytest.mark.parametrize("seconds", [90.0, 180.0, 600.0])
def test_the_story_leaves_room_for_judgement(seconds: float) -> None:
    # A window takes five seconds; two of three must exceed, and two must be below again.
    story = Story(seconds)
    times = [t / 10 for t in range(int(seconds) * 10)]
    order = list(dict.fromkeys(story.phase(t) for t in times))
    assert order == ["quiet", "unit", "healed", "missing", "well", "concept"]
    spans = {phase: sum(story.phase(t) == phase for t in times) / 10 for phase in order}
    assert spans["quiet"] >= 10 and spans["unit"] >= 13 and spans["healed"] >= 14
    # Labels come two seconds late, errors are judged, and a challenger wins some rounds.
    assert spans["concept"] >= 35
    assert [story.deployed(t) for t in (0, seconds)] == [False, True]


def test_a_shorter_demo_still_tells_of_both_faults() -> None:
    begins = Story(60.0).begins
    assert begins["healed"] - begins["unit"] >= 13 and begins["missing"] - begins["healed"] >= 14
    assert begins["concept"] < 60


@pytest.mark.parametrize("phase", ["quiet", "healed", "well"])
def test_in_a_quiet_phase_the_sensors_tell_the_truth(phase: Phase, data: list[Reading]) -> None:
    assert Sensors().report(data[0].features, phase) == data[0].features


def test_the_changed_unit_changes_one_sensor(data: list[Reading]) -> None:
    before = data[0].features
    after = Sensors().report(before, "unit")
    assert after[UNIT_SENSOR] == pytest.approx(before[UNIT_SENSOR] * 1.8 + 32)
    assert {k: v for k, v in after.items() if k != UNIT_SENSOR} == {
        k: v for k, v in before.items() if k != UNIT_SENSOR
    }


def test_the_burst_drops_a_share_of_one_sensor(data: list[Reading]) -> None:
    sensors = Sensors()
    reported = [sensors.report(reading.features, "missing") for reading in data[:2000]]
    silent = [name for report in reported for name, value in report.items() if value is None]
    assert set(silent) == {MISSING_SENSOR}
    assert len(silent) / len(reported) == pytest.approx(0.4, abs=0.04)


def test_the_thermostat_has_whole_days_and_memory() -> None:
    thermostat = quiet.Thermostat()
    times = np.arange(6_000) / 150
    outside = np.array([float(thermostat.event(t)[0]["outside_celsius"]) for t in times])
    # Its days are alike, its moments are not: and what one moment was, the next one knows.
    days = outside.reshape(-1, int(quiet.DAY_SECONDS * 150))
    assert np.ptp(days.mean(axis=1)) < 0.6
    season = days.mean(axis=0)
    assert np.ptp(season) > 8
    noise = (days - season).ravel()
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] > 0.7


def alarm(
    model: str, status: str, *, kind: str = "feature_drift", feature: str = "x"
) -> AlarmEvent:
    return AlarmEvent.model_validate(
        {
            "alarm_id": f"{model}-{kind}-{status}",
            "fingerprint": f"{model}-{kind}",
            "status": status,
            "severity": "warning",
            "kind": kind,
            "scope": {},
            "model": model,
            "feature": feature,
            "summary": f"{model}: {feature} moved",
        }
    )


def test_the_ledger_parts_alarms_before_the_fault_from_those_after_it() -> None:
    ledger = Ledger(model="real", quiet_model="quiet")
    # Given an alarm before anything happened, and one of somebody else's model
    ledger.enter(alarm("real", "firing", kind="latency"), arrived=5, fault_at=None)
    ledger.enter(alarm("other", "firing"), arrived=6, fault_at=None)
    # When the fault comes, and alarms after it
    ledger.enter(
        alarm("real", "firing", kind="prediction_drift", feature="output.score"),
        arrived=17.5,
        fault_at=10,
    )
    ledger.enter(alarm("real", "firing", feature="sensor_3"), arrived=18, fault_at=10)
    ledger.enter(alarm("real", "resolved", feature="sensor_3"), arrived=30, fault_at=10)
    # Then each is counted as what it is
    assert (ledger.alarms_before_fault, ledger.quiet_model_alarms) == (1, 0)
    assert (ledger.fired, ledger.resolved, ledger.open) == (3, 1, 2)
    assert (ledger.first_feature, ledger.seconds_to_alarm) == ("sensor_3", 7.5)
    assert sentence(alarm("real", "firing")) == "▲ FIRING   real: x moved"


def test_the_ledger_never_takes_a_quiet_alarm_for_the_answer() -> None:
    ledger = Ledger(model="real", quiet_model="quiet")
    ledger.enter(alarm("quiet", "firing"), arrived=12, fault_at=10)
    assert (ledger.quiet_model_alarms, ledger.first_feature) == (1, None)
    assert ledger.seconds_to_alarm is None


def test_population_stability_is_the_textbook_formula() -> None:
    reference, current = np.repeat([0.0, 1.0], [50, 50]), np.repeat([0.0, 1.0], [80, 20])
    expected = 0.3 * np.log(0.8 / 0.5) + -0.3 * np.log(0.2 / 0.5)
    assert population_stability(reference, current, np.array([0.5])) == pytest.approx(expected)


def test_the_usual_recipe_hears_a_shift_and_counts_it() -> None:
    rng = np.random.default_rng(1)
    recipe = UsualRecipe(reference={"x": rng.normal(size=5_000).tolist()})
    for value in rng.normal(size=2 * WINDOW):
        recipe.observe({"x": float(value), "mode": "heat", "on": True, "gone": None})
    assert recipe.alarms == 0
    for value in rng.normal(1.0, size=2 * WINDOW):
        recipe.observe({"x": float(value)})
    # Two windows by PSI, and ADWIN at least once
    assert recipe.alarms >= 3


def test_the_usual_recipe_cries_at_a_season() -> None:
    thermostat = quiet.Thermostat()
    recipe = UsualRecipe()
    for index in range(6_000):
        recipe.observe(thermostat.event(index / 150)[0])
    assert recipe.alarms > 10


@pytest.fixture
def snapshot() -> Snapshot:
    judged = [
        JudgementView(target="a", detector="js", state="ok", severity=0.4),
        JudgementView(target="b", detector="js", state="firing", severity=2.5),
        JudgementView(target="c", detector="js", state="warming"),
    ]
    old = SeriesView(version="1", window_end=10.0, rate=5.0, counts={"ok": 7})
    new = SeriesView(
        version="2",
        window_end=20.0,
        rate=99.0,
        counts={"ok": 3, "error": 1},
        latency_quantiles={"0.5": 0.001, "0.95": 0.004},
        state="ok",
        features=[FeatureView(name="b", type="numeric", judgements=judged)],
    )
    opened = AlarmView(
        fingerprint="f",
        kind="feature_drift",
        status="firing",
        severity="warning",
        severity_ratio=2.5,
        summary="b moved",
        starts_at=1.0,
        alarm_id="a",
    )
    return Snapshot(
        read_at=21.0,
        models=(
            ModelView(model="real", partition=0, series=[old, new], alarms=[opened]),
            ModelView(model="other", partition=1, series=[old]),
        ),
        partitions=(("g", PartitionView(partition=0, dead={"schema": 2, "decode": 1})),),
    )


def test_a_row_shows_the_newest_version_and_the_worst_judgement(snapshot: Snapshot) -> None:
    real, unknown = figures.rows(["real", "unknown"], snapshot)
    assert (real.rate, real.p95_seconds, real.open_alarms) == (99.0, 0.004, 1)
    assert (real.severity, real.target) == (2.5, "b")
    assert (unknown.rate, unknown.severity, unknown.state) == (None, None, "warming")


def test_counts_are_those_of_the_demos_models_alone(snapshot: Snapshot) -> None:
    assert figures.counted(["real"], snapshot) == 11
    assert figures.dead(snapshot) == 3


def test_without_a_terminal_there_are_plain_lines(
    snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    with PlainLines() as screen:
        for _ in range(3):
            screen.show(figures.rows(["real"], snapshot), {"real": 4}, title="all is well")
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert printed.count("all is well") == 1
    assert re.search(
        r"real +99 events/s +p95 +4\.00 ms +worst input 2\.50 b +wrong +– +open alarms 1", printed
    )
