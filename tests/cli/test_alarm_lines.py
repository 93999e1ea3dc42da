"""Alarms in ``tail``: what somebody who was woken wants to know, and nothing that is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamgauge.cli.tail_lines import detail_lines, text_line
from tests.cli.test_tail import seen

DRIFT: dict[str, Any] = {
    "status": "firing",
    "severity": "warning",
    "kind": "feature_drift",
    "model": "fraud",
    "version": "2.0.0",
    "scope": {"step": "score"},
    "summary": "fraud: amount moved away from its reference: mean 50 → 5000, ×100",
    "feature": "amount",
    "starts_at": 1_700_000_000.0,
    "affected": 41_200,
    "earliest_step": "enrich",
    "contingency": "Switch the client to the rules.",
    "objective": "Stop fraud",
    "owner": "risk-ml",
    "runbook_url": "https://wiki.example/fraud",
    "evidence": {
        "top_features": [
            {"feature": "amount", "contribution": 0.7, "change": "mean 50 → 5000, ×100"},
            {"feature": "age", "contribution": 0.2, "change": "mean 40 → 44, +0.3 σ"},
            {"feature": "shop", "contribution": 0.1},
        ],
        "slices": [
            {"segment": "country", "value": "SE", "severity_ratio": 3.25, "feature": "amount"},
            {"segment": "country", "value": "NO", "severity_ratio": 1e8},
        ],
        "hints": ["amount: looks like cents instead of units: ×100"],
        "changed_this_week": False,
    },
}


def shown(alarm: dict[str, Any]) -> list[str]:
    record = seen(json.dumps(alarm).encode())
    return [text_line("alarms", record), *detail_lines("alarms", record)]


def test_below_an_alarm_stands_where_why_and_what_to_do() -> None:
    assert shown(DRIFT) == [
        "2023-11-14 22:13:20 fraud  FIRING warning feature_drift: amount moved away from its "
        "reference: mean 50 → 5000, ×100",
        "    since 2023-11-14 22:13:20 UTC, 41,200 predictions affected so far",
        "    also age, 20 % of it: mean 40 → 44, +0.3 σ",
        "    also shop, 10 % of it",
        "    most in country = SE (3.25 × threshold, by amount), country = NO (> 1000 × threshold)",
        "    hint: amount: looks like cents instead of units: ×100",
        "    not new: the last seven days look like it too",
        "    this is step score; look at step enrich first",
        "    what to do: Switch the client to the rules.",
        "    owner risk-ml; runbook https://wiki.example/fraud; for: Stop fraud",
    ]


def test_an_alarm_without_evidence_is_a_line() -> None:
    alarm = {key: DRIFT[key] for key in ("status", "severity", "kind", "model", "summary")}
    assert len(shown(alarm)) == 1


def test_one_that_is_over_needs_nobody() -> None:
    assert len(shown({**DRIFT, "status": "resolved"})) == 1


def test_who_took_it_and_until_when() -> None:
    handling = {"alarm_id": "a", "by": "ann\x1b[2J", "at": 1_700_000_000.0}
    taken = {**DRIFT, "status": "acknowledged", "reason": "the feed", "handling": handling}
    assert shown(taken)[1:] == ["    by ann·[2J: the feed"]
    silenced = {**taken, "status": "silenced", "handling": {**handling, "until": 1_700_003_600.0}}
    assert shown(silenced)[1:] == ["    by ann·[2J, until 2023-11-14 23:13:20 UTC: the feed"]


def test_a_silence_says_whether_the_clients_live() -> None:
    alive = "its clients are alive: there is no traffic, or it does not reach them"
    silence = {
        **DRIFT,
        "kind": "staleness",
        "summary": "fraud: no predictions of step score for 15 min (at most 5 min)",
        "description": alive,
        "earliest_step": None,
        "evidence": {},
        "affected": None,
    }
    lines = shown(silence)
    assert f"    {alive}" in lines
    # The sentence names the step already.
    assert not any("this is step" in line for line in lines)


def test_a_release_is_told_by_its_version() -> None:
    line = shown({**DRIFT, "summary": "fraud 2.0.0: the score is distributed otherwise"})[0]
    assert line.endswith("feature_drift: version 2.0.0: the score is distributed otherwise")


def test_the_first_step_that_moved_is_where_to_look() -> None:
    lines = shown({**DRIFT, "earliest_step": "score"})
    assert "    this is step score; no earlier one moved" in lines


@pytest.mark.parametrize(
    "odd",
    [
        {"evidence": "?"},
        {"handling": "?", "reason": 3},
        {"handling": {"until": "noon", "by": ["ann"]}},
        {"evidence": {"slices": 5, "hints": {"a": 1}, "top_features": [None, 3]}},
        {"evidence": {"slices": [{"severity_ratio": "high"}]}, "affected": "many"},
        {"scope": ["step"], "starts_at": "noon", "summary": None},
        {"starts_at": 1e300, "hints": ["\x1b[2J"], "contingency": "\x1b[2J\na", "owner": "\u202e"},
    ],
)
def test_whatever_lies_in_the_topic_can_be_read(odd: dict[str, Any]) -> None:
    for line in shown({**DRIFT, **odd}):
        assert line.isprintable()
        assert len(line) <= 400


def test_other_streams_have_a_line_a_record() -> None:
    assert detail_lines("predictions", seen(json.dumps(DRIFT).encode())) == []
    assert detail_lines("alarms", seen(b"garbage")) == []
