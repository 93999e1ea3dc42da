"""Criteria against windows: the verdict, the interval it stands on, and what is missing for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.metrics.traffic import LATENCY_EDGES, latency_bins
from streamgauge.monitor import Configuration, partition_monitor
from streamgauge.monitor.criteria import evaluate
from streamgauge.monitor.figures import Figure, Level, Mean, Quantile, Rate, Ratio
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.usage_figures import feedback_figures, telemetry_figures
from streamgauge.monitor.view import model_view
from streamgauge.specs import ModelSpec
from streamgauge.specs.claims import parse_claim
from streamgauge.specs.criteria import Criterion, every_criterion
from streamgauge.state.views import CriterionView, ModelView
from tests.monitor.generate import stream
from tests.monitor.streams import QUICK, drive, monitor


def verdict(expr: str, figures: Mapping[str, Figure]) -> CriterionView:
    (found,) = evaluate([Criterion("c", "ml", parse_claim(expr), expr, ())], figures)
    return found


def times(seconds: np.ndarray[Any, Any]) -> Quantile:
    counts = np.bincount(latency_bins(seconds), minlength=len(LATENCY_EDGES) + 1)
    return Quantile(0.95, LATENCY_EDGES, counts.astype(np.int64), 1000.0)


@pytest.mark.parametrize(
    ("expr", "figure", "state"),
    [
        ("error_ratio <= 0.01", Ratio(0, 500), "PASS"),
        ("error_ratio <= 0.01", Ratio(4, 500), "UNDECIDED"),
        ("error_ratio <= 0.01", Ratio(50, 500), "FAIL"),
        ("error_ratio <= 0", Ratio(0, 500), "UNDECIDED"),
        ("error_ratio >= 0.05", Ratio(50, 500), "PASS"),
        ("error_ratio >= 0.05", Ratio(0, 500), "FAIL"),
        ("error_ratio > 0.1", Ratio(50, 500), "UNDECIDED"),
        ("mean_score >= 0.5", Mean(0.6, 0.1, 500), "PASS"),
        ("mean_score >= 0.5", Mean(0.6, 0.1, 20), "UNDECIDED"),
        ("throughput >= 10", Rate(1200, 60.0), "PASS"),
        ("throughput >= 10", Rate(0, 60.0), "FAIL"),
        ("cpu_ratio <= 0.8", Level(0.8), "PASS"),
        ("cpu_ratio < 0.8", Level(0.8), "FAIL"),
    ],
)
def test_a_verdict_needs_the_whole_interval(expr: str, figure: Figure, state: str) -> None:
    found = verdict(expr, {expr.split()[0]: figure})
    assert found.state == state, found
    assert bool(found.reason) == (state == "UNDECIDED")


def test_a_sample_is_as_uncertain_as_it_is_small() -> None:
    # Given the same counts, once of every prediction and once of one in ten
    whole = verdict("error_ratio <= 0.02", {"error_ratio": Ratio(50, 5000)})
    sample = verdict("error_ratio <= 0.02", {"error_ratio": Ratio(50, 5000, weight=10)})
    # Then the value is the same and the sample is not enough
    assert whole.value == sample.value == 0.01
    assert (whole.state, sample.state) == ("PASS", "UNDECIDED")
    assert (whole.n, sample.n) == (5000, 500)


def test_what_is_undecided_says_how_much_would_tell() -> None:
    found = verdict("error_ratio <= 0.02", {"error_ratio": Ratio(7, 500)})
    assert found.reason == "the interval reaches across the bound; about 3,000 events would tell"
    # And with so many it is decided
    assert verdict("error_ratio <= 0.02", {"error_ratio": Ratio(42, 3000)}).state == "PASS"


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("accuracy >= 0.9", "needs labels: no settled window has it yet"),
        ("auc >= 0.9", "needs labels: no settled window has it yet"),
        ("redo_ratio <= 0.1", "needs feedback of interactions"),
        ("custom:refund_ratio <= 0.1", "needs feedback of interactions"),
        ("cpu_ratio <= 0.9", "needs the client's telemetry"),
        ("p95_latency_ms <= 200", "not measured in the last window"),
        ("happiness >= 1", "no figure is called happiness"),
    ],
)
def test_what_is_not_known_is_undecided_and_says_why(expr: str, reason: str) -> None:
    found = verdict(expr, {})
    assert (found.state, found.reason, found.value) == ("UNDECIDED", reason, None)


def test_labels_make_a_verdict_of_the_same_criterion() -> None:
    assert verdict("auc >= 0.8", {"roc_auc": Level(0.91)}).state == "PASS"


def test_latency_by_ranks_of_its_bins() -> None:
    rng = np.random.default_rng(3)
    figures = {"p95_latency_ms": times(rng.gamma(2.0, 0.01, size=2000))}
    # The truth is 47.4 ms; a bin of the grid is a third wide.
    assert verdict("p95_latency_ms <= 60", figures).state == "PASS"
    assert verdict("p95_latency_ms <= 30", figures).state == "FAIL"
    assert verdict("p95_latency_ms <= 48", figures).state == "UNDECIDED"


def test_a_few_events_do_not_bound_a_high_quantile() -> None:
    found = verdict("p95_latency_ms <= 1000", {"p95_latency_ms": times(np.full(20, 0.01))})
    assert (found.state, found.high) == ("UNDECIDED", None)
    assert found.reason == "too few events to bound it"


@pytest.mark.parametrize("kind", ["ratio", "quantile", "mean", "rate"])
def test_intervals_hold_the_truth_as_often_as_they_say(kind: str) -> None:
    # Given a thousand windows of a process that is known
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(1000):
        figure: Figure
        if kind == "ratio":
            figure, truth = Ratio(float(rng.binomial(400, 0.03)), 400), 0.03
        elif kind == "quantile":
            figure, truth = times(rng.exponential(0.02, size=400)), 1000 * 0.02 * np.log(20)
        elif kind == "mean":
            values = rng.exponential(2.0, size=200)
            figure, truth = Mean(float(values.mean()), float(values.std()), 200), 2.0
        else:
            figure, truth = Rate(int(rng.poisson(30)), 10.0), 3.0
        estimate = figure.estimate(0.95)
        assert estimate is not None
        low = -np.inf if estimate.low is None else estimate.low
        held += low <= truth <= (np.inf if estimate.high is None else estimate.high)
    # Then 95 % of the intervals hold it; those of bins, and of counts, are wider than they must be
    assert held >= 935


@given(
    n=st.integers(1, 10_000),
    share=st.floats(0, 1),
    bound=st.floats(0.001, 0.999),
    weight=st.sampled_from([1.0, 2.0, 100.0]),
)
def test_a_claim_and_its_opposite_never_both_pass(
    n: int, share: float, bound: float, weight: float
) -> None:
    figures = {"error_ratio": Ratio(int(n * share), n, weight)}
    states = {verdict(f"error_ratio {how} {bound}", figures).state for how in ("<=", ">")}
    assert states in ({"PASS", "FAIL"}, {"UNDECIDED"})


class TestFromTheStream:
    SPEC = ModelSpec.from_document(
        {
            "model": "fraud",
            "criteria": [
                {"name": "whole", "expr": "missing_ratio(x0) <= 1 %"},
                {"name": "right", "kind": "business", "expr": "recall >= 0.8"},
                {"name": "same", "expr": "drift_severity(x1) < 1"},
                {"name": "centred", "expr": "mean(x0) <= 0.2"},
                {"name": "answers", "kind": "software", "expr": "null_output_ratio <= 0.02"},
            ],
            "output": {"low_confidence": 0.3},
            "project": {"acceptance": ["throughput >= 100", "low_confidence_ratio <= 0.5"]},
            "slo": {"p95_latency_ms": 20, "qps": 1000, "error_rate": 0.02},
            "compute": {"cpu_ratio": 2},
        }
    )

    def views(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, CriterionView]:
        made: list[ModelView] = []

        def watched(each: ModelMonitor) -> ModelView:
            made.append(model_view(each))
            return made[-1]

        monkeypatch.setattr(partition_monitor, "model_view", watched)
        watching = monitor(Configuration(self.SPEC.over(QUICK), number=1))
        drive(watching, stream(12_000, **options))
        watching.dirty()
        return {each.name: each for each in made[-1].criteria}

    def test_a_model_that_keeps_its_promises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.views(monkeypatch)
        states = {name: each.state for name, each in found.items()}
        assert states == {
            "whole": "PASS",
            "right": "UNDECIDED",
            "same": "PASS",
            "centred": "PASS",
            "answers": "PASS",
            "acceptance 1": "PASS",
            "acceptance 2": "PASS",
            "slo.p95_latency_ms": "PASS",
            "slo.qps": "PASS",
            "slo.error_rate": "PASS",
            "compute.cpu_ratio": "UNDECIDED",
        }
        assert found["slo.qps"].value == pytest.approx(200, rel=0.01)
        # The score 1 / (1 + exp(-x)) of a normal x is below 0.3 in a fifth of the cases.
        assert found["acceptance 2"].value == pytest.approx(0.198, abs=0.04)
        assert found["right"].reason == "needs labels: no settled window has it yet"
        assert found["slo.error_rate"].kind == "software"

    def test_a_model_that_breaks_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fault(i: int, fields: dict[str, Any]) -> dict[str, Any]:
            if i < 8_000:
                return {}
            fields["features"]["x0"] = None if i % 10 == 0 else fields["features"]["x0"]
            wrong = {"status": "error"} if i % 5 == 0 else {"output": None} if i % 5 == 1 else {}
            return {"latency_ms": 80.0, **wrong}

        found = self.views(monkeypatch, fault=fault)
        failed = {name for name, each in found.items() if each.state == "FAIL"}
        assert {"whole", "slo.p95_latency_ms", "slo.error_rate", "answers"} <= failed
        assert found["whole"].value == pytest.approx(0.1, abs=0.01)
        assert found["slo.error_rate"].value == pytest.approx(0.2, abs=0.01)


def test_what_users_do_and_what_processes_use() -> None:
    acts = feedback_figures({"redo": 30}, 1000, kinds=["redo", "abandon"])
    assert verdict("redo_ratio <= 0.01", acts).state == "FAIL"
    assert verdict("abandon_ratio <= 0.01", acts).state == "PASS"
    assert verdict("override_ratio <= 0.01", acts).state == "UNDECIDED"
    assert feedback_figures({}, 0, kinds=["redo"]) == {}
    # Of two processes the larger one is held against its limit; what flows adds up.
    used = telemetry_figures(
        [{"cpu_ratio": 0.4, "requests_per_second": 5}, {"cpu_ratio": 0.9, "requests_per_second": 7}]
    )
    assert verdict("cpu_ratio <= 0.8", used).state == "FAIL"
    assert verdict("requests_per_second <= 12", used).value == 12


def test_two_versions_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a champion and a canary with a tenth of its traffic
    spec = ModelSpec.from_document({"model": "fraud", "slo": {"qps": 150, "error_rate": 0.5}})
    watching = monitor(Configuration(spec.over(QUICK), number=1))
    made: list[ModelView] = []

    def watched(each: ModelMonitor) -> ModelView:
        made.append(model_view(each))
        return made[-1]

    monkeypatch.setattr(partition_monitor, "model_view", watched)
    drive(watching, stream(14_000, version=lambda i: "2" if i % 10 == 0 else "1"))
    # When it shows itself
    watching.dirty()
    # Then the rate is that of both, although the canary's window is longer
    rate, errors = made[-1].criteria
    assert rate.state == "FAIL" and rate.value == pytest.approx(200, rel=0.02)
    assert errors.state == "PASS"


def test_every_criterion_knows_where_it_stands() -> None:
    paths = [each.path for each in every_criterion(TestFromTheStream.SPEC)]
    assert paths[0] == ("criteria", 0, "expr")
    assert ("project", "acceptance", 0) in paths and ("slo", "qps") in paths
