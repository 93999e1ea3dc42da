"""What error detectors hear: each truth once, in prediction order, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamgauge.alarms.policy import AlarmPolicy
from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.monitor.judge import alpha
from streamgauge.monitor.truth.concept import DEFAULT_DETECTORS
from streamgauge.monitor.truth.scored import Scored
from streamgauge.monitor.truth.series import Batch, TruthSeries
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack
from streamgauge_client.events import AlarmEvent
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.truths import SPEC, Answer, answers, label, labels, merged, predictions

DAY, MONTH = 86_400.0, 30 * 86_400.0
DETECTORS = ["adwin", "ddm", "eddm", "hddm_a", "hddm_w", "page_hinkley"]


def rising(n: int = 4000) -> list[Answer]:
    return answers(n, error=lambda i: 0.05 if i < n // 2 else 0.4)


def watched(**changes: Any) -> PartitionMonitor:
    named = {"labels": {"detectors": [{"name": name} for name in DETECTORS]}}
    spec = ModelSpec.from_document({**SPEC, **named, **changes})
    return monitor(Configuration(spec, number=1))


def heard(made: PartitionMonitor) -> tuple[bytes, dict[str, list[float]]]:
    """The state of what listens to errors, and when it heard a change."""
    concept = made._models["fraud"].truth.truth.series["1", ""].concept
    return pack(concept.state()), concept.times


def listened(log: Sequence[LogRecord]) -> tuple[bytes, dict[str, list[float]]]:
    made = watched()
    drive(made, log, cuts=range(500, len(log), 500))
    made.advance(START + 1000.0)
    return heard(made)


def fired_at(log: Sequence[LogRecord]) -> tuple[str, float]:
    """The first alarm of concept drift, and the time of the record that made it."""
    made = watched()
    for start in range(0, len(log), 20):
        chunk = log[start : start + 20]
        for event in made.process(chunk).events:
            if isinstance(event, AlarmEvent) and event.kind == "concept_drift":
                at = chunk[-1].timestamp
                assert at is not None
                return event.alarm_id, at
    raise AssertionError("no alarm")


def test_a_frozen_model_and_a_constant_delay_are_heard_alike_and_later_by_the_delay() -> None:
    said = rising()
    prompt, late = (merged(predictions(said), labels(said, delay=d)) for d in (0.0, 7.5))
    assert listened(prompt) == listened(late)
    assert sum(map(len, listened(prompt)[1].values())) >= 3
    one, other = fired_at(prompt), fired_at(late)
    assert other[0] == one[0]
    assert other[1] - one[1] == pytest.approx(7.5, abs=0.2)


def test_predictions_without_a_label_never_touch_a_detector() -> None:
    said = rising(3000)
    full = merged(predictions(said), labels(said))
    others = [
        prediction(50_000 + i, START + i / 100 + 0.001, {"x": 1.0}, output=0.9)
        for i in range(0, 3000, 3)
    ]
    assert listened(merged(full, others)) == listened(full)


def test_repeated_corrected_and_outdated_labels_are_heard_once() -> None:
    said = rising(3000)
    once = [label(i, START + i / 100 + 0.5, i, t, revision=1) for i, (_, t) in enumerate(said)]
    again = [each._replace(offset=each.offset + 10_000) for each in once]
    later = [
        label(20_000 + i, START + i / 100 + 5.0, i, not t, revision=2)
        for i, (_, t) in enumerate(said)
        if i % 5 == 0
    ]
    outdated = [label(30_000 + i, START + i / 100 + 3.0, i, not said[i][1]) for i in range(3000)]
    quiet = listened(merged(predictions(said), once))
    assert listened(merged(predictions(said), once, again, later, outdated)) == quiet


Errors = NDArray[np.float64]


def windows_to_alarm(rate: Errors, times: Errors, *, seed: int, change: int = 0) -> list[float]:
    """Windows of 500 labels from ``change`` on to each alarm, with the defaults of a month."""
    rng, n = np.random.default_rng(seed), len(times)
    wrong, truth = rng.random(n) < rate, (rng.random(n) < 0.3).astype(np.intp)
    said = np.where(wrong, 1 - truth, truth)
    series, policy, none = TruthSeries("1", ""), AlarmPolicy(), np.full(n, np.nan)
    scored = Scored(
        np.arange(n), np.ones(n), said, truth, wrong.astype(np.float64), none, none, none, none
    )
    found = []
    for closed in series.take(
        "binary",
        Batch(times, np.arange(n), np.ones(n), scored, [()] * n, [()] * n, {}),
        least=60.0,
        needed=500,
        wanted=DEFAULT_DETECTORS,
        scores={},
        alpha=alpha(1.0, targets=1, duration=60.0),
        settles_after=DAY,
    ):
        edge = policy.judge("concept_drift", closed.span, closed.findings)
        if edge is not None and edge.status == "firing":
            found.append((closed.row + 1 - change) / 500)
    return found


def month(n: int = 30_000) -> Errors:
    return np.sort(np.random.default_rng(0).uniform(0.0, MONTH, n))


def steady(times: Errors, rng: np.random.Generator) -> Errors:
    return np.full(len(times), 0.1)


def seasonal(times: Errors, rng: np.random.Generator) -> Errors:
    weekend = (times // DAY) % 7 >= 5
    found: Errors = 0.08 * (1 + 0.4 * np.sin(2 * np.pi * times / DAY) + 0.3 * weekend)
    return found


def moody(times: Errors, rng: np.random.Generator) -> Errors:
    """Errors that come in spells of a thousand predictions, a third more or less."""
    level, keep = np.zeros(len(times)), 0.999
    for i, shock in enumerate(rng.normal(size=len(times)) * 0.3 * np.sqrt(1 - keep**2)):
        level[i] = keep * level[i - 1] + shock
    found: Errors = 0.08 * np.exp(level - 0.045)
    return found


@pytest.mark.parametrize(
    ("rate", "most"),
    [
        pytest.param(steady, 0, id="steady"),
        pytest.param(seasonal, 2, id="seasonal"),
        pytest.param(moody, 10, id="moody"),
    ],
)
def test_a_month_without_a_change_has_one_false_alarm_at_most(
    rate: Callable[[Errors, np.random.Generator], Errors], most: int
) -> None:
    # Ten months each; measured: 0, 0 and 4.
    times = month()
    alarms = [
        len(windows_to_alarm(rate(times, np.random.default_rng(100 + seed)), times, seed=seed))
        for seed in range(10)
    ]
    assert sum(alarms) <= most


@pytest.mark.parametrize(("before", "after"), [(0.05, 0.15), (0.2, 0.3)])
def test_errors_that_rise_by_a_tenth_are_found_within_a_few_windows(
    before: float, after: float
) -> None:
    times, change = month(24_000), 12_000
    rate = np.where(np.arange(len(times)) < change, before, after)
    found = [windows_to_alarm(rate, times, seed=seed, change=change) for seed in range(8)]
    assert all(0 < each[0] <= 5 for each in found)
