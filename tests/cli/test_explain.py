"""``explain``: a model's and a feature's page, from the views that workers write."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.cli.bars import bars, merged
from streamgauge.specs import ModelSpec
from streamgauge.state.keys import PARTITION_FIELD, model_id, view_key
from streamgauge.state.spec_store import SpecStore
from streamgauge.state.views import (
    AlarmView,
    CriterionView,
    DetectorView,
    FeatureView,
    HistogramView,
    JudgementView,
    ModelView,
    PartitionView,
    SeriesView,
)

Run = Callable[..., Result]
NOON = 1_700_000_000.0


def judgement(target: str, state: str, value: float | None, **more: object) -> JudgementView:
    document = {"target": target, "detector": "js", "state": state, "value": value, **more}
    return JudgementView.model_validate(document)


AMOUNT = FeatureView(
    name="amount",
    type="numeric",
    judgements=[
        judgement(
            "amount", "firing", 0.71, threshold=0.05, severity=14.2, n=512, as_of=NOON,
            others={"psi": 3.25},
        )
    ],
    histogram=HistogramView(
        bins=["≤ 1", "1 – 2", "> 2"], reference=[0.25, 0.5, 0.25], current=[0.0, 0.01, 0.99]
    ),
    missing_ratio=0.02,
    mean=52.0,
    std=3.0,
)  # fmt: skip
VIEW = ModelView(
    model="fraud",
    partition=2,
    spec_version=1,
    alarms=[
        AlarmView(
            fingerprint="f",
            kind="feature_drift",
            status="firing",
            severity="warning",
            severity_ratio=14.2,
            summary="amount is a hundred times what it was",
            feature="amount",
            starts_at=NOON - 60,
            alarm_id="a",
        )
    ],
    series=[
        SeriesView(
            version="3.1",
            state="firing",
            window_start=NOON - 60,
            window_end=NOON,
            window_n=512,
            rate=8.5,
            error_ratio=0.001,
            latency_quantiles={"0.5": 0.0031, "0.95": 0.0042},
            reference_id="abc",
            reference_n=600,
            reference_kind="profile",
            features=[
                AMOUNT,
                FeatureView(
                    name="age\x1b[2J",
                    type="numeric",
                    judgements=[judgement("age\x1b[2J", "too_few", None, reason="8 of 500 events")],
                ),
            ],
            detectors=[
                DetectorView(
                    series="latency", detector="adwin", state="warming", samples=5, needed=32
                )
            ],
        )
    ],
)


@pytest.fixture
def views(redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        partition = PartitionView(partition=2, written_at=time.time() - 3)
        fields = {
            PARTITION_FIELD: partition.model_dump_json(),
            model_id("fraud"): VIEW.model_dump_json(),
            model_id("fraud.eu"): VIEW.model_copy(update={"model": "fraud.eu"}).model_dump_json(),
        }
        # Before the worker that goes by it, or it would be taken for one that a wipe has lost.
        spec = ModelSpec.from_document({"model": "fraud", "defaults": {"min_events": 50}})
        SpecStore(redis).apply(spec, now=time.time() - 100, by="ann")
        redis.hset(view_key("streamgauge-monitor", 2), mapping=fields)
    return redis_url


def page(run: Run, url: str, target: str) -> str:
    result = run("--redis", url, "explain", target)
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    return result.stdout


def test_a_models_page(run: Run, views: str) -> None:
    text = page(run, views, "fraud")
    # The first command of a process takes a moment.
    assert re.search(r"\([3-9] s ago\)", text)
    assert "spec: version 1, applied by ann" in text
    assert "version 3.1\nstate FIRING" in text
    assert "last window: 512 events in 60s until 2023-11-14 22:13:20 UTC, 8.5 a second" in text
    assert "latency: p50 3.1 ms, p95 4.2 ms" in text
    assert "reference: profile abc (600 events)" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["amount", "js", "FIRING", "0.71", "0.05", "14.2", "512"] in [w[:7] for w in lines]
    assert any(w[2:4] == ["TOO", "FEW"] and "8 of 500 events" in " ".join(w) for w in lines)
    assert "FIRING warning feature_drift since 2023-11-14 22:12:20 UTC: amount is a" in text
    assert ["defaults.min_events", "50", "spec", "version", "1"] in lines
    assert ["defaults.pane", "10s", "default"] in lines


def test_a_features_page_draws_before_and_after(run: Run, views: str) -> None:
    text = page(run, views, "fraud.amount")
    assert "numeric: mean 52" in text and "missing: 2 %" in text
    assert "shown beside js: psi 3.25" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("> 2 reference █") and line.endswith("25.0%") for line in lines)
    assert any(line.startswith("current █") and line.endswith("99.0%") for line in lines)
    # A feature of the same name of another model is not meant.
    assert page(run, views, "fraud.eu.amount").startswith("fraud.eu.amount\n")
    assert page(run, views, "fraud.eu").startswith("fraud.eu\n")


def test_pages_for_programs(run: Run, views: str) -> None:
    model = json.loads(run("--redis", views, "explain", "fraud", "-o", "json").stdout)
    assert model["views"][0]["series"][0]["features"][0]["name"] == "amount"
    assert model["spec_version"] == 1
    feature = json.loads(run("--redis", views, "explain", "fraud.amount", "-o", "json").stdout)
    assert feature["views"][0]["judgements"][0]["severity"] == 14.2
    assert {"name": "defaults.min_events", "value": "50", "origin": "spec"} in feature["settings"]


def test_a_version_that_waits_is_announced(run: Run, views: str) -> None:
    with Redis.from_url(views) as redis:
        SpecStore(redis).apply(
            ModelSpec.from_document({"model": "fraud"}), now=time.time() + 3600, by="bob"
        )
    text = page(run, views, "fraud")
    assert "spec: version 1" in text and "version 2 takes effect at" in text


def test_a_worker_that_lags_behind_a_spec_is_said(run: Run, views: str) -> None:
    with Redis.from_url(views) as redis:
        spec = ModelSpec.from_document({"model": "fraud", "owner": "x"})
        SpecStore(redis).apply(spec, now=time.time() - 50, by="bob")
    assert "the worker still judges by version 1" in page(run, views, "fraud")


def test_the_process_defaults_are_named_as_such(run: Run, views: str) -> None:
    env = {"STREAMGAUGE_MONITORING__GRACE_SECONDS": "0"}
    result = run("--redis", views, "explain", "fraud", env=env)
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("defaults.grace")]
    assert line.split()[1:] == [
        "0s",
        "the",
        "process'",
        "settings,",
        "as",
        "this",
        "command",
        "reads",
        "them",
    ]


def test_a_model_with_a_spec_and_no_events(run: Run, redis_url: str, tmp_path: Path) -> None:
    spec = tmp_path / "new.yaml"
    spec.write_text("model: new\nfeatures: {amount: {range: [0, 10], missing_max: 0.1}}\n")
    assert run("--redis", redis_url, "apply", spec).exit_code == 0
    assert "no data: no worker has seen an event of this model" in page(run, redis_url, "new")
    text = page(run, redis_url, "new.amount")
    assert "no window with this feature was judged yet" in text


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fraudd", "did you mean 'fraud' or 'fraud.eu'?"),
        ("fraud.amuont", "model 'fraud' has no feature 'amuont'; did you mean 'amount'?"),
        ("zzzzz", "there are: fraud, fraud.eu"),
    ],
)
def test_slips(run: Run, views: str, target: str, words: str) -> None:
    result = run("--redis", views, "explain", target)
    assert result.exit_code == 1
    assert words in result.stderr and result.stderr.count("\n") == 1


def test_an_empty_world_says_what_to_do(run: Run, redis_url: str) -> None:
    result = run("--redis", redis_url, "explain", "fraud")
    assert result.exit_code == 1
    assert "no model was seen yet" in result.stderr and "services.stack" in result.stderr


def test_many_bins_are_merged_and_none_is_lost() -> None:
    n = 64
    histogram = HistogramView(
        bins=["≤ 0", *(f"{i} – {i + 1}" for i in range(n - 2)), f"> {n - 2}"],
        reference=[1 / n] * n,
        current=[0.0] * (n - 1) + [1.0],
    )
    rows = merged(histogram)
    assert len(rows) == 16
    assert sum(before for _, before, _ in rows) == pytest.approx(1.0)
    assert rows[-1][2] == 1.0
    assert rows[1][0] == "3 … 7"
    assert len(list(bars(histogram))) == 32


def test_a_small_share_is_seen_and_an_absent_one_is_not() -> None:
    lines = list(bars(HistogramView(bins=["a", "b"], reference=[0.0001, 0.9999], current=[0, 1])))
    assert "▏" in lines[0]
    assert set(lines[1]) & set("▏▎▍▌▋▊▉█") == set()


class TestTheProject:
    DOCUMENT = {
        "model": "fraud",
        "owner": "risk-ml",
        "owners": [
            {"role": "on-call", "team": "past", "to": "2020-01-01"},
            {"role": "on-call", "team": "night\x1b[2J", "contact": "#oncall"},
        ],
        "project": {
            "objective": "Stop fraud",
            "milestones": [{"name": "pilot", "due": "2020-05-01"}],
        },
        "risks": [
            {
                "id": "cents",
                "failure": "cents instead of euros",
                "metric": "drift_severity(amount)",
                "contingency": "switch to the rules",
            }
        ],
        "label_delay": {"expected": "7d", "max": "30d"},
    }
    CRITERIA = [
        CriterionView(
            name="fast", kind="software", expr="p95_latency_ms <= 120", state="PASS", value=4.2,
            low=3.16, high=5.62, n=512,
        ),
        CriterionView(
            name="right", kind="ml", expr="recall >= 0.8", state="UNDECIDED", reason="needs labels"
        ),
        CriterionView(
            name="whole", kind="ml", expr="error_ratio <= 0.01", state="FAIL", value=0.1,
            low=0.08, high=0.12, n=1512,
        ),
    ]  # fmt: skip

    @pytest.fixture
    def told(self, views: str) -> str:
        """The views with verdicts, and a spec with its other half."""
        with Redis.from_url(views) as redis:
            view = VIEW.model_copy(update={"criteria": self.CRITERIA})
            key = view_key("streamgauge-monitor", 2)
            redis.hset(key, model_id("fraud"), view.model_dump_json())
            spec = ModelSpec.from_document(self.DOCUMENT)
            SpecStore(redis).apply(spec, now=time.time() - 50, by="bob")
        return views

    def test_what_for_who_how_good_and_what_if(self, run: Run, told: str) -> None:
        text = page(run, told, "fraud")
        assert "objective: Stop fraud\n" in text
        assert "owner: night·[2J (on-call)\n" in text
        assert "OVERDUE since 2020-05-01: pilot" in text
        lines = [" ".join(line.split()) for line in text.splitlines()]
        verdicts = lines[lines.index("criteria") + 2 :][:3]
        # What fails stands first.
        assert verdicts == [
            "✗ FAIL whole ml error_ratio <= 0.01 0.1 0.08 to 0.12 1,512 -",
            "? UNDECIDED right ml recall >= 0.8 - - - needs labels",
            "✓ PASS fast software p95_latency_ms <= 120 4.2 3.16 to 5.62 512 -",
        ]
        assert (
            "cents warning cents instead of euros drift_severity(amount) switch to the rules"
            in lines
        )
        assert "label_delay.expected 7d spec version 2" in lines

    def test_a_feature_s_page_is_about_the_feature(self, run: Run, told: str) -> None:
        text = page(run, told, "fraud.amount")
        assert "objective" not in text and "criteria" not in text

    def test_programs_get_all_of_it(self, run: Run, told: str) -> None:
        found = json.loads(run("--redis", told, "explain", "fraud", "-o", "json").stdout)
        assert [c["state"] for c in found["views"][0]["criteria"]] == ["PASS", "UNDECIDED", "FAIL"]
        assert found["spec"]["project"]["objective"] == "Stop fraud"
