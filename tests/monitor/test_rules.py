"""Rules over batches: the same answers as one event at a time, whatever the columns hold."""

from __future__ import annotations

import ast
import math
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamgauge.batch.columns import group_by_model
from streamgauge.batch.decode import decode_records
from streamgauge.batch.features import Column, feature_columns
from streamgauge.monitor.rule_columns import rule_columns
from streamgauge.monitor.rules import CompiledRule, compile_rule
from tests.monitor.streams import START, prediction

Event = dict[str, Any]


def ask(check: str, *events: Event) -> list[str]:
    """What the rule says of each event: holds, broken, or n/a."""
    violated, applicable = evaluate(compile_rule(check), list(events))
    return words(violated, applicable)


def evaluate(
    rule: CompiledRule, events: list[Event]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return rule.evaluate(feature_columns(events, sorted(rule.names)), len(events))


def words(violated: NDArray[np.bool_], applicable: NDArray[np.bool_]) -> list[str]:
    assert not (violated & ~applicable).any()
    return [
        ("broken" if bad else "holds") if asked else "n/a"
        for bad, asked in zip(violated, applicable, strict=True)
    ]


@pytest.mark.parametrize(
    ("check", "event", "answer"),
    [
        ("a <= b", {"a": 1.0, "b": 2.0}, "holds"),
        ("a <= b", {"a": 3.0, "b": 2.0}, "broken"),
        ("a <= b", {"a": None, "b": 2.0}, "n/a"),
        ("a <= b", {"b": 2.0}, "n/a"),
        # What is known may decide alone.
        ("a <= b or b == 2", {"b": 2.0}, "holds"),
        ("a <= b and b == 3", {"b": 2.0}, "broken"),
        ("a <= b and b == 2", {"b": 2.0}, "n/a"),
        # Types that do not fit are a fault, unless something else decides.
        ("a < 3", {"a": "2"}, "broken"),
        ("not a < 3", {"a": "2"}, "broken"),
        ("a < 3", {"a": [1.0, 2.0]}, "broken"),
        ("a + 1 == 3", {"a": "2"}, "broken"),
        ("missing(a) or a < 3", {"a": "2"}, "broken"),
        ("a < 3 and b < 3", {"a": "2"}, "broken"),
        ("kind == 'text' or a < 3", {"a": "2", "kind": "text"}, "holds"),
        # Different types are unequal, and that is no fault.
        ("a == 2", {"a": "2"}, "broken"),
        ("a != 2", {"a": "2"}, "holds"),
        ("a in [1, '2']", {"a": "2"}, "holds"),
        ("a not in [1, '2']", {"a": 2.0}, "holds"),
        ("a not in [1, '2']", {}, "n/a"),
        ("a in [True]", {"a": True}, "holds"),
        # Booleans.
        ("a", {"a": True}, "holds"),
        ("not a", {"a": True}, "broken"),
        ("a == False", {"a": False}, "holds"),
        ("a and b > 1", {"a": "yes", "b": 2.0}, "broken"),
        ("a", {"a": 1.0}, "broken"),
        ("(a > 1) == (b > 1)", {"a": 2.0, "b": 2.0}, "holds"),
        ("(a > 1) == (b > 1)", {"a": 2.0, "b": 0.0}, "broken"),
        ("(a > 1) == (b > 1)", {"a": 2.0}, "n/a"),
        ("(a > 1) == (b > 1)", {"a": 2.0, "b": "x"}, "broken"),
        # Arithmetic.
        ("a / b > 1", {"a": 1.0, "b": 0.0}, "n/a"),
        ("a * a > 1", {"a": 1e300}, "n/a"),
        ("-7 // 2 == a and -7 % 3 == b", {"a": -4.0, "b": 2.0}, "holds"),
        ("min(a, b, 3) == 1 and max(a, b) == 2", {"a": 1.0, "b": 2.0}, "holds"),
        ("min(a, b) == 1", {"a": 1.0}, "n/a"),
        ("abs(a) == 2", {"a": -2.0}, "holds"),
        ("0 < a < 3", {"a": 3.0}, "broken"),
        # Texts.
        ("lower(a) == 'se'", {"a": "SE"}, "holds"),
        ("lower(a) == 'se'", {"a": 1.0}, "broken"),
        ("a < 'b'", {"a": "a"}, "holds"),
        ("len(a) <= 2", {"a": "abc"}, "broken"),
        ("len(a) == 2", {"a": [1.0, 2.0]}, "holds"),
        ("len(a) == 2", {"a": 2.0}, "broken"),
        ("len(a) == 2", {}, "n/a"),
        ("matches(a, '[A-Z]{2}')", {"a": "SE"}, "holds"),
        ("matches(a, '[A-Z]{2}')", {"a": "SE\n"}, "broken"),
        ("matches(a, 'x*')", {"a": "x" * 257}, "broken"),
        ("matches(a, '.*')", {"a": 5.0}, "broken"),
        ("matches(a, '.*')", {"a": None}, "n/a"),
        # Nothing.
        ("missing(a)", {}, "holds"),
        ("missing(a)", {"a": None}, "holds"),
        ("a == None", {"a": ""}, "broken"),
        ("a != None", {"a": 0.0}, "holds"),
        ("missing(a / b)", {"a": 1.0, "b": 0.0}, "holds"),
        ("True", {}, "holds"),
        ("1 > 2", {}, "broken"),
    ],
)
def test_one_event(check: str, event: Event, answer: str) -> None:
    assert ask(check, event) == [answer]
    # The same among others, which may give the column other types.
    others: list[Event] = [{"a": 1.0, "b": 1.0}, {"a": "x", "kind": "x"}, {}]
    assert ask(check, *others, event)[-1] == answer
    assert ask(check, *[event] * 3) == [answer] * 3


def test_no_events_are_no_answers() -> None:
    for check in ("a > 1", "True", "len(a) == 1 or lower(b) in ['x']", "matches(a, 'x')"):
        assert ask(check) == []


def test_a_number_that_is_not_finite_is_missing() -> None:
    column = Column(np.zeros(3, dtype=np.int8), np.array([math.nan, math.inf, 1.0]))
    violated, applicable = compile_rule("a < 2").evaluate({"a": column}, 3)
    assert words(violated, applicable) == ["n/a", "n/a", "holds"]


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        ("output == 'fraud'", ["holds", "broken", "n/a", "n/a"]),
        ("output <= 0.5", ["broken", "holds", "n/a", "n/a"]),
        ("score > 0.4", ["holds", "holds", "n/a", "n/a"]),
        ("label in ['fraud']", ["holds", "n/a", "n/a", "n/a"]),
        ("missing(output)", ["broken", "broken", "holds", "holds"]),
        ("latency_ms == 12.3", ["holds", "n/a", "n/a", "n/a"]),
        ("version == '2'", ["holds"] * 4),
        ("step == 'rank'", ["holds", "n/a", "n/a", "n/a"]),
        ("segment('country') == 'SE'", ["holds", "n/a", "n/a", "n/a"]),
        ("feature('score') == 7", ["holds", "n/a", "n/a", "n/a"]),
        ("not missing(nowhere)", ["broken"] * 4),
    ],
)
def test_what_an_event_has_beside_its_features(check: str, answers: list[str]) -> None:
    full = {
        "output": {"label": "fraud", "score": 0.9},
        "latency_ms": 12.3,
        "step": "rank",
        "segment": {"country": "SE"},
    }
    outputs: list[dict[str, Any]] = [
        full,
        {"output": 0.5},
        {"output": None},
        {"output": [1.0, 2.0]},
    ]
    records = [
        prediction(i, START + i, {"score": 7.0} if i == 0 else {}, version="2", **fields)
        for i, fields in enumerate(outputs)
    ]
    batch = group_by_model(decode_records(records))["fraud"]
    rule = compile_rule(check)
    features = batch.features.columns(["score"])
    columns = rule_columns(batch, features, rule.names)
    assert words(*rule.evaluate(columns, len(batch))) == answers


