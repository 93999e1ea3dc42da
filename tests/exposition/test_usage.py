"""Who uses a model and how: behaviour, clients, slices, claims, silence."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamgauge.exposition.behaviour import put_together as behaviour_of
from streamgauge.state.handlings import Handling, Verdict
from streamgauge.state.views import JudgementView, ModelView
from streamgauge.telemetry import CLIENTS, MODELS, TRUTH, USAGE
from tests.exposition.builders import (
    HOSTILE,
    NOW,
    client,
    criterion,
    feature,
    judgement,
    model,
    part,
    partition,
    reading,
    series,
)
from tests.exposition.lively import EVENTS, RATE, lively_views
from tests.exposition.scraped import Scraped, scraped
from tests.monitor.streams import START

ONE = {"model": "fraud", "version": "1", "step": ""}
SWEDEN = {**ONE, "segment": "country", "value": "SE"}
SHOP = {"model": "fraud", "service": "checkout"}


def rate(kind: str, value: float | None, **options: Any) -> JudgementView:
    given = {"target": kind, "detector": "rate", "kind": "feedback", "value": value, "n": 100}
    return JudgementView.model_validate({"state": "ok", **given, **options})


def test_everything_in_the_catalogue_is_shown_of_what_the_monitor_really_says() -> None:
    # Given two models, of which one has it all and the other sleeps, and a person who looks
    views = lively_views()
    open_ = next(each for view in views for each in view.alarms if each.status == "firing")
    by = {"model": "fraud", "fingerprint": open_.fingerprint, "alarm_id": open_.alarm_id}
    handling = Handling(**by, by="ann", at=START, status="acknowledged")
    verdict = Verdict(**by, by="ann", at=START, kind=open_.kind, right=True)
    handled: dict[str, Any] = {
        "handlings": {open_.fingerprint: handling},
        "verdicts": (verdict,),
    }
    now = Scraped(reading(views, [partition()], specs={"fraud": 1}, **handled))
    now.now = START + EVENTS / RATE
    assert now.reading.snapshot is not None
    object.__setattr__(now.reading.snapshot, "read_at", now.now)
    # Then there is no metric about models that nothing is ever said of
    families = {family.name for family in now.registry.collect() if family.samples}
    declared = {f"streamgauge_{each.name}" for each in (*MODELS, *CLIENTS, *USAGE, *TRUTH)}
    assert declared - families == set()
    # And what fires has a severity: a rule of the spec, a release, what users do, a feature
    two = {**ONE, "version": "2"}
    for labels in (
        {**two, "feature": "rule limit-holds", "detector": "rule"},
        {**two, "feature": "release output.score", "detector": "js"},
        {**two, "feature": "x0", "detector": "js"},
        {"model": "fraud", "version": "", "step": "", "feature": "feedback redo"}
        | {"detector": "rate"},
    ):
        assert (now.value("drift_severity_ratio", **labels) or 0) > 1, labels
        assert now.value("detector_state", **labels, state="firing") == 1
    assert now.value("model_silent_since_timestamp_seconds", model="asleep", step="") == (
        pytest.approx(START + 2, abs=0.1)
    )
    assert now.value("client_lost_events", model="fraud") == 6


def test_rates_are_weighted_over_shards_and_judged_ones_stand_beside_all_judgements() -> None:
    calm = model(interactions=300, behaviour=[rate("redo", 0.01, n=300, threshold=0.05)])
    angry = model(
        partition=1,
        interactions=100,
        feedback_orphans=3,
        behaviour=[
            rate("redo", 0.2, threshold=0.05, severity=4.0, state="firing"),
            rate("thumbs_up", 0.3, state="warming"),
        ],
    )
    now = scraped([calm, angry])
    assert now.value("feedback_rate_ratio", model="fraud", kind="redo") == pytest.approx(0.0575)
    assert now.value("feedback_rate_ratio", model="fraud", kind="thumbs_up") == 0.3
    assert now.value("window_interactions", model="fraud") == 400
    assert now.value("feedback_orphans_total", model="fraud") == 3
    labels = {"model": "fraud", "version": "", "step": "", "detector": "rate"}
    assert now.value("drift_severity_ratio", **labels, feature="feedback redo") == 4.0
    assert now.value("drift_threshold", **labels, feature="feedback redo") == 0.05
    # Of what is never judged there is a rate, and no verdict.
    assert "feedback thumbs_up" not in now.labels("detector_state", "feature")


def test_a_window_without_interactions_has_no_rate() -> None:
    (found,) = behaviour_of([rate("redo", None, n=0, state="too_few")], gravity=lambda j: (0, 0.0))
    assert found.ratio is None
    view = model(behaviour=[rate("redo", None, n=0, state="too_few")])
    assert scraped([view]).labels("feedback_rate_ratio", "kind") == []


def test_services_add_up_but_for_what_has_no_sum() -> None:
    # Given two processes that live, one of them on two shards, and one that is gone
    views = [
        model(clients=[client("a", cpu_ratio=0.2, memory_bytes=1e8, requests_per_second=5.0)]),
        model(
            partition=1,
            clients=[
                client("a", seen=NOW - 1, cpu_ratio=0.3, memory_bytes=2e8, requests_per_second=6.0),
                client("b", cpu_ratio=0.9, memory_bytes=1e8, requests_per_second=1.0),
                client("c", seen=NOW - 400, cpu_ratio=5.0, memory_bytes=1e9),
            ],
        ),
    ]
    now = scraped(views)
    assert now.value("client_processes", **SHOP) == 2
    assert now.value("client_cpu_ratio", **SHOP) == 0.9
    assert now.value("client_memory_bytes", **SHOP) == 3e8
    assert now.value("client_requests_per_second", **SHOP) == 7
    assert now.value("client_gpu_ratio", **SHOP) is None
    # When the last heartbeat is long past, Then there are none, and that is said
    now.now += 25
    now.reading = reading(
        [model(clients=[client("a", seen=NOW - 50, memory_bytes=1e8)])], read_at=now.now
    )
    assert now.value("client_processes", **SHOP) == 0
    assert now.value("client_memory_bytes", **SHOP) is None


def test_strangers_invent_neither_measurements_nor_services() -> None:
    many = [
        client(f"i{i}", made_up=1.0, cpu_ratio=math.inf).model_copy(update={"service": f"s{i:03}"})
        for i in range(100)
    ]
    now = scraped([model(clients=many)])
    assert not any("made_up" in name for name in now.names())
    assert len(now.labels("client_processes", "service")) == 20
    assert now.value("series_dropped_total", reason="services") is not None
    assert now.labels("client_cpu_ratio", "service") == []


def test_the_largest_slices_of_each_segment_are_shown_over_all_shards() -> None:
    one = [part(n=300, error_ratio=0.1, severity=0.5, feature="amount")]
    two = [part(n=100, error_ratio=0.5, severity=2.0, feature="age"), part("NO", n=50)]
    small = [part(f"X{i}", n=i) for i in range(1, 30)]
    views = [
        model(series=[series(slices=one)]),
        model(partition=1, series=[series(slices=[*two, *small])]),
    ]
    now = scraped(views)
    assert now.value("slice_predictions", **SWEDEN) == 400
    assert now.value("slice_error_ratio", **SWEDEN) == pytest.approx(0.2)
    assert now.value("slice_severity_ratio", **SWEDEN) == 2.0
    assert now.value("slice_severity_ratio", **{**SWEDEN, "value": "NO"}) is None
    assert sorted(now.labels("slice_predictions", "value")) == [
        "NO", "SE", "X22", "X23", "X24", "X25", "X26", "X27", "X28", "X29",
    ]  # fmt: skip


def test_slices_go_first_when_the_cap_is_reached() -> None:
    # Given models with ten slices each, and a cap that does not hold them all
    views = [
        model(f"m{i}", series=[series(slices=[part(f"v{k}") for k in range(10)])])
        for i in range(30)
    ]
    now = scraped(views, max_series=1_250)
    # Then every judgement is still there
    assert len(now.labels("drift_severity_ratio", "model")) == 30
    assert len(now.labels("slice_predictions", "value")) < 300
    assert (now.value("series_dropped_total", reason="cap") or 0) > 0


def test_a_claim_stands_as_on_the_worst_shard_and_has_one_state() -> None:
    views = [
        model(criteria=[criterion("fast"), criterion("right", "UNDECIDED")]),
        model(partition=1, criteria=[criterion("fast", "FAIL"), criterion("right", "PASS")]),
    ]
    now = scraped(views)
    for name, state in (("fast", "fail"), ("right", "undecided")):
        for each in ("pass", "fail", "undecided"):
            found = now.value("criterion_state", model="fraud", criterion=name, state=each)
            assert found == float(each == state)


def test_what_was_of_a_model_that_fell_silent_is_not_of_now() -> None:
    # Given a model that is well
    view = model(
        criteria=[criterion()],
        behaviour=[rate("redo", 0.01, threshold=0.05)],
        interactions=10,
        series=[series(slices=[part()])],
    )
    now = scraped([view])
    passed = {"model": "fraud", "criterion": "fast", "state": "pass"}
    assert now.value("criterion_state", **passed) == 1
    assert now.value("slice_predictions", **SWEDEN) == 600
    # When nothing comes of it any more
    now.now += 600
    silent = view.model_copy(update={"silent": {"": NOW - 2}})
    now.reading = reading([silent], [partition()], read_at=now.now)
    # Then since when, and nothing that looks like an answer
    since = now.value("model_silent_since_timestamp_seconds", model="fraud", step="")
    assert since == NOW - 2
    assert now.value("criterion_state", **passed) == 0
    assert now.value("criterion_state", **{**passed, "state": "undecided"}) == 1
    assert now.value("slice_predictions", **SWEDEN) is None
    assert now.value("feedback_rate_ratio", model="fraud", kind="redo") is None


def test_of_two_silent_shards_the_longer_silence_counts() -> None:
    views = [model(silent={"score": NOW - 50}), model(partition=1, silent={"score": NOW - 90})]
    since = scraped(views).value(
        "model_silent_since_timestamp_seconds", model="fraud", step="score"
    )
    assert since == NOW - 90


def test_a_release_is_judged_beside_the_drift_of_the_same_output() -> None:
    # Given an output that is like its reference and unlike that of the version before
    same = judgement("output.score", severity=0.3)
    other = judgement("output.score", severity=3.0, state="firing")
    errors = judgement("errors", severity=2.0, detector="error_ratio")
    output = (
        series()
        .features[0]
        .model_copy(
            update={
                "name": "output.score",
                "judgements": [same, other.model_copy(update={"kind": "release"})],
            }
        )
    )
    overall = [errors.model_copy(update={"kind": kind}) for kind in ("traffic", "release")]
    now = scraped([model(series=[series("2", features=[output], judgements=overall)])])
    two = {**ONE, "version": "2", "detector": "js"}
    assert now.value("drift_severity_ratio", **two, feature="output.score") == 0.3
    assert now.value("drift_severity_ratio", **two, feature="release output.score") == 3.0
    assert sorted(now.labels("drift_severity_ratio", "feature")) == [
        "errors", "output.score", "release errors", "release output.score",
    ]  # fmt: skip


def test_what_is_measured_without_a_limit_does_not_hide_the_verdict_beside_it() -> None:
    # Given a confidence that is compared, and whose low share has no limit to be held to
    name = "output.confidence"
    share = judgement(name, severity=None, state="warming", detector="low_confidence")
    shown_only = share.model_copy(update={"value": 0.4})
    output = feature(name, severity=0.3)
    output = output.model_copy(update={"judgements": [*output.judgements, shown_only]})
    now = scraped([model(series=[series(features=[output])])])
    # Then its verdict is that of the comparison
    labels = {**ONE, "feature": name, "detector": "js"}
    assert now.value("drift_severity_ratio", **labels) == 0.3
    # and alone it is what it is
    alone = output.model_copy(update={"judgements": output.judgements[1:]})
    now.reading = reading([model(series=[series(features=[alone])])])
    labels["detector"] = "low_confidence"
    assert now.value("detector_state", **labels, state="warming") == 1


def hostile_view(name: str) -> ModelView:
    return model(
        name,
        behaviour=[rate(name, 0.1, threshold=0.05)],
        clients=[client(name).model_copy(update={"service": name})],
        criteria=[criterion(name)],
        silent={name: NOW},
        series=[series(slices=[part(name, segment=name, severity=2.0)])],
    )


def test_hostile_names_give_a_valid_exposition() -> None:
    now = scraped([hostile_view(name) for name in HOSTILE.values()])
    text = generate_openmetrics(now.registry).decode()  # type: ignore[no-untyped-call]
    families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    slices = [s for f in families for s in f.samples if s.name.endswith("slice_predictions")]
    assert len({s.labels["value"] for s in slices}) == len(HOSTILE)
    assert HOSTILE["quotes"] in {s.labels["segment"] for s in slices}
    assert all(len(value) <= 128 for s in slices for value in s.labels.values())
    assert generate_latest(now.registry)
