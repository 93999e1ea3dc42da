"""The simulation of model lives, in small: no false promotion, power, and what others would do."""

from __future__ import annotations

import re

import pytest

from load_tests.false_promotions.__main__ import report
from load_tests.false_promotions.life import Outcome, better, null_life
from load_tests.false_promotions.nature import NULLS


def test_no_life_has_a_false_promotion_and_a_better_one_is_found(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given forty lives of six challengers that are no better, each nature in each life.
    lives = [null_life(seed, comparisons=6, days=25) for seed in range(40)]
    assert {o.nature.name for o in lives[0]} == set(NULLS)
    # And a dozen that are five points better.
    wins = [better(seed, 0.05, days=40) for seed in range(12)]
    # Then what is reported is what is promised.
    assert report(lives, wins) is False
    last = capsys.readouterr().out.splitlines()[-1]
    found = re.fullmatch(
        r"promotions: lives=40 false=(\d+) ratio=([\d.]+) power=([\d.]+) "
        r"median_labels_to_promote=(\d+)",
        last,
    )
    assert found is not None, last
    assert int(found[1]) <= 2
    assert float(found[3]) == 1.0
    assert 500 < int(found[4]) < 10_000
    # And the natures are hard ones: who looks all the time at a z-test is wrong in most lives, and
    # whom the average up to now is enough is wrong in some.
    assert sum(any(o.by_peeking for o in life) for life in lives) > 30
    assert any(o.by_events_alone for life in lives for o in life)


def test_a_run_with_too_many_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    win = better(0, 0.05, days=40)
    life: list[Outcome] = [win]
    assert report([life], []) is True
    assert "false=1 ratio=1.0000" in capsys.readouterr().out