# One event at a time, as one would write it down by hand.


class _Missing(Exception):
    pass


class _Mismatch(Exception):
    pass


def oracle(check: str, event: Event) -> str:
    answer = truth(ast.parse(check, mode="eval").body, event)
    return {"t": "holds", "f": "broken", "?": "n/a", "!": "broken"}[answer]


ORDER = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}


def truth(node: ast.expr, event: Event) -> str:
    if isinstance(node, ast.BoolOp):
        parts = [truth(part, event) for part in node.values]
        ranked = "f!?t" if isinstance(node.op, ast.And) else "t!?f"
        return min(parts, key=ranked.index)
    if isinstance(node, ast.UnaryOp):
        return {"t": "f", "f": "t"}.get(inner := truth(node.operand, event), inner)
    if isinstance(node, ast.Call):
        return "t" if event.get(ast.unparse(node.args[0])) is None else "f"
    assert isinstance(node, ast.Compare)
    try:
        left, right = value(node.left, event), value(node.comparators[0], event)
        same = isinstance(left, str) == isinstance(right, str)
        if isinstance(node.ops[0], ast.Eq | ast.NotEq):
            equal = same and left == right
            return "t" if equal == isinstance(node.ops[0], ast.Eq) else "f"
        if not same:
            raise _Mismatch
        return "t" if ORDER[type(node.ops[0])](left, right) else "f"
    except _Missing:
        return "?"
    except _Mismatch:
        return "!"


