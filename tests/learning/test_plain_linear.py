"""The plain linear model beside: a gap that is told, and nothing else that is changed by it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streamgauge.learning.model_learner import ModelLearner
from streamgauge.learning.partition_learner import PartitionLearner
from streamgauge.learning.plain_linear import FIRST, ONE_IN
from streamgauge.learning.view import learner_view
from streamgauge.monitor import Configuration
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.learner_views import PlainView
from tests.learning.test_partition_learner import KEY, SPEC, alarm, feed, learner, stream
from tests.monitor.streams import START, Book, prediction
from tests.monitor.truths import label, merged

ALONE: dict[str, Any] = {"baseline": "linear"}


def inside(made: PartitionLearner) -> ModelLearner:
    return made._models["fraud"]


def plain(made: PartitionLearner) -> PlainView:
    found = learner_view(inside(made), 0).plain
    assert found is not None
    return found


@pytest.mark.parametrize(("wrong", "better"), [(0.3, False), (0.0, True)])
def test_it_is_told_how_much_better_a_model_is_than_it(wrong: float, better: bool) -> None:
    # Given a truth that is a line through two features, and a model that nobody challenges
    events, labels = stream(900, champion=wrong)
    made = learner(learning=ALONE)

    effects = feed(made, merged(events, labels))

    # Then the plain one has learned the line, and both were scored on the same predictions
    view = plain(made)
    assert view.learned == 900 and view.estimator == "logistic_regression"
    assert view.loss is not None and view.loss < 0.1
    assert view.champion_loss == pytest.approx(wrong, abs=0.05)
    assert view.gap is not None and (view.gap > 0) == better
    # and that it is better has made it no champion
    assert not effects.events and inside(made).championship.comparisons == 0


def test_contests_are_the_same_with_it_and_without() -> None:
    log = merged(*stream(2500, champion=0.3))
    told = []
    for word in ("linear", "none"):
        made = learner(learning={**SPEC["learning"], "baseline": word})
        effects = feed(made, log)
        told.append((effects.events, inside(made).championship.state()))
    assert told[0] == told[1] and told[0][0]


def test_challengers_have_one_beside_without_a_word() -> None:
    made = learner()
    feed(made, merged(*stream(100, champion=0.3)))
    assert plain(made).learned == 100


def test_of_a_long_stream_it_sees_a_part() -> None:
    n = FIRST + 2000
    made = learner(learning=ALONE)
    feed(made, merged(*stream(n, champion=0.3)))
    assert plain(made).learned == pytest.approx(FIRST + 2000 / ONE_IN, abs=60)
    assert plain(made).champion_loss == pytest.approx(0.3, abs=0.05)


def test_it_learns_nothing_from_inputs_that_an_alarm_is_open_on() -> None:
    made = learner(learning=ALONE)
    broken = alarm(0, START + 2.0, firing=True)
    feed(made, merged(*stream(900, champion=0.3), [broken]))
    assert 100 < plain(made).learned < 250


def test_with_hundreds_of_features_its_steps_stay_small_enough() -> None:
    # Given a regression on 200 features, where River's default step would grow without end
    rng = np.random.default_rng(3)
    x = rng.normal(size=(900, 200))
    truth = 1000.0 * (x[:, 0] - x[:, 1])
    events: list[LogRecord] = []
    labels: list[LogRecord] = []
    for i, (row, true) in enumerate(zip(x, truth.tolist(), strict=True)):
        features = {f"f{k}": float(value) for k, value in enumerate(row)}
        at = START + i / 100
        events.append(prediction(i, at, features, output=0.0))
        labels.append(label(i, at + 0.1, i, true))
    made = learner(task="regression", learning=ALONE)

    feed(made, merged(events, labels))

    view = plain(made)
    assert not view.halted and view.gap is not None and view.gap < 0


def test_a_spec_that_does_without_it_takes_it_out_of_the_state() -> None:
    specs = [
        Configuration(ModelSpec.from_document({**SPEC, "learning": learning}), number, START + at)
        for number, at, learning in [
            (1, -10.0, SPEC["learning"]),
            (2, 3.0, {**SPEC["learning"], "baseline": "none"}),
        ]
    ]
    made = PartitionLearner(0, book=Book(*specs), key=KEY)
    log = merged(*stream(500, champion=0.3))
    feed(made, log[:200])
    part = next(name for name in made.dirty().blobs if name.endswith(".t"))

    feed(made, log[200:])

    assert made.dirty().blobs[part] == b""
    assert learner_view(inside(made), 0).plain is None


def test_a_state_from_before_there_was_one_goes_on() -> None:
    made = learner()
    feed(made, merged(*stream(100, champion=0.3)))
    before = ModelLearner(inside(made).spec)
    parts = inside(made).changed_parts()
    del parts["t"]
    before.restore(inside(made).state()[:12], parts)
    assert before.learned == 100 and before.plain is not None and before.plain.pipeline is None
