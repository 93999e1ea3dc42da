"""Scores that users compute: worse than they used to be is an alarm, better is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from streamgauge.monitor import Configuration, PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.packing import pack
from streamgauge_client.events import AlarmEvent
from tests.monitor.streams import START, drive, monitor, record
from tests.monitor.truths import SPEC, answers, labels, merged, predictions

ROWS = 4000
Scores = Callable[[int], float]


def watched(**declared: str) -> PartitionMonitor:
    changes: dict[str, Any] = {"task": "ranking", "labels": {"scores": declared}}
    return monitor(Configuration(ModelSpec.from_document({**SPEC, **changes}), number=1))


def noisy(first: float, then: float, *, seed: int = 5) -> Scores:
    """Scores around one level, and from the middle on around another."""
    noise = np.random.default_rng(seed).normal(scale=0.1, size=ROWS).tolist()
    return lambda i: noise[i] + (first if i < ROWS // 2 else then)


def log(name: str, scores: Scores, *, delay: float = 0.5, horizon: str | None = None) -> Any:
    given = answers(ROWS, error=0.1)
    told = {"label": None} | ({"horizon": horizon} if horizon else {})
    carried = labels(given, delay=delay, more=lambda i: {**told, "scores": {name: scores(i)}})
    return predictions(given), carried


def drifts(made: PartitionMonitor, records: list[LogRecord]) -> list[AlarmEvent]:
    events = [*drive(made, records).events, *made.advance(START + 1000.0).events]
    return [e for e in events if isinstance(e, AlarmEvent) and e.kind == "concept_drift"]


@pytest.mark.parametrize(
    ("better", "first", "then"), [("higher", 0.7, 0.5), ("lower", 0.1, 0.3), ("lower", 9.0, 9.2)]
)
def test_a_score_that_gets_worse_is_an_alarm_and_one_that_gets_better_is_none(
    better: str, first: float, then: float
) -> None:
    # Given a spec that says which way the score is better, and one that turns worse
    found = drifts(watched(s=better), merged(*log("s", noisy(first, then))))

    # Then an alarm says so, from about when it did
    assert [each.status for each in found][:1] == ["firing"]
    alarm = found[0]
    assert alarm.summary.startswith("fraud: s is poor in ") and "usually" in alarm.summary
    assert alarm.feature == "score s" and alarm.evidence is not None
    assert not alarm.evidence.hints, "of a poor score nobody knows whether a decision was wrong"
    assert alarm.starts_at == pytest.approx(START + ROWS / 200, abs=5.0)

    # and the other way round nothing is said
    assert drifts(watched(s=better), merged(*log("s", noisy(then, first)))) == []


def test_of_scores_that_are_0_or_1_the_zeros_are_poor() -> None:
    dice = np.random.default_rng(2).random(ROWS).tolist()
    hits = [float(each > (0.3 if i < ROWS // 2 else 0.6)) for i, each in enumerate(dice)]
    found = drifts(watched(hit="higher"), merged(*log("hit", hits.__getitem__)))
    assert found[0].status == "firing"
    assert found[0].value == pytest.approx(0.6, abs=0.15)
    assert found[0].summary.endswith("(usually 31 % are below 0.675)")


def test_of_few_grades_that_at_the_limit_is_poor_too() -> None:
    # Given stars of which one in five is a one or a two, until all are twos
    dice = np.random.default_rng(3).random(ROWS)
    stars = np.select([dice < 0.08, dice < 0.2, dice < 0.5], [1.0, 2.0, 4.0], 5.0)
    stars[ROWS // 2 :] = 2.0
    found = drifts(watched(stars="higher"), merged(*log("stars", stars.tolist().__getitem__)))
    assert found[0].status == "firing"
    assert "are below 3" in found[0].summary


def test_a_score_that_never_varied_is_heard_when_it_gets_worse() -> None:
    # Given one whose mean, of 200, is rounded to more than each of them
    assert np.full(200, 0.9).mean() > 0.9
    steady = log("s", lambda i: 0.9 if i < ROWS // 2 else 0.5)
    found = drifts(watched(s="higher"), merged(*steady))
    assert [each.status for each in found][:1] == ["firing"]
    assert found[0].starts_at == pytest.approx(START + ROWS / 200, abs=5.0)


def test_many_scores_share_the_false_alarms_of_a_month() -> None:
    # Given windows enough to know how much they differ
    records = merged(*log("s", noisy(0.7, 0.7)))
    short = {**SPEC["defaults"], "min_duration": "2s"}

    def threshold(others: int) -> float:
        scores = dict.fromkeys(["s", *map(str, range(others))], "higher")
        changes = {"task": "ranking", "labels": {"scores": scores}, "defaults": short}
        made = monitor(Configuration(ModelSpec.from_document({**SPEC, **changes}), number=1))
        drive(made, records)
        (series,) = made._models["fraud"].truth.truth.series.values()
        (found,) = (each for each in series.findings if each.rule == "poor_ratio" and each.n)
        return found.threshold or 0.0

    # Then one of twenty must be surer than the only one
    assert threshold(others=19) > threshold(others=0) > 0.0


def test_without_a_word_which_way_is_better_nothing_is_listened_to() -> None:
    made = watched()
    assert drifts(made, merged(*log("s", noisy(0.7, 0.2)))) == []
    assert not made._models["fraud"].truth.truth.series["1", ""].scores.by_name


def test_a_score_with_a_horizon_is_another_series() -> None:
    made = watched(**{"mae@24h": "lower", "mae": "lower"})
    found = drifts(made, merged(*log("mae", noisy(0.1, 0.4), horizon="24h")))
    assert found[0].feature == "score mae@24h"


def heard(records: list[LogRecord], cuts: Iterable[int] = ()) -> bytes:
    made = watched(s="higher")
    drive(made, records, cuts=cuts)
    made.advance(START + 1000.0)
    return pack(made._models["fraud"].truth.truth.series["1", ""].scores.state())


def test_what_is_heard_hangs_on_no_cut_and_on_no_order_of_labels() -> None:
    # Given labels that come in two files, the good scores first
    scores = noisy(0.7, 0.5)
    events, prompt = log("s", scores)
    order = sorted(range(ROWS), key=lambda i: (i // (ROWS // 2), -scores(i)))
    late = [
        record(k, prompt[i].value, START + 41.0 + k / 1000, topic=prompt[i].topic)
        for k, i in enumerate(order)
    ]
    # Then they are heard in the order of predictions all the same
    expected = heard(merged(events, prompt))
    assert heard(merged(events, prompt), range(37, 2 * ROWS, 37)) == expected
    assert heard(merged(events, late)) == expected


def test_a_restart_in_the_middle_changes_nothing() -> None:
    records = merged(*log("s", noisy(0.7, 0.5)))
    whole, first = watched(s="higher"), watched(s="higher")
    expected = drifts(whole, records)
    found = drive(first, records[:3001]).events
    second = watched(s="higher")
    second.restore(first.dirty().blobs)
    found += [*drive(second, records[3001:]).events, *second.advance(START + 1000.0).events]
    assert [e for e in found if isinstance(e, AlarmEvent) and e.kind == "concept_drift"] == expected
    assert expected


@pytest.mark.parametrize(
    "score", [1.7e308, -1.7e308, 5e-324, 0.0, None], ids=["huge", "low", "tiny", "constant", "wild"]
)
def test_no_score_is_too_odd_to_be_listened_to(score: float | None) -> None:
    scores = [(-1.0) ** i * 1.7e308 if score is None else score for i in range(ROWS)]
    made = watched(s="higher", gone="lower")
    assert drifts(made, merged(*log("s", scores.__getitem__))) == []
    (content,) = (v for k, v in made.dirty().views.items() if k != "_")
    assert b"NaN" not in content and b"Infinity" not in content