def value(node: ast.expr, event: Event) -> float | str:
    if isinstance(node, ast.Name):
        found: float | str | None = event.get(node.id)
        if found is None:
            raise _Missing
        return found
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, float | str)
        return node.value
    assert isinstance(node, ast.BinOp)
    faults: list[Exception] = []
    sides: list[float] = []
    for side in (node.left, node.right):
        try:
            each = value(side, event)
            if isinstance(each, str):
                raise _Mismatch
            sides.append(each)
        except (_Missing, _Mismatch) as fault:
            faults.append(fault)
    if faults:
        # A text is a fault, whether the other side is there or not.
        raise next((f for f in faults if isinstance(f, _Mismatch)), faults[0])
    return sides[0] + sides[1] if isinstance(node.op, ast.Add) else sides[0] * sides[1]


leaf = st.sampled_from(["a", "b", "c", "1.0", "2.0", "'x'"])
number = st.recursive(
    st.sampled_from(["a", "b", "c", "1.0"]),
    lambda inner: st.tuples(inner, st.sampled_from("+*"), inner).map(lambda t: f"({' '.join(t)})"),
    max_leaves=3,
)
compared = st.tuples(leaf | number, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), leaf).map(
    " ".join
)
checks = st.recursive(
    compared | st.sampled_from(["missing(a)", "missing(b)"]),
    lambda inner: st.one_of(
        inner.map(lambda t: f"not ({t})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda t: f"({t[0]}) {t[1]} ({t[2]})"
        ),
    ),
    max_leaves=5,
)
cells = st.sampled_from([0.0, 1.0, 2.0, -1.5, "x", "1", None])
events = st.lists(st.dictionaries(st.sampled_from("abc"), cells), max_size=12)


@given(checks, events)
def test_a_batch_says_what_each_event_says_by_itself(check: str, rows: list[Event]) -> None:
    assert ask(check, *rows) == [oracle(check, event) for event in rows]


@given(checks, events, st.data())
def test_the_cut_of_batches_does_not_show(check: str, rows: list[Event], data: Any) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    assert ask(check, *rows) == ask(check, *rows[:cut]) + ask(check, *rows[cut:])
