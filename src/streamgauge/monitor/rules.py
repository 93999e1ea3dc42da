"""Rules of a spec, evaluated for all events of a batch at once."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import NULL, Column
from streamgauge.monitor.rule_values import (
    FALSE,
    TRUE,
    UNKNOWN,
    WRONG,
    Truths,
    Values,
    arithmetic,
    as_truths,
    comparison,
    conjunction,
    disjunction,
    lengths,
    membership,
    negation,
    nothing,
    of_column,
    of_constant,
    of_truths,
    texts,
)
from streamgauge.specs.expression import Expression, parse_expression
from streamgauge.specs.grammar import column_of
from streamgauge.specs.pattern import MAX_MATCHED, compile_pattern

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_NUMERIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

#: Makes an expression's values (or truths) from the columns that it names.
Values_ = Callable[[Mapping[str, Values]], Values]
Truths_ = Callable[[Mapping[str, Values]], Truths]


class CompiledRule:
    """A check, ready to be asked of many events.

    ``names`` are the columns that it needs, see ``Expression.names``; ``text`` is the check.
    """

    __slots__ = ("_truths", "names", "text")

    def __init__(self, expression: Expression) -> None:
        self.text, self.names = expression.text, expression.names
        self._truths = _truths(expression.tree)

    def evaluate(
        self, columns: Mapping[str, Column], n: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of n events break the rule, and to which it applies; each of shape (n,).

        It does not apply where the answer hangs on a value that is missing, or that a division by
        zero does not give. It is broken where types do not fit. A column that is not there is
        missing in every event.
        """
        values = {
            name: of_column(columns[name]) if name in columns else nothing(n) for name in self.names
        }
        truths = self._truths(values)
        if len(truths) != n:
            truths = np.broadcast_to(truths, n)
        return (truths == FALSE) | (truths == WRONG), truths != UNKNOWN


def compile_rule(text: str) -> CompiledRule:
    """Compile a check. Raises ``ExpressionError``.

    >>> rule = compile_rule("amount <= limit")
    >>> from streamgauge.batch.features import feature_columns
    >>> events = [{"amount": 5.0, "limit": 9.0}, {"amount": 5.0, "limit": 2.0}, {"amount": 5.0}]
    >>> violated, applicable = rule.evaluate(feature_columns(events, ["amount", "limit"]), 3)
    >>> violated.tolist(), applicable.tolist()
    ([False, True, False], [True, True, False])
    """
    return CompiledRule(parse_expression(text))


def _truths(node: ast.expr) -> Truths_:
    if isinstance(node, ast.BoolOp):
        join = conjunction if isinstance(node.op, ast.And) else disjunction
        parts = [_truths(part) for part in node.values]
        return lambda columns: reduce(join, (part(columns) for part in parts))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _truths(node.operand)
        return lambda columns: negation(inner(columns))
    if isinstance(node, ast.Compare):
        return _comparison(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "missing":
            return _missing(_values(node.args[0]))
        if node.func.id == "matches":
            return _matches(node)
    values = _values(node)
    return lambda columns: as_truths(values(columns))


def _comparison(node: ast.Compare) -> Truths_:
    left, links = node.left, []
    for how, right in zip(node.ops, node.comparators, strict=True):
        links.append(_link(left, how, right))
        left = right
    if len(links) == 1:
        return links[0]
    return lambda columns: reduce(conjunction, (link(columns) for link in links))


def _link(left: ast.expr, how: ast.cmpop, right: ast.expr) -> Truths_:
    one = _values(left)
    if isinstance(right, ast.List | ast.Tuple | ast.Set):
        found = _membership(one, [ast.literal_eval(each) for each in right.elts])
        return found if isinstance(how, ast.In) else lambda columns: negation(found(columns))
    if isinstance(right, ast.Constant) and right.value is None:
        gone = _missing(one)
        equal = isinstance(how, ast.Eq | ast.Is)
        return gone if equal else lambda columns: negation(gone(columns))
    other, sign = _values(right), _COMPARISONS[type(how)]
    return lambda columns: comparison(sign, one(columns), other(columns))


def _membership(values: Values_, listed: list[Any]) -> Truths_:
    numbers = [float(each) for each in listed if type(each) in (int, float)]
    words = frozenset(
        {True: "true", False: "false"}.get(each, each)
        for each in listed
        if type(each) in (bool, str)
    )
    return lambda columns: membership(values(columns), numbers, words)


def _missing(values: Values_) -> Truths_:
    return lambda columns: np.where(values(columns).kind == NULL, TRUE, FALSE).astype(np.int8)


def _matches(node: ast.Call) -> Truths_:
    values, constant = _values(node.args[0]), node.args[1]
    assert isinstance(constant, ast.Constant)
    pattern = compile_pattern(str(constant.value))

    def fits(word: str) -> str:
        whole = len(word) <= MAX_MATCHED and pattern.fullmatch(word) is not None
        return "true" if whole else "false"

    def truths(columns: Mapping[str, Values]) -> Truths:
        kind, found = texts(values(columns), fits)
        return as_truths(Values(kind, np.full(len(kind), np.nan), np.array(found, dtype=object)))

    return truths


def _values(node: ast.expr) -> Values_:
    name = column_of(node)
    if name is not None:
        return lambda columns: columns[name]
    if isinstance(node, ast.Constant):
        constant = of_constant(node.value)
        return lambda columns: constant
    if isinstance(node, ast.BinOp):
        return _numeric(_NUMERIC[type(node.op)], [node.left, node.right])
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        negative = isinstance(node.op, ast.USub)
        return _numeric(operator.neg if negative else operator.pos, [node.operand])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = node.func.id
        if function == "abs":
            return _numeric(np.abs, node.args)
        if function in ("min", "max"):
            extreme = np.minimum if function == "min" else np.maximum
            return _numeric(lambda *numbers: reduce(extreme, numbers), node.args)
        inner = _values(node.args[0])
        if function == "len":
            return lambda columns: lengths(inner(columns))
        if function == "lower":
            return lambda columns: _lower(inner(columns))
    truths = _truths(node)
    return lambda columns: of_truths(truths(columns))


def _numeric(apply: Callable[..., Any], nodes: list[ast.expr]) -> Values_:
    operands = [_values(node) for node in nodes]
    return lambda columns: arithmetic(apply, *(operand(columns) for operand in operands))


def _lower(values: Values) -> Values:
    kind, words = texts(values, str.lower)
    return Values(kind, values.numbers, np.array(words, dtype=object))
