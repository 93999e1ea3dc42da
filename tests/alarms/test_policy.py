"""When an alarm begins and ends: stories window by window, and what holds for any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.alarms.finding import Finding, Span, State
from streamgauge.alarms.policy import GONE, AlarmPolicy, Edge
from streamgauge.state.packing import pack, unpack

MakeFinding = Callable[..., Finding]
MakeSpan = Callable[..., Span]
Story = Callable[..., list[Edge | None]]
KIND = "feature_drift"


@pytest.fixture
def story(finding: MakeFinding, span: MakeSpan) -> Story:
    """One target, one character a window: ``x`` exceeds, ``.`` is below, ``?`` can't be judged."""

    def tell(windows: str, *, policy: AlarmPolicy | None = None) -> list[Edge | None]:
        policy = policy or AlarmPolicy()
        says = {
            "x": finding(),
            ".": finding(severity=0.5),
            "?": finding(severity=0.0, state="too_few"),
        }
        return [
            policy.judge(KIND, span(number), [says[window]])
            for number, window in enumerate(windows)
        ]

    return tell


def told(edges: Sequence[Edge | None]) -> str:
    """``F`` where an alarm fires, ``R`` where it resolves, a dash elsewhere."""
    return "".join(edge.status[0].upper() if edge is not None else "-" for edge in edges)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        # Two of the last three.
        ("..........", "----------"),
        ("x.........", "----------"),
        ("xx", "-F"),
        ("x.x", "--F"),
        ("x..x", "----"),
        ("x..x.x", "-----F"),
        ("x..x..x..", "---------"),
        # Once, however long it goes on.
        ("xxxxxxxxxx", "-F--------"),
        # Two in a row below, and not one.
        ("xx.", "-F-"),
        ("xx..", "-F-R"),
        ("xx.x.x.x..", "-F-------R"),
        ("xxxxxx....", "-F-----R--"),
        # Afterwards it is a new alarm, with the same patience.
        ("xx..x....", "-F-R-----"),
        ("xx..xx", "-F-R-F"),
        ("xx..x.x..", "-F-R--F-R"),
        # Windows that can't be judged neither raise nor calm.
        ("x?x", "--F"),
        ("xx?????", "-F-----"),
        ("xx.?.", "-F--R"),
        ("?????", "-----"),
    ],
)
def test_story(story: Story, windows: str, expected: str) -> None:
    assert told(story(windows)) == expected


def test_what_an_edge_says(story: Story) -> None:
    # Given quiet, then drift in windows 2 to 4, then quiet
    edges = story("..xxx..")
    fired, resolved = edges[3], edges[6]
    assert fired is not None and resolved is not None
    # Then the onset is where it began, not where it was sure
    assert (fired.status, fired.since, fired.span.end) == ("firing", 120.0, 240.0)
    assert (fired.lead, fired.affected) == ("amount", 1000)
    assert fired.reason == "2 of the last 3 windows exceed the threshold"
    assert (resolved.status, resolved.since, resolved.span.end) == ("resolved", 120.0, 420.0)
    assert resolved.lead == "amount"
    assert resolved.reason == "2 windows below the threshold"
    assert resolved.findings == ()


def test_the_onset_is_among_the_windows_that_count(story: Story) -> None:
    # A window that exceeded by chance, forgotten by now, is not where this began.
    fired = story("x..xx")[4]
    assert fired is not None
    assert (fired.since, fired.affected) == (180.0, 1000)
    fired = story("x.x")[2]
    assert fired is not None
    assert (fired.since, fired.affected) == (0.0, 1000)


def test_thirty_broken_features_are_one_alarm(finding: MakeFinding, span: MakeSpan) -> None:
    policy = AlarmPolicy()
    features = [f"sensor_{i:02d}" for i in range(30)]
    findings = [finding(name, severity=1.5 + i) for i, name in enumerate(features)]
    edges = [policy.judge(KIND, span(number), findings) for number in range(3)]
    assert told(edges) == "-F-"
    assert edges[1] is not None
    assert [f.target for f in edges[1].findings] == features[::-1]
    assert edges[1].lead == "sensor_29"


