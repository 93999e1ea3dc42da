"""``explain``: behaviour, clients, silence, slices, releases, and names that are no columns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.cli.explain_page import SETTLES_AFTER
from streamgauge.monitor import target
from streamgauge.specs import ModelSpec
from streamgauge.state.keys import PARTITION_FIELD, model_id, view_key
from streamgauge.state.spec_store import SpecStore
from streamgauge.state.views import (
    ClientView,
    FeatureView,
    HistogramView,
    JudgementView,
    ModelView,
    PartitionView,
    SeriesView,
    SliceView,
)

Run = Callable[..., Result]
NOON = 1_700_000_000.0


def judged(target: str, **given: object) -> JudgementView:
    document = {"target": target, "detector": "js", "state": "ok", "value": 0.1, **given}
    return JudgementView.model_validate({"threshold": 0.2, "severity": 0.5, "n": 600, **document})


def column(name: str, *judgements: JudgementView, **given: object) -> FeatureView:
    document = {"name": name, "type": "numeric", "judgements": judgements or [judged(name)]}
    return FeatureView.model_validate({**document, **given})


HISTOGRAM = HistogramView(
    bins=["≤ 0.001", "0.001 – 0.0178", "0.0178 – 3.2", "> 3.2"],
    reference=[0.0, 0.75, 0.25, 0.0],
    current=[0.0, 0.5, 0.5, 0.0],
)
SERIES = SeriesView(
    version="2.0.0",
    state="firing",
    window_start=NOON - 60,
    window_end=NOON,
    window_n=600,
    rival="1.9.0",
    reference_kind="learned",
    features=[
        column(
            "amount",
            judged("amount", state="firing", value=0.7, severity=3.5),
            judged("amount", detector="missing", value=0.0, severity=0.0),
            hints=["looks like cents instead of units: ×100"],
            provisional=True,
            histogram=HISTOGRAM,
        ),
        column("len(comment)", provisional=False, histogram=HISTOGRAM, hints=["odd\x1b[2J"]),
        column(
            "output.score",
            judged("output.score"),
            judged("output.score", kind="release", value=0.3, severity=1.5, state="firing"),
            mean=0.31,
        ),
        column("output.confidence", mean=0.84),
        column(
            "output.latency",
            judged("output.latency", detector="p95", value=0.0121, threshold=0.03),
            mean=0.0042,
            std=0.001,
            minimum=0.0001,
            maximum=0.25,
            histogram=HISTOGRAM,
        ),
    ],
    judgements=[
        judged("rule limit-holds", detector="rule", state="firing", value=0.11, threshold=1e-9,
               severity=1.1e8),
        judged("input.anomaly", detector="unusual"),
    ],
    slices=[
        SliceView(segment="country", value="NO", n=1_200, error_ratio=0.01, severity=0.4,
                  feature="age"),
        SliceView(segment="country", value="SE\x1b[2J", n=600, severity=3.25, feature="amount"),
        SliceView(segment="shop", value="tiny", n=12),
    ],
)  # fmt: skip


def act(kind: str, **given: object) -> JudgementView:
    return judged(kind, detector="rate", kind="feedback", **given)


def view(now: float) -> ModelView:
    return ModelView(
        model="fraud",
        partition=2,
        series=[SERIES],
        silent={"enrich": now - 720.0},
        accepted_at=NOON,
        accepted_by="ann\x1b[2J",
        interactions=1_000,
        feedback_orphans=3,
        behaviour=[
            act("redo", state="firing", value=0.2, threshold=0.05, severity=4.0),
            act("thumbs_up", state="warming", value=0.3, threshold=None, severity=None),
        ],
        lost_events=1_400,
        clients=[
            ClientView(
                service="checkout",
                instance=name,
                last_seen=now - 12,
                measurements={"cpu_ratio": 0.4, "memory_bytes": 2e8, "requests_per_second": 50.0},
            )
            for name in ("a", "b")
        ],
    )


@pytest.fixture
def told(redis_url: str) -> str:
    now = time.time()
    other = ModelView(model="fraud.output", partition=2, series=[SeriesView(version="1")])
    with Redis.from_url(redis_url) as redis:
        fields = {
            PARTITION_FIELD: PartitionView(partition=2, written_at=now).model_dump_json(),
            model_id("fraud"): view(now).model_dump_json(),
            model_id("fraud.output"): other.model_dump_json(),
        }
        redis.hset(view_key("streamgauge-monitor", 2), mapping=fields)
        rule = {"name": "limit-holds", "check": "amount <= limit", "max_ratio": 0.01}
        spec = ModelSpec.from_document({"model": "fraud", "rules": [rule]})
        SpecStore(redis).apply(spec, now=now - 100, by="ann")
    return redis_url


def page(run: Run, url: str, *target: str) -> str:
    result = run("--redis", url, "explain", *target)
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout
    return result.stdout


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_what_must_be_known_first_stands_at_the_head(run: Run, told: str) -> None:
    head = page(run, told, "fraud").partition("\n\n")[0]
    assert "SILENT: no predictions of step enrich since" in head
    assert "UTC, 12 min ago" in head
    assert "the stream showed at 2023-11-14 22:13:20 UTC is the normal (ann·[2J)" in head


def test_a_release_is_told_from_the_drift_of_the_same_output(run: Run, told: str) -> None:
    shown = lines(page(run, told, "fraud"))
    assert "held against version 1.9.0" in shown
    assert "outputs, on average: score 0.31, confidence 0.84" in shown
    assert "release output.score js FIRING 0.3 0.2 1.5 600 against version 1.9.0" in shown
    assert "output.score js ok 0.1 0.2 0.5 600 -" in shown
    assert "output.latency p95 ok 12.1 ms 30 ms 0.5 600 -" in shown


def test_the_page_is_short_where_nothing_is_to_be_said(run: Run, told: str) -> None:
    shown = lines(page(run, told, "fraud"))
    # Nothing is allowed, so the factor says nothing.
    assert "rule limit-holds rule FIRING 0.11 0 > 1000 600 -" in shown
    assert "and 1 more that are ok and nowhere near" in shown
    assert not any(line.startswith("amount missing") for line in shown)
    # A model of which there is nothing but a name has none of the blocks.
    plain = page(run, told, "fraud.output")
    for block in ("SILENT", "behaviour:", "clients:", "SLICE", "hint", "held against", "accepted:"):
        assert block not in plain


def test_a_young_reference_is_said_to_be_with_its_end(run: Run, told: str) -> None:
    assert SETTLES_AFTER == target.SETTLES_AFTER
    text = page(run, told, "fraud")
    young = "provisional for amount: it judges softly until it holds 7d of ordinary windows"
    assert f"reference: learned, {young}" in text
    assert "reference: provisional: it judges softly" in page(run, told, "fraud.amount")
    assert "provisional" not in page(run, told, "fraud.output.confidence")


def test_hints_stand_below_with_the_worst_feature_first(run: Run, told: str) -> None:
    shown = [line for line in lines(page(run, told, "fraud")) if line.startswith("hint")]
    assert shown == [
        "hint: amount: looks like cents instead of units: ×100",
        "hint: len(comment): odd·[2J",
    ]
    assert "hint: looks like cents" in page(run, told, "fraud.amount")


def test_slices_the_worst_first(run: Run, told: str) -> None:
    shown = lines(page(run, told, "fraud"))
    start = shown.index("SLICE EVENTS ERRORS SEVERITY MOVED MOST")
    assert shown[start + 1 : start + 4] == [
        "country = SE·[2J 600 - 3.25 amount",
        "country = NO 1,200 1 % 0.4 age",
        "shop = tiny 12 - - -",
    ]


def test_what_users_do_and_who_publishes(run: Run, told: str) -> None:
    shown = lines(page(run, told, "fraud"))
    assert "behaviour: 1,000 interactions in the last window" in shown
    assert "3 acts on interactions of which no prediction is known" in shown
    assert "redo FIRING 20 % 5 % 4 600" in shown
    assert "thumbs_up warming 30 % - - 600" in shown
    (clients,) = [line for line in shown if line.startswith("clients:")]
    assert clients.startswith("clients: 2 processes alive, last heard 1")
    assert clients.endswith("s ago; 1,400 events LOST on the way to the log")
    assert "checkout 2 40 % 400 MB 100 -" in shown


@pytest.mark.parametrize(
    ("target", "title", "says"),
    [
        (["fraud.len(comment)"], "fraud.len(comment)", "features.len(comment).type inferred"),
        (["fraud.output.confidence"], "fraud.output.confidence", "output.low_confidence 0.5"),
        (["fraud.input.anomaly"], "fraud.input.anomaly", "watch.anomaly yes default"),
        (["fraud.rule limit-holds"], "fraud.rule limit-holds", "rules.limit-holds amount <= limit"),
        # A shell parts a name of two words, and nobody wants to type the first of them.
        (["fraud.rule", "limit-holds"], "fraud.rule limit-holds", "(at most 1 % break it"),
        (["fraud.limit-holds"], "fraud.rule limit-holds", "rule FIRING"),
        (["fraud.redo"], "fraud.feedback redo", "redo rate FIRING 0.2 0.05 4"),
        # There is a model fraud.output, and it has no score.
        (["fraud.output.score"], "fraud.output.score", "release output.score js FIRING"),
    ],
)
def test_all_that_is_judged_has_a_page(
    run: Run, told: str, target: list[str], title: str, says: str
) -> None:
    text = page(run, told, *target)
    assert text.startswith(f"{title}\n")
    assert says in "\n".join(lines(text))


def test_a_latency_has_its_unit_everywhere(run: Run, told: str) -> None:
    text = page(run, told, "fraud.output.latency")
    assert "numeric: mean 4.2 ms, standard deviation 1 ms, from 0.1 ms to 250 ms" in text
    bins = [line.partition(" reference")[0] for line in lines(text) if " reference " in line]
    # What is empty at both ends of the grid is not drawn.
    assert bins == ["1 – 17.8 ms", "17.8 – 3200 ms"]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fraud.limit-hold", "did you mean 'rule limit-holds'?"),
        (
            "fraud.output.scor",
            "model 'fraud' has no feature 'output.scor'; did you mean 'output.score'",
        ),
        ("fraud.rule limits", "did you mean 'rule limit-holds'?"),
    ],
)
def test_slips_of_such_names(run: Run, told: str, target: str, words: str) -> None:
    result = run("--redis", told, "explain", target)
    assert result.exit_code == 1
    assert words in result.stderr and result.stderr.count("\n") == 1


def test_without_a_name_it_is_wrong_usage(run: Run, told: str) -> None:
    assert run("--redis", told, "explain").exit_code == 2


def test_programs_get_rules_and_acts_too(run: Run, told: str) -> None:
    found = json.loads(run("--redis", told, "explain", "fraud.redo", "-o", "json").stdout)
    assert found["feature"] == "feedback redo"
    assert found["views"][0]["series"] == "all versions"
    assert found["views"][0]["judgements"][0]["severity"] == 4.0
