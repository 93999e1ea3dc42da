"""The event that leaves: valid, complete, the same bytes and ids on every replay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.alarms.event import MOST_FEATURES, MOST_HISTOGRAMS, alarm_event
from streamgauge.alarms.finding import Finding, Span
from streamgauge.alarms.identity import alarm_id, fingerprint
from streamgauge.alarms.policy import GONE, AlarmPolicy, Edge
from streamgauge_client.events import AlarmEvent, Histogram

MakeFinding = Callable[..., Finding]
MakeSpan = Callable[..., Span]
MakeEdge = Callable[..., Edge]
HISTOGRAM = Histogram(bins=["≤ 1", "> 1"], reference=[0.5, 0.5], current=[0.1, 0.9])


@pytest.fixture
def edge(finding: MakeFinding, span: MakeSpan) -> MakeEdge:
    """What the policy makes of drift in windows 0 and 1."""

    def make(status: str = "firing", *, step: str = "") -> Edge:
        policy = AlarmPolicy()
        worse = finding("sensor_3", 4.0, histogram=HISTOGRAM, others={"psi": 1.5, "ks": 0.4})
        drift, calm = [finding("amount", 2.0), worse], [finding("amount", 0.5)]
        edges = [
            policy.judge("feature_drift", span(number, step=step), findings)
            for number, findings in enumerate((drift, drift, [], calm))
        ]
        calmed = [finding("amount", 0.5), finding("sensor_3", 0.5)]
        for number in (4, 5):
            edges.append(policy.judge("feature_drift", span(number, step=step), calmed))
        (found,) = [each for each in edges if each is not None and each.status == status]
        return found

    return make


def event_of(edge: Edge, **differences: Any) -> AlarmEvent:
    given: dict[str, Any] = {
        "model": "fraud",
        "topic": "streamgauge.predictions",
        "partition": 3,
        "severity": "warning",
        "reference": ("0123456789ab", 5000),
        "detections": {"sensor_3": [55.0, 61.0], "latency": [7.0]},
        "owner": "risk",
        "runbook_url": "https://wiki.example/fraud",
    }
    return alarm_event(edge, **(given | differences))


def test_a_firing_alarm_says_everything(edge: MakeEdge) -> None:
    found = event_of(edge())
    assert (found.status, found.kind, found.model, found.version) == (
        "firing",
        "feature_drift",
        "fraud",
        "1",
    )
    assert (found.feature, found.rule, found.direction) == ("sensor_3", "js", "changed")
    assert (found.value, found.threshold, found.severity_ratio) == (0.8, 0.2, 4.0)
    assert (found.severity, found.shard, found.owner) == ("warning", 3, "risk")
    assert found.runbook_url == "https://wiki.example/fraud"
    assert (found.starts_at, found.ends_at, found.affected) == (0.0, None, 1000)
    assert found.window is not None and found.window.model_dump() == {
        "start": 60.0,
        "end": 120.0,
        "n": 500,
    }
    assert found.reference is not None and found.reference.id == "0123456789ab"
    assert found.reason == "2 of the last 3 windows exceed the threshold"
    assert found.summary.startswith("fraud: sensor_3 moved away from its reference")


def test_evidence(edge: MakeEdge) -> None:
    evidence = event_of(edge()).evidence
    first, second = evidence.top_features
    # Shares of the excess: 3 and 1 above the threshold.
    assert (first.feature, first.contribution) == ("sensor_3", 0.75)
    assert (second.feature, second.contribution) == ("amount", 0.25)
    assert first.others == {"psi": 1.5, "ks": 0.4}
    assert evidence.histograms == {"sensor_3": HISTOGRAM}
    assert [position.offset for position in evidence.positions] == [0, 500, 999], "the onset too"
    assert {position.partition for position in evidence.positions} == {3}
    # Detections of what is not part of it are not evidence.
    assert evidence.detections == {"sensor_3": [55.0, 61.0]}


def test_a_resolved_alarm(edge: MakeEdge) -> None:
    found = event_of(edge("resolved"))
    assert (found.status, found.feature) == ("resolved", "sensor_3")
    assert (found.starts_at, found.ends_at, found.affected) == (0.0, 360.0, None)
    assert found.severity_ratio is None and found.value is None
    assert found.summary == "fraud: sensor_3 is back to normal after 6 min"
    assert found.evidence.top_features == []


def test_an_alarm_whose_version_went_away_does_not_claim_that_all_is_well(edge: MakeEdge) -> None:
    found = event_of(replace(edge("resolved"), reason=GONE))
    assert found.summary == "fraud: sensor_3 is no longer there to judge after 6 min"


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_the_same_edge_is_the_same_bytes(edge: MakeEdge, status: str) -> None:
    one, other = event_of(edge(status)), event_of(edge(status))
    data = one.model_dump_json()
    assert data == other.model_dump_json()
    # And what leaves can be read by whoever has the contract alone.
    assert AlarmEvent.model_validate_json(data) == one


def test_an_alarm_of_many_features_stays_readable(finding: MakeFinding, span: MakeSpan) -> None:
    findings = [finding(f"f{i:03d}", 300.0 - i, histogram=HISTOGRAM) for i in range(200)]
    policy = AlarmPolicy()
    policy.judge("feature_drift", span(0), findings)
    made = policy.judge("feature_drift", span(1), findings)
    assert made is not None
    found = event_of(made)
    assert len(found.evidence.top_features) == MOST_FEATURES
    assert list(found.evidence.histograms) == ["f000", "f001", "f002"][:MOST_HISTOGRAMS]
    assert "(and 199 more features)" in found.summary
    # Contributions are of the whole, not of those that are named.
    assert sum(each.contribution for each in found.evidence.top_features) < 0.2
    assert len(found.model_dump_json()) < 10_000


@pytest.mark.parametrize(("mild", "expected"), [((True, True), "info"), ((True, False), "warning")])
def test_a_young_reference_speaks_softly(
    finding: MakeFinding, span: MakeSpan, mild: tuple[bool, bool], expected: str
) -> None:
    findings = [finding(name, mild=each) for name, each in zip("ab", mild, strict=True)]
    policy = AlarmPolicy()
    policy.judge("feature_drift", span(0), findings)
    made = policy.judge("feature_drift", span(1), findings)
    assert made is not None
    assert event_of(made).severity == expected


def test_a_very_long_sentence_is_cut(finding: MakeFinding, span: MakeSpan) -> None:
    policy, findings = AlarmPolicy(), [finding("f", change="x" * 5000)]
    policy.judge("feature_drift", span(0), findings)
    made = policy.judge("feature_drift", span(1), findings)
    assert made is not None
    assert len(event_of(made).summary) == 1000


def test_ids_of_a_replay_are_the_same(edge: MakeEdge) -> None:
    assert event_of(edge()).alarm_id == event_of(edge()).alarm_id
    # Pinned: another id for the same edge is a duplicate for every subscriber after an upgrade.
    assert event_of(edge()).alarm_id == "8b24d1332d60a4996e633b65f8ce2cec"
    assert event_of(edge()).fingerprint == "5fbe031390af57b830423ec9727906a7"


def test_evidence_and_settings_do_not_change_the_id(edge: MakeEdge) -> None:
    plain = event_of(edge())
    other = event_of(
        replace(edge(), findings=edge().findings[:1]),
        severity="critical",
        reference=None,
        detections=None,
        owner=None,
        runbook_url=None,
    )
    assert (other.alarm_id, other.fingerprint) == (plain.alarm_id, plain.fingerprint)


def test_one_cause_has_one_fingerprint(edge: MakeEdge) -> None:
    fired, resolved = event_of(edge()), event_of(edge("resolved"))
    assert fired.fingerprint == resolved.fingerprint
    assert fired.alarm_id != resolved.alarm_id


@pytest.mark.parametrize(
    "difference",
    [
        {"topic": "other.predictions"},
        {"partition": 4},
        {"model": "credit"},
        {"kind": "data_quality"},
        {"scope": {"step": "rank"}},
        {"scope": {"segment": "rank"}},
        {"scope": {}},
        {"edge": "resolved"},
        {"window_end": 120.1},
    ],
    ids=lambda difference: f"{next(iter(difference))}",
)
def test_another_scope_is_another_id(difference: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "topic": "streamgauge.predictions",
        "partition": 3,
        "model": "fraud",
        "kind": "feature_drift",
        "scope": {"step": "score"},
        "edge": "firing",
        "window_end": 120.0,
    }
    assert alarm_id(**(given | difference)) != alarm_id(**given)


def test_steps_are_causes_of_their_own(edge: MakeEdge) -> None:
    one, other = event_of(edge()), event_of(edge(step="rank"))
    assert one.scope == {} and other.scope == {"step": "rank"}
    assert one.fingerprint != other.fingerprint and one.alarm_id != other.alarm_id


def test_the_order_of_a_scope_does_not_matter() -> None:
    one = fingerprint("m", "k", {"a": "1", "b": "2"}, partition=0)
    assert one == fingerprint("m", "k", {"b": "2", "a": "1"}, partition=0)


@given(st.lists(st.text(max_size=5), min_size=4, max_size=4), st.text(max_size=5))
def test_names_can_not_be_moved_into_one_another(names: list[str], more: str) -> None:
    model, kind, key, value = names
    one = fingerprint(model, kind, {key: value}, partition=0)
    if more:
        assert one != fingerprint(model + more, kind, {key: value}, partition=0)
        assert fingerprint(model + more, kind, {}, partition=0) != fingerprint(
            model, more + kind, {}, partition=0
        )
    assert one != fingerprint(model, kind, {}, partition=0)
    assert one != fingerprint(model, kind, {key: value, key + "x": value}, partition=0)