def test_a_feature_that_joins_later_starts_no_second_alarm(
    finding: MakeFinding, span: MakeSpan
) -> None:
    policy, calm = AlarmPolicy(), {"severity": 0.5}
    script = [
        [finding("a"), finding("b", **calm)],
        [finding("a"), finding("b", **calm)],
        [finding("a", **calm), finding("b")],
        [finding("a", **calm), finding("b")],
        [finding("a", **calm), finding("b", **calm)],
        [finding("a", **calm), finding("b", **calm)],
    ]
    edges = [policy.judge(KIND, span(number), each) for number, each in enumerate(script)]
    # It ends when the last of them has ended, under the name it began with.
    assert told(edges) == "-F---R"
    assert edges[5] is not None and edges[5].lead == "a"


def test_two_targets_that_exceed_in_turn_are_not_two_of_three(
    finding: MakeFinding, span: MakeSpan
) -> None:
    policy = AlarmPolicy()
    edges = []
    for number in range(6):
        bad = "abcdef"[number]
        findings = [finding(name, severity=2.0 if name == bad else 0.5) for name in "abcdef"]
        edges.append(policy.judge(KIND, span(number), findings))
    assert told(edges) == "------"


def test_kinds_and_steps_are_alarms_of_their_own(finding: MakeFinding, span: MakeSpan) -> None:
    policy = AlarmPolicy()
    for number in range(2):
        for step in ("", "rank"):
            for kind in (KIND, "data_quality"):
                edge = policy.judge(kind, span(number, step=step), [finding(kind=kind)])
                assert (edge is not None) is (number == 1)
    assert policy.is_firing("") and policy.is_firing("rank") and not policy.is_firing("other")


def test_versions_count_apart_and_alarm_together(finding: MakeFinding, span: MakeSpan) -> None:
    # Given a canary that drifts beside the old version
    policy = AlarmPolicy()
    edges = []
    for number in range(4):
        for version, severity in (("1", 0.5), ("2", 3.0 if number < 2 else 0.5)):
            edges.append(
                policy.judge(KIND, span(number, version=version), [finding(severity=severity)])
            )
    # Then the old version's calm windows do not calm it
    assert told(edges) == "---F---R"


def test_what_is_active(story: Story, finding: MakeFinding, span: MakeSpan) -> None:
    policy = AlarmPolicy()
    story("x", policy=policy)
    assert not policy.is_active(KIND, "", "1", "amount") and not policy.is_firing("")
    policy.judge(KIND, span(1), [finding()])
    assert policy.is_active(KIND, "", "1", "amount") and policy.is_firing("")
    assert not policy.is_active(KIND, "", "2", "amount")
    assert not policy.is_active(KIND, "", "1", "amoun")
    assert not policy.is_active("data_quality", "", "1", "amount")


def test_a_retired_version_is_forgotten(finding: MakeFinding, span: MakeSpan) -> None:
    # Given an alarm of version 1, which then serves no more
    policy = AlarmPolicy()
    for number in range(2):
        policy.judge(KIND, span(number), [finding()])
    assert policy.is_firing("")
    # When version 2 alone goes on, and well
    edges = [
        policy.judge(KIND, span(number, version="2"), [finding(severity=0.5)])
        for number in range(2, 20)
    ]
    # Then the alarm does not stay open for ever, and does not claim that version 1 healed
    assert told(edges).strip("-") == "R"
    resolved = next(edge for edge in edges if edge is not None)
    assert resolved.reason == GONE
    assert resolved.span.end - 120.0 >= 600.0
    assert policy.state() == []


def test_a_rule_with_long_windows_is_not_forgotten_between_them(
    finding: MakeFinding, span: MakeSpan
) -> None:
    # Given hard rules that judge every half minute, and a jump of scale every ten minutes
    policy = AlarmPolicy()
    kind = "data_quality"
    fine = finding(kind=kind, rule="missing", severity=0.1)
    jump = finding(kind=kind, rule="scale", severity=9.0)
    edges = []
    for number in range(60):
        short = span(number, start=30.0 * number, end=30.0 * number + 30.0)
        edges.append(policy.judge(kind, short, [fine]))
        if number % 20 == 19:
            long = span(number, start=30.0 * number - 570.0, end=30.0 * number + 30.0)
            edges.append(policy.judge(kind, long, [jump]))
    # Then the second jump fires, and the short windows do not end it
    assert told(edges).strip("-") == "F"


