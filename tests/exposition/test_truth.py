"""How labels come and how good the answers were, in /metrics and on the console."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamgauge.exposition.answers import answers
from streamgauge.exposition.truths import MOST_FIGURES, MOST_SLICES, put_together
from streamgauge.state.views import (
    JudgementView,
    LabelsView,
    ModelView,
    PerformanceView,
    TruthSeriesView,
    TruthView,
)
from tests.exposition.builders import HOSTILE, NOW, model, partition, reading, series
from tests.exposition.scraped import Scraped, scraped

ONE = {"model": "fraud", "version": "1", "step": ""}
SETTLED = {**ONE, "maturity": "settled"}
PROVISIONAL = {**ONE, "maturity": "provisional"}


def performance(maturity: str = "settled", **options: Any) -> PerformanceView:
    values: dict[str, Any] = {
        "figures": {"accuracy": 0.9, "error_ratio": 0.1},
        "n": 100.0,
        "labelled": 100.0,
        "start": NOW - 60,
        "end": NOW - 30,
    }
    return PerformanceView(version="1", maturity=maturity, **{**values, **options})


def truth(window: PerformanceView | None = None, **options: Any) -> TruthView:
    own = {k: options.pop(k) for k in list(options) if k in TruthSeriesView.model_fields}
    each = TruthSeriesView(version="1", window=window, **own)
    return TruthView(task="binary", series=[each], **options)


def with_truth(found: TruthView | None, **options: Any) -> ModelView:
    return model(truth=found, **options)


def rising(severity: float = 2.0) -> JudgementView:
    return JudgementView(
        target="errors",
        detector="error_ratio",
        kind="concept_drift",
        state="firing",
        value=0.05 * severity,
        threshold=0.05,
        severity=severity,
    )


def test_settled_and_provisional_figures_are_told_apart() -> None:
    now = scraped(
        [
            with_truth(
                truth(
                    performance(),
                    provisional=performance(
                        "provisional", figures={"accuracy": 0.7}, labelled=40.0, end=NOW - 1
                    ),
                )
            )
        ]
    )
    assert now.value("performance_score", **SETTLED, metric="accuracy") == 0.9
    assert now.value("performance_score", **PROVISIONAL, metric="accuracy") == 0.7
    assert now.value("performance_labelled_ratio", **SETTLED) == 1.0
    assert now.value("performance_labelled_ratio", **PROVISIONAL) == 0.4
    assert now.value("performance_end_timestamp_seconds", **PROVISIONAL) == NOW - 1


def test_labels_add_up_over_shards_and_the_slowest_tells_the_delay() -> None:
    one = LabelsView(
        counts={"labels": 80, "settled": 100, "settled_labelled": 80, "joined": 80},
        pending=5,
        orphans=1,
        mismatched=2,
        delay_quantiles={"0.5": 2.0, "0.95": 9.0},
    )
    other = LabelsView(
        counts={"labels": 300, "settled": 300, "settled_labelled": 300, "joined": 300},
        pending=7,
        orphans=3,
        sampling_ratio=0.25,
        delay_quantiles={"0.5": 4.0},
    )
    now = scraped(
        [
            with_truth(truth(labels=one)),
            with_truth(truth(labels=other), partition=1),
        ]
    )
    assert now.value("label_coverage_ratio", model="fraud") == pytest.approx(0.95)
    assert now.value("labels_pending", model="fraud") == 12
    assert now.value("label_orphans_total", model="fraud") == 4
    assert now.value("label_sampling_ratio", model="fraud") == 0.25
    assert now.value("label_outcomes_total", model="fraud", outcome="joined") == 380
    assert now.value("label_outcomes_total", model="fraud", outcome="mismatched") == 2
    assert now.value("label_delay_seconds", model="fraud", quantile="0.5") == 4.0
    # What one shard leaves open is open
    assert now.value("label_delay_seconds", model="fraud", quantile="0.95") is None


def test_figures_of_shards_are_weighted_by_labels() -> None:
    few = performance(figures={"accuracy": 0.5, "recall": 0.1}, labelled=100.0, n=200.0)
    many = performance(figures={"accuracy": 0.9}, labelled=300.0, n=300.0, end=NOW - 5)
    found = put_together([truth(few), None, truth(many)])
    assert found is not None
    (window,) = found.windows
    assert window.figures == {"accuracy": pytest.approx(0.8), "recall": pytest.approx(0.1)}
    assert (window.n, window.labelled, window.end) == (500.0, 400.0, NOW - 5)
    # An interval or a diagram of one shard is not that of all
    assert window.intervals == {} and window.calibration is None
    assert put_together([None, None]) is None


def test_errors_that_rise_stand_among_all_judgements() -> None:
    now = scraped([with_truth(truth(performance(), judgements=[rising()]))])
    labels = {**ONE, "feature": "errors", "detector": "error_ratio"}
    assert now.value("drift_severity_ratio", **labels) == 2.0
    assert now.value("drift_score", **labels) == pytest.approx(0.1)
    assert now.value("drift_threshold", **labels) == 0.05
    assert now.value("detector_state", **labels, state="firing") == 1


def test_slices_are_bounded_and_a_regression_has_none() -> None:
    slices = [
        performance(segment=("shop", f"s{i:02}"), labelled=float(i), figures={"error_ratio": 0.2})
        for i in range(25)
    ]
    slices.append(performance(segment=("shop", "numbers"), labelled=99.0, figures={"mae": 2.0}))
    now = scraped([with_truth(truth(performance(), slices=slices))])
    values = now.labels("performance_slice_error_ratio", "value")
    assert len(values) == MOST_SLICES - 1 and "s24" in values and "numbers" not in values


def test_a_user_of_many_scores_gets_the_first_and_the_rest_is_counted() -> None:
    figures = {f"score{i:03}": 1.0 for i in range(MOST_FIGURES + 10)}
    now = scraped([with_truth(truth(performance(figures=figures)))])
    assert now.value("series_dropped_total", reason="metrics") == 10
    assert len(now.labels("performance_score", "metric")) == MOST_FIGURES


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_and_numbers_that_are_none_break_nothing(name: str) -> None:
    odd = performance(
        figures={name: 1.0, "nan": math.nan, "inf": math.inf}, segment=(name, name), n=0.0
    )
    labels = LabelsView(counts={"joined": 3}, delay_quantiles={"0.5": math.inf})
    now = scraped([with_truth(truth(odd, slices=[odd], labels=labels))])
    text = generate_latest(now.registry).decode()  # type: ignore[no-untyped-call]
    assert list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert "nan" not in {v.lower() for v in text.split() if v.lower() == "nan"}
    assert len(now.labels("performance_score", "metric")) == 1


def test_versions_that_are_gone_have_no_performance_and_models_without_labels_nothing() -> None:
    many = [series(str(v), window_end=NOW - 10_000.0 * v) for v in range(1, 6)]
    truths = TruthView(
        series=[
            TruthSeriesView(
                version=str(v), window=performance().model_copy(update={"version": str(v)})
            )
            for v in range(1, 6)
        ]
    )
    now = scraped([with_truth(truths, series=many), model("plain")])
    assert len(set(now.labels("performance_score", "version"))) <= 3
    assert now.value("labels_pending", model="plain") is None


def test_a_headline_for_the_page() -> None:
    labels = LabelsView(counts={"settled": 100, "settled_labelled": 82, "joined": 82}, pending=12)

    def said(found: TruthView) -> str:
        return answers(put_together([found]), ["1"])

    assert said(truth(performance(), labels=labels)) == "accuracy 0.9, 82 % labelled"
    waiting = performance("provisional", labelled=40.0)
    assert said(truth(provisional=waiting)) == "accuracy 0.9 so far, 40 % of labels in"
    errors = performance(figures={"mae": 3.2, "rmse": 5.0})
    assert said(truth(errors)).startswith("mae 3.2")
    assert said(truth(labels=labels)) == "12 wait for labels"
    assert answers(put_together([truth(performance())]), ["2"]) == ""
    assert answers(None, ["1"]) == ""


def test_what_is_old_is_left_out_with_all_the_rest() -> None:
    now = Scraped(reading([with_truth(truth(performance()))], [partition()], read_at=NOW - 100))
    assert now.labels("performance_score", "metric") == []
