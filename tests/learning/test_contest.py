"""A challenger's way from its first label to a decision, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamgauge.learning.contest import Contest
from streamgauge.learning.promotion import Decision, Guards, PromotionPolicy
from streamgauge.state.packing import pack, unpack

Floats = NDArray[np.float64]

DAY = 86_400.0
#: Losses of a hundred labels a day: the challenger is better by ten points.
OLD = np.tile([1.0, 0.0, 0.0, 1.0, 0.0], 20)
NEW = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 20)


def contest(*, k: int = 1, last_promotion_at: float | None = None, **policy: Any) -> Contest:
    return Contest(
        model="fraud",
        champion="v1",
        challenger="v2",
        k=k,
        started_at=0.0,
        policy=PromotionPolicy(**{"mode": "automatic", **policy}),
        last_promotion_at=last_promotion_at,
    )


def days(
    which: Contest, first: int, last: int, old: Floats = OLD, new: Floats = NEW
) -> list[Decision]:
    """Feed days [first, last): their labels come in the hour after noon."""
    decisions = []
    for day in range(first, last):
        times = day * DAY + 43_200.0 + np.arange(len(old), dtype=np.float64)
        decisions += which.observe(times, old, new)
    return decisions


def steps(decisions: list[Decision]) -> list[tuple[str, str, str]]:
    return [(each.before, each.after, each.reason) for each in decisions]


def test_a_better_challenger_is_promoted_with_all_evidence() -> None:
    # Given a policy that acts by itself.
    which = contest()
    # When the challenger wins day after day.
    decisions = days(which, 0, 20)
    # Then it is promoted at the end of a day, and nothing is said afterwards.
    assert steps(decisions) == [
        ("observing", "ready", "better"),
        ("ready", "promoted", "better"),
    ]
    last = decisions[-1]
    assert (last.action, last.kind, last.by, last.model) == ("promoted", "promotion", None, "fraud")
    assert last.time == 11 * DAY
    evidence = last.evidence
    assert evidence["k"] == 1
    assert evidence["alpha"] == pytest.approx(0.0304, abs=1e-4)
    assert evidence["decided"] and evidence["e_value"] > 1 / evidence["alpha"]
    assert (evidence["labels"], evidence["rounds"]) == (1100, 11)
    assert evidence["champion_loss"] == pytest.approx(0.4)
    assert evidence["challenger_loss"] == pytest.approx(0.2)
    assert evidence["lower"] > 0 and evidence["lower"] < evidence["advantage"] < evidence["upper"]
    assert evidence["first_label"] == 43_200.0
    assert evidence["last_label"] == 10 * DAY + 43_299.0
    assert evidence["guard"] is None
    # And all of it is plain.
    assert unpack(pack(last.as_dict())) == last.as_dict()


def test_a_later_comparison_needs_more() -> None:
    first, fifth = contest(k=1), contest(k=5)
    assert days(first, 0, 40)[-1].time < days(fifth, 0, 40)[-1].time


def test_a_worse_challenger_fails_and_says_so() -> None:
    decisions = days(contest(), 0, 40, OLD, np.minimum(OLD + NEW[::-1], 1.0))
    assert steps(decisions) == [("observing", "failed", "worse")]
    assert decisions[0].action is None
    assert decisions[0].evidence["e_value_worse"] > 1 / decisions[0].evidence["alpha"]


def test_an_undecided_one_fails_when_its_time_is_up() -> None:
    which = contest(max_duration_seconds=5.5 * DAY)
    decisions = days(which, 0, 30, OLD, OLD)
    assert steps(decisions) == [("observing", "failed", "undecided")]
    assert decisions[0].time == 5.5 * DAY
    assert decisions[0].evidence["labels"] == 500


def test_time_alone_ends_it_too() -> None:
    which = contest(max_duration_seconds=DAY)
    (decision,) = which.advance(100 * DAY)
    assert (decision.after, decision.time) == ("failed", DAY)
    # And without a label there are no losses, rather than NaN.
    assert "champion_loss" not in decision.evidence
    assert not any(isinstance(v, float) and math.isnan(v) for v in decision.evidence.values())


@pytest.mark.parametrize(
    ("policy", "ready_on"),
    [
        ({"min_labels": 1500}, 15),
        ({"cooldown_seconds": 13.25 * DAY}, 13.25),
        ({"minimum_effect": 0.3}, None),
        ({}, 11),
    ],
)
def test_evidence_is_not_all(policy: dict[str, Any], ready_on: float | None) -> None:
    decisions = days(contest(last_promotion_at=0.0, **policy), 0, 30)
    assert [each.time / DAY for each in decisions[:1]] == ([] if ready_on is None else [ready_on])


@pytest.mark.parametrize("guard", ["data_quality_alarm", "learning_frozen"])
def test_a_guard_holds_it_back_until_it_opens(guard: str) -> None:
    which = contest()
    assert which.guard(0.0, Guards(**{guard: True})) == []
    decisions = days(which, 0, 15)
    assert steps(decisions) == [("observing", "ready", "better")]
    assert decisions[0].evidence["guard"] is not None
    opened = which.guard(15.5 * DAY, Guards())
    assert steps(opened) == [("ready", "promoted", "better")]
    assert opened[0].time == 15.5 * DAY


def test_with_approval_a_person_has_the_last_word() -> None:
    which = contest(mode="approval")
    # When approved too early, then that is refused, on record, and nothing changes.
    (early,) = which.approve(1.0, "ada")
    assert early.before == early.after == "observing"
    assert early.reason == "refused: observing, not proposed; see promote"
    decisions = days(which, 0, 15)
    assert [each.after for each in decisions] == ["ready", "proposed"]
    # When a guard is closed, then too.
    which.guard(15 * DAY, Guards(learning_frozen=True))
    (frozen,) = which.approve(15 * DAY, "ada")
    assert frozen.reason == "refused: learning is frozen; approve after it"
    which.guard(16 * DAY, Guards())
    (approved,) = which.approve(16 * DAY, "ada")
    assert (approved.before, approved.after, approved.by) == ("proposed", "promoted", "ada")
    (again,) = which.approve(17 * DAY, "bob")
    assert again.after == "promoted" and again.action is not None and "refused" in again.reason


def test_by_hand_means_by_hand() -> None:
    which = contest(mode="manual")
    assert [each.after for each in days(which, 0, 15)] == ["ready"]
    (promoted,) = which.promote(15 * DAY, "ada")
    assert (promoted.reason, promoted.by) == ("by hand", "ada")
    (again,) = which.promote(16 * DAY, "bob")
    assert again.reason == "refused: promoted already; begin a new contest"


def test_a_proposal_is_taken_back_when_the_evidence_is_gone() -> None:
    # Given a proposal that nobody has answered.
    which = contest(mode="approval")
    assert [each.after for each in days(which, 0, 12)] == ["ready", "proposed"]
    # When the challenger turns bad, then it is taken back, and fails in the end.
    decisions = days(which, 12, 80, NEW, OLD)
    assert steps(decisions) == [
        ("proposed", "observing", "the evidence is gone"),
        ("observing", "failed", "worse"),
    ]


def test_an_abandoned_one_stays_so() -> None:
    which = contest()
    (decision,) = which.abandon(5.0, "another was promoted")
    assert (decision.after, decision.reason) == ("abandoned", "another was promoted")
    assert which.abandon(6.0, "again") == []
    assert days(which, 0, 20) == []
    assert which.test.n == 0


def test_the_old_champion_wins_its_place_back_by_the_same_test() -> None:
    # Given a promotion.
    which = contest()
    days(which, 0, 12)
    back = which.reversed(k=2)
    # Then the roles are swapped, the evidence is new, and no cool-down delays the way back.
    assert (back.champion, back.challenger, back.kind) == ("v2", "v1", "rollback")
    assert back.test.n == 0
    assert back.cool_at == back.started_at
    # When the new champion turns out to be worse, then a rollback is proposed, not done.
    decisions = days(back, 12, 40)
    assert [each.after for each in decisions] == ["ready", "proposed"]
    (approved,) = back.approve(41 * DAY, "ada")
    assert approved.action == "rolled_back"
    assert back.reversed(k=3).kind == "promotion"


def test_there_is_no_way_back_from_nothing() -> None:
    with pytest.raises(ValueError, match="no way back"):
        contest().reversed(k=2)


def test_a_round_with_few_labels_goes_on_into_the_next_day() -> None:
    which = contest(round_labels=150)
    days(which, 0, 10)
    which.advance(10 * DAY)
    assert which.test.rounds == 5


def test_rounds_of_labels_need_no_time() -> None:
    # Given rounds of 50 labels, like in a demonstration that lasts a minute.
    which = contest(period_seconds=0.0, round_labels=50)
    decisions = which.observe(np.full(1000, 7.0), np.tile(OLD, 10), np.tile(NEW, 10))
    # Then it takes as many rounds, whatever the clock says.
    assert [each.after for each in decisions] == ["ready", "promoted"]
    assert decisions[-1].evidence["labels"] == 550
    assert decisions[-1].time == 7.0


def test_losses_are_told_in_their_own_unit() -> None:
    which = contest(loss_bound=10.0)
    which.observe(np.array([1.0, 2.0]), np.array([4.0, 50.0]), np.array([1.0, 2.0]))
    evidence = which.evidence()
    assert (evidence["champion_loss"], evidence["challenger_loss"]) == pytest.approx((7.0, 1.5))
    assert evidence["advantage"] == pytest.approx((0.3 + 0.8) / 2)


@pytest.mark.parametrize(
    ("times", "old", "new", "message"),
    [
        ([1.0], [math.nan], [0.0], "leave out events"),
        ([1.0], [0.0], [math.inf], "leave out events"),
        ([math.nan], [0.0], [0.0], "finite number of seconds"),
        ([1.0, 2.0], [0.0], [0.0], "lengths differ"),
    ],
)
def test_bad_input_leaves_no_trace(
    times: list[float], old: list[float], new: list[float], message: str
) -> None:
    which = contest()
    days(which, 0, 1)
    before = pack(which.state())
    with pytest.raises(ValueError, match=message):
        which.observe(np.array(times), np.array(old), np.array(new))
    if len(times) == 1:
        with pytest.raises(ValueError, match=message):
            which.observe_one(DAY * times[0], old[0], new[0])
    assert pack(which.state()) == before


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    period=st.sampled_from([0.0, 7.0, 50.0]),
    mode=st.sampled_from(["automatic", "approval", "manual"]),
    cuts=st.lists(st.integers(0, 1500), max_size=8),
)
def test_the_same_decisions_and_bytes_however_the_log_is_cut(
    seed: int, period: float, mode: str, cuts: list[int]
) -> None:
    # Given labels whose times now and then run backwards, and a challenger that is better, or not.
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(0.5, 1500)) + rng.normal(0, 0.3, 1500)
    old = rng.random(1500)
    new = np.clip(old - rng.choice([0.0, 0.1, -0.1]) + rng.normal(0, 0.05, 1500), 0.0, 1.0)
    asked: dict[str, Any] = {
        "mode": mode,
        "period_seconds": period,
        "round_labels": 20,
        "cooldown_seconds": 300.0,
        "max_duration_seconds": 700.0,
    }
    # When it comes at once, one by one, or cut anywhere with restarts and the passing of time told.
    whole = contest(last_promotion_at=0.0, **asked)
    told = whole.observe(times, old, new)
    single = contest(last_promotion_at=0.0, **asked)
    told_single = [
        decision
        for row in zip(times.tolist(), old.tolist(), new.tolist(), strict=True)
        for decision in single.observe_one(*row)
    ]
    cut = contest(last_promotion_at=0.0, **asked)
    told_cut = []
    for part in np.split(np.arange(1500), sorted(cuts)):
        if len(part):
            told_cut += cut.advance(float(times[: part[0] + 1].max()))
        told_cut += cut.observe(times[part], old[part], new[part])
        cut = Contest.from_state(unpack(pack(cut.state())))
    # Then decisions, evidence and state are the same.
    assert told == told_single == told_cut
    end = float(times.max())
    assert whole.advance(end) == single.advance(end) == cut.advance(end)
    assert pack(whole.state()) == pack(single.state()) == pack(cut.state())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mode": "automatik"}, "did you mean 'automatic'"),
        ({"rollback_mode": "none"}, "rollback_mode is one of"),
        ({"alpha": 1.0}, "between 0 and 1"),
        ({"min_labels": 0}, "at least 1"),
        ({"cooldown_seconds": -1.0}, "0 or more"),
        ({"minimum_effect": math.nan}, "0 or more"),
        ({"max_duration_seconds": 0.0}, "above 0"),
        ({"loss_bound": math.inf}, "above 0"),
        ({"min_label": 3}, "did you mean 'min_labels'"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PromotionPolicy.of(**values)


def test_a_deadline_that_floats_cannot_hold_is_one_all_the_same() -> None:
    # Given a start and a duration whose sum, less the start, is less than the duration.
    start, lasts = 93.9, 28.3
    assert start + lasts - start < lasts
    which = Contest(
        model="m",
        champion="a",
        challenger="b",
        k=1,
        started_at=start,
        policy=PromotionPolicy(max_duration_seconds=lasts),
    )
    assert steps(which.advance(1_000.0)) == [("observing", "failed", "undecided")]
