"""What stands between a label and the model."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.learning import guards as module
from streamgauge.learning.guards import REASONS, Guards
from streamgauge.learning.hold import Example, Hold
from streamgauge.learning.quota import Quota
from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.specs.learning import LearningSpec
from streamgauge.specs.scalars import day_start

NOON = day_start("2026-12-19") + 43_200.0


def spec(**said: Any) -> LearningSpec:
    return LearningSpec.model_validate(said)


def pipeline() -> Pipeline:
    return Pipeline(Plan(estimator="linear_regression", task="regression"))


def example(i: int, source: str = "", annotator: str = "") -> Example:
    return Example({"x": float(i)}, 2.0 * i, 1.0, source, annotator)


class TestTime:
    def test_days_that_are_frozen_are_frozen_from_their_first_second_to_their_last(self) -> None:
        guards, model = (
            Guards(spec(frozen=[{"from": "2026-12-20", "to": "2026-12-21", "reason": "holidays"}])),
            pipeline(),
        )
        first = day_start("2026-12-20")
        told = [
            guards.learn(model, example(1), at=at)
            for at in (first - 0.001, first, first + 2 * 86_400.0 - 0.001, first + 2 * 86_400.0)
        ]
        assert told == ["", "frozen", "frozen", ""]
        assert guards.refused == {"frozen": 2} and model.learned == 2

    def test_a_model_that_may_not_learn_does_not(self) -> None:
        guards, model = Guards(spec(allowed=False)), pipeline()
        assert guards.learn(model, example(1), at=NOON) == "not_allowed"
        assert model.learned == 0


class TestQuality:
    def test_examples_wait_and_are_learned_in_their_order(self) -> None:
        # Given a model, and one that learns the same without any alarm
        guards, model, calm = Guards(spec()), pipeline(), pipeline()
        # When an alarm opens in the middle and closes later
        for i in range(30):
            if i in (10, 12):
                guards.quality_alarm(model, True, at=NOON)
            if i == 20:
                assert guards.quality_alarm(model, False, at=NOON) == 10
            told = guards.learn(model, example(i), at=NOON)
            assert told == ("held" if 10 <= i < 20 else "")
            calm.learn(example(i).features, example(i).truth)
        # Then the model is the same as if there had been none
        assert model.to_bytes() == calm.to_bytes()
        assert guards.refused == {} and len(guards.hold) == 0

    def test_by_policy_they_are_discarded(self) -> None:
        guards, model = Guards(spec(quality_policy="discard")), pipeline()
        guards.quality_alarm(model, True, at=NOON)
        assert guards.learn(model, example(1), at=NOON) == "data_quality"
        assert guards.quality_alarm(model, False, at=NOON) == 0
        assert guards.learn(model, example(2), at=NOON) == ""
        assert guards.refused == {"data_quality": 1} and model.learned == 1

    def test_only_so_many_wait(self) -> None:
        guards, model = Guards(spec()), pipeline()
        guards.hold = Hold("wait", most=3)
        guards.quality_alarm(model, True, at=NOON)
        told = [guards.learn(model, example(i), at=NOON) for i in range(5)]
        assert told == ["held"] * 3 + ["hold_full"] * 2
        assert guards.refused == {"hold_full": 2}

    def test_what_waits_can_be_given_up(self) -> None:
        guards, model = Guards(spec()), pipeline()
        guards.quality_alarm(model, True, at=NOON)
        guards.learn(model, example(1), at=NOON)
        assert guards.discard_held() == 1 and guards.discard_held() == 0
        assert guards.quality_alarm(model, False, at=NOON) == 0
        assert guards.refused == {"data_quality": 1} and model.learned == 0

    def test_an_alarm_that_closes_in_a_frozen_period_teaches_nothing(self) -> None:
        guards, model = (
            Guards(spec(frozen=[{"from": "2026-12-20", "to": "2026-12-20"}])),
            pipeline(),
        )
        guards.quality_alarm(model, True, at=NOON)
        guards.learn(model, example(1), at=NOON)
        assert guards.quality_alarm(model, False, at=NOON + 86_400.0) == 0
        assert guards.refused == {"frozen": 1}


class TestQuota:
    def test_one_source_teaches_its_share_of_a_window(self) -> None:
        # Given a bound of half, and a source that floods
        guards, model = Guards(spec(quota=0.5)), pipeline()
        told = [guards.learn(model, example(i, "flood"), at=NOON) for i in range(700)]
        # Then it teaches half of the window and no more
        assert told.count("") == 500 and told[:500] == [""] * 500
        # And others still do
        assert guards.learn(model, example(1, "bank"), at=NOON) == ""
        assert guards.refused == {"quota_source": 200}

    def test_one_annotator_does_too(self) -> None:
        guards, model = Guards(spec(quota=0.25)), pipeline()
        told = [
            guards.learn(model, example(i, f"source {i % 10}", "ann"), at=NOON) for i in range(300)
        ]
        assert told.count("") == 250 and told[-1] == "quota_annotator"
        # Labels that name nobody are no annotator's.
        assert guards.learn(model, example(1, "source 1"), at=NOON) == ""

    def test_the_next_window_begins_afresh(self) -> None:
        quota = Quota(0.5, window=10)
        told = [quota.admits("a") for _ in range(20)]
        assert told == ([True] * 5 + [False] * 5) * 2

    def test_all_of_it_is_no_bound(self) -> None:
        quota = Quota(1.0, window=10)
        assert all(quota.admits("a") for _ in range(50))
        assert quota.state() == [0, {}]

    @settings(max_examples=50)
    @given(sources=st.lists(st.sampled_from("abc"), max_size=100), share=st.floats(0.05, 0.95))
    def test_no_source_ever_teaches_more(self, sources: list[str], share: float) -> None:
        quota = Quota(share, window=20)
        taught = [(i // 20, s) for i, s in enumerate(sources) if quota.admits(s)]
        for window in range(6):
            for source in "abc":
                assert taught.count((window, source)) <= max(1, share * 20)


class TestSize:
    def test_one_that_grows_too_large_stops_and_says_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Given neighbours that keep every example, and a bound
        monkeypatch.setattr(module, "LOOK_EVERY", 100)
        guards = Guards(spec(max_bytes=10_000))
        model = Pipeline(
            Plan(estimator="knn_regressor", task="regression", parameters={"window_size": 5000})
        )
        # When it learns on
        told = [guards.learn(model, example(i), at=NOON) for i in range(1000)]
        # Then it stops soon after the bound, and goes on answering
        assert "halted" in told and guards.bytes > 10_000
        assert "learning.max_bytes (10,000)" in model.stopped
        assert model.predict({"x": 1.0}) is not None
        assert guards.refused == {"halted": told.count("halted")}

    def test_one_that_does_not_grow_is_only_looked_at(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LOOK_EVERY", 100)
        guards, model = Guards(spec()), pipeline()
        for i in range(300):
            guards.learn(model, example(i % 7), at=NOON)
        assert 0 < guards.bytes < 5_000 and not model.halted


def test_what_can_t_be_learned_is_counted_too() -> None:
    guards, model = Guards(spec()), pipeline()
    assert guards.learn(model, Example({"x": 1.0}, "text"), at=NOON) == "invalid"
    assert guards.refused == {"invalid": 1}
    assert set(guards.refused) <= set(REASONS)


def steps(guards: Guards, model: Pipeline, begin: int, end: int) -> None:
    for i in range(begin, end):
        if i % 40 == 10:
            guards.quality_alarm(model, True, at=NOON)
        if i % 40 == 25:
            guards.quality_alarm(model, False, at=NOON)
        guards.learn(model, example(i % 13, "abc"[i % 2], "xy"[i % 2]), at=NOON)


@pytest.mark.parametrize("cut", [0, 15, 57, 100])
def test_the_state_continues_identically(cut: int) -> None:
    # Given guards that ran without a break
    whole, model = Guards(spec(quota=0.1)), pipeline()
    steps(whole, model, 0, 130)
    # When others are restored from plain bytes in the middle
    first, other = Guards(spec(quota=0.1)), pipeline()
    steps(first, other, 0, cut)
    again = Guards(spec(quota=0.1))
    again.restore(msgpack.unpackb(msgpack.packb(first.state())))
    steps(again, other, cut, 130)
    # Then nothing differs
    assert again.state() == whole.state()
    assert other.to_bytes() == model.to_bytes()
