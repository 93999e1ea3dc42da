"""``explain``: the truth in words, and what to do where labels do not meet predictions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.cli.truth_advice import advice
from streamgauge.state.keys import PARTITION_FIELD, model_id, view_key
from streamgauge.state.learner_views import SUFFIX, CandidateView, LearnerView, PlainView
from streamgauge.state.views import (
    AlarmView,
    CalibrationView,
    ClassView,
    GapView,
    JudgementView,
    LabelsView,
    ModelView,
    PartitionView,
    PerformanceView,
    SeriesView,
    TagView,
    TruthSeriesView,
    TruthView,
)

Run = Callable[..., Result]
NOON = 1_700_000_000.0


def performance(maturity: str = "settled", **given: Any) -> PerformanceView:
    values: dict[str, Any] = {
        "figures": {"accuracy": 0.69, "error_ratio": 0.31, "f1": 0.5, "mce": 0.4},
        "intervals": {"accuracy": (0.65, 0.73)},
        "n": 501.0,
        "labelled": 501.0,
        "start": NOON - 60,
        "end": NOON,
    }
    return PerformanceView.model_validate(
        {"version": "2.0.0", "maturity": maturity, **values, **given}
    )


SERIES = TruthSeriesView(
    version="2.0.0",
    window=performance(
        worth=-1250.0,
        calibration=CalibrationView(
            upper=[0.8, 1.0],
            n=[100.0, 401.0],
            confidence=[0.7, 0.95],
            accuracy=[0.7, 0.7],
            ece=0.2,
            threshold=0.06,
        ),
        classes=[
            ClassView(name="owl", precision=0.9, recall=0.25, n=40.0, predicted=11.0),
            ClassView(name="cat", precision=0.9, recall=1.0, n=40.0, predicted=44.0),
        ],
    ),
    total=performance(end=None, start=None),
    provisional=performance(
        "provisional", labelled=100.0, age_seconds=400.0, figures={"accuracy": 0.8}
    ),
    slices=[
        performance(segment=("country", "SE\x1b[2J"), labelled=90.0, figures={"error_ratio": 0.6}),
        performance(segment=("country", "NO"), labelled=90.0, figures={"error_ratio": 0.1}),
    ],
    usual_error_ratio=0.047,
    judgements=[
        JudgementView(
            target="errors",
            detector="error_ratio",
            kind="concept_drift",
            state="firing",
            value=0.31,
            threshold=0.17,
            severity=1.8,
        )
    ],
    gaps=[
        GapView(against="hlp", metric="accuracy", value=0.69, other=0.95, gap=-0.26),
        GapView(against="last truth", metric="error_ratio", value=0.31, other=0.41, gap=0.1),
    ],
    tags=[TagView(tag="light=night", n=80.0, error_ratio=0.7, impact=0.062)],
)
LABELS = LabelsView(
    counts={"labels": 1000, "joined": 900, "settled": 800, "corrections": 3},
    coverage_ratio=0.875,
    labelled_ratio=0.5,
    pending=120,
    early=100,
    delay_quantiles={"0.5": 1.58, "0.95": 630.0},
)
TRUTH = TruthView(task="binary", positive="fraud", labels=LABELS, series=[SERIES])
ALARM = AlarmView(
    fingerprint="f",
    kind="concept_drift",
    status="firing",
    severity="warning",
    severity_ratio=1.8,
    summary="s",
    starts_at=NOON - 35,
    alarm_id="a",
)


def test_what_learns_beside_a_model_is_told_with_the_gap(run: Run, redis_url: str) -> None:
    tree = CandidateView(name="tree", estimator="hoeffding\x1b", loss=0.125, failed=True)
    plain = PlainView(answered=1200, loss=0.5, champion_loss=0.25)
    view = LearnerView(model="m", partition=0, learned=1300, candidates=[tree], plain=plain)
    with Redis.from_url(redis_url) as redis:
        key = view_key("streamgauge-learner", 0)
        redis.hset(key, model_id("m") + SUFFIX, view.model_dump_json())
        monitored = ModelView(model="m", partition=0).model_dump_json()
        redis.hset(view_key("streamgauge-monitor", 0), model_id("m"), monitored)
    result = run("--redis", redis_url, "explain", "m")
    assert result.exit_code == 0, result.stderr
    assert (
        "learning: published answers, 1,300 learned\n"
        "tree (hoeffding·): loses 0.125; failed\n"
        "plain linear model: published answers lose 0.25 less (0.25 against 0.5), on the same "
        "1,200 predictions\n"
    ) in result.stdout
    document = json.loads(run("--redis", redis_url, "explain", "m", "-o", "json").stdout)
    assert document["learners"][0]["plain"]["loss"] == 0.5


def test_the_truth_is_told_in_words(run: Run, redis_url: str) -> None:
    view = ModelView(
        model="fraud",
        partition=2,
        series=[SeriesView(version="2.0.0")],
        truth=TRUTH,
        alarms=[ALARM],
    )
    written = PartitionView(partition=2, written_at=time.time())
    with Redis.from_url(redis_url) as redis:
        fields = {
            PARTITION_FIELD: written.model_dump_json(),
            model_id("fraud"): view.model_dump_json(),
            model_id("plain"): ModelView(model="plain", partition=2).model_dump_json(),
        }
        redis.hset(view_key("streamgauge-monitor", 2), mapping=fields)
    result = run("--redis", redis_url, "explain", "fraud")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    shown = result.stdout.splitlines()
    for line in (
        "truth: binary classification, looks for fraud",
        "labels: 1,000 came, 87.5 % of settled predictions got one, 50 % of all so far, "
        "120 predictions wait, 3 corrected",
        "delay: 50 % within 2 s, 95 % within 10 min (of all predictions, those that still wait "
        "included)",
        "version 2.0.0: settled until 2023-11-14 22:13:20 UTC, 501 labelled of 501: accuracy 0.69 "
        "(0.65 to 0.73), f1 0.5; worth -1250",
        "version 2.0.0: provisional, 20 % of labels in, predictions 6 min old: accuracy 0.8 (0.65 "
        "to 0.73); labels that are still to come may say otherwise",
        "version 2.0.0: errors have RISEN since 2023-11-14 22:12:45 UTC: 31 %, usually 4.7 %, at "
        "most 17 %",
        "version 2.0.0: accuracy 0.69, WORSE than hlp (0.95) by 0.26",
        "version 2.0.0: error_ratio 0.31, better than last truth (0.41) by 0.1",
        "version 2.0.0: overconfident: calibration error 0.2, of a calibrated model at most 0.06",
        "version 2.0.0: worse than the whole: country = SE·[2J, wrong in 60 % of 90",
        "version 2.0.0: errors are among light=night: wrong in 70 % of 80; as good as the rest, "
        "all errors would fall by 6.2 points",
        "version 2.0.0: class owl: 25 % of 40 found, precision 90 %",
    ):
        assert line in shown, line
    assert not any("NO, wrong" in line or "class cat" in line for line in shown)
    assert sum(line.startswith("! 100 of 1,000 labels met no prediction") for line in shown) == 1
    # And programs get all of it, with the advice
    document = json.loads(run("--redis", redis_url, "explain", "fraud", "-o", "json").stdout)
    assert TruthView.model_validate(document["views"][0]["truth"]) == TRUTH
    assert len(document["label_advice"]) == 1
    # And what is judged of errors has a page of its own
    errors = run("--redis", redis_url, "explain", "fraud.errors")
    assert errors.exit_code == 0, errors.stderr
    assert "error_ratio" in errors.stdout and "FIRING" in errors.stdout
    # And a model of which no label is expected has no such block
    assert "truth" not in run("--redis", redis_url, "explain", "plain").stdout


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LabelsView(counts={"labels": 500, "joined": 500, "settled": 400}), []),
        (LabelsView(counts={"labels": 10}, orphans=10), []),
        (
            LabelsView(counts={"labels": 1000, "joined": 100, "settled": 500}, orphans=900),
            ["prediction_id"],
        ),
        (
            LabelsView(
                counts={"labels": 1000, "joined": 100, "settled": 500, "expired": 400}, orphans=900
            ),
            ["murmur2_random", "label_delay.max"],
        ),
        (
            LabelsView(counts={"labels": 400, "joined": 400, "settled": 800, "expired": 400}),
            ["50 % of predictions got no label in time"],
        ),
        (
            LabelsView(counts={"labels": 400, "joined": 400}, mismatched=300),
            ["declare task and, of two classes, labels.positive"],
        ),
        (LabelsView(sampling_ratio=0.125), ["one prediction in 8 is followed"]),
        (LabelsView(sampling_ratio=2.0**-40), ["no prediction is followed"]),
        (LabelsView(disagreement_ratio=0.3), ["annotators disagree on 30 %"]),
    ],
    ids=lambda each: each[0][:20] if isinstance(each, list) and each else None,
)
def test_what_to_do_about_labels(labels: LabelsView, words: list[str]) -> None:
    found = advice(labels)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))