def test_nothing_is_kept_of_what_is_well(finding: MakeFinding, span: MakeSpan) -> None:
    policy = AlarmPolicy()
    for number in range(10):
        policy.judge(KIND, span(number), [finding(f"f{i}", severity=0.5) for i in range(100)])
    assert policy.state() == []
    policy.judge(KIND, span(10), [finding()])
    for number in range(11, 14):
        policy.judge(KIND, span(number), [finding(severity=0.5)])
    assert policy.state() == []


def test_an_inhibited_finding_does_not_speak(finding: MakeFinding, span: MakeSpan) -> None:
    policy = AlarmPolicy()
    quiet = finding().inhibit("its data-quality alarm explains it")
    assert told([policy.judge(KIND, span(number), [quiet]) for number in range(5)]) == "-----"
    assert quiet.reason == "its data-quality alarm explains it"


STATES: list[State] = ["ok", "exceeding", "warming", "too_few", "no_data", "inhibited"]


@st.composite
def judgements(draw: st.DrawFn) -> list[tuple[str, Span, list[Finding]]]:
    """Windows of some versions and steps in order of time, with any findings."""
    script = []
    for number in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from([KIND, "data_quality"]))
        window = Span(
            number * 60.0,
            number * 60.0 + draw(st.sampled_from([10.0, 60.0])),
            draw(st.integers(1, 900)),
            number,
            number,
            draw(st.sampled_from(["1", "2"])),
            draw(st.sampled_from(["", "rank"])),
        )
        findings = []
        for target in draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3)):
            state = draw(st.sampled_from(STATES))
            severity = {"exceeding": 1.5, "ok": 0.5, "inhibited": 1.5}.get(state)
            findings.append(Finding(target, kind, "js", state, severity=severity))
        script.append((kind, window, findings))
    return script


@given(script=judgements())
def test_edges_take_turns(script: list[tuple[str, Span, list[Finding]]]) -> None:
    policy = AlarmPolicy()
    last: dict[tuple[str, str], Literal["firing", "resolved"]] = {}
    for kind, window, findings in script:
        edge = policy.judge(kind, window, findings)
        if edge is None:
            continue
        key = (edge.kind, edge.step)
        assert key == (kind, window.step)
        # Never twice, and never resolved without having fired.
        assert last.get(key, "resolved") != edge.status
        last[key] = edge.status
        assert edge.since <= window.start and edge.lead and edge.reason
        if edge.status == "firing":
            assert edge.findings and all(finding.exceeds for finding in edge.findings)
            assert edge.affected >= window.n
    for (_, step), status in last.items():
        if status == "firing":
            assert policy.is_firing(step)
    for step in {window.step for _, window, _ in script}:
        assert policy.is_firing(step) is any(
            status == "firing" for (_, s), status in last.items() if s == step
        )


@given(script=judgements(), data=st.data())
def test_a_restored_policy_goes_on_identically(
    script: list[tuple[str, Span, list[Finding]]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(script)))
    whole = AlarmPolicy()
    expected = [whole.judge(*each) for each in script]
    first, second = AlarmPolicy(), AlarmPolicy()
    edges = [first.judge(*each) for each in script[:cut]]
    second.restore(unpack(pack(first.state())))
    edges += [second.judge(*each) for each in script[cut:]]
    assert edges == expected
    assert pack(second.state()) == pack(whole.state())


@given(script=judgements())
def test_the_order_of_findings_in_a_window_does_not_matter(
    script: list[tuple[str, Span, list[Finding]]],
) -> None:
    one, other = AlarmPolicy(), AlarmPolicy()
    for kind, window, findings in script:
        assert one.judge(kind, window, findings) == other.judge(kind, window, findings[::-1])
    assert pack(one.state()) == pack(other.state())


@given(script=judgements())
def test_findings_survive_being_stored(
    script: list[tuple[str, Span, list[Finding]]],
) -> None:
    for _, _, findings in script:
        for each in findings:
            assert Finding.from_stored(unpack(pack(each.stored()))) == each
