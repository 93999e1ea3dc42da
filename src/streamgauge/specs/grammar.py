"""The grammar of checks: which parts of Python's expressions there are, and what they mean."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any, Literal

from streamgauge.plugins import did_you_mean
from streamgauge.specs.pattern import PatternError, compile_pattern

MAX_DEPTH = 20
#: Most values in the list behind ``in``, and most arguments of ``min`` and ``max``.
MAX_LIST = 100
MAX_ARGUMENTS = 10
#: What an event has beside its features. Among ``names`` they begin with an ``@``, so that a
#: feature of the same name, written ``feature("score")``, is another.
FIELDS = ("output", "score", "label", "latency_ms", "version", "step")
SEGMENT = "@segment."
#: Functions, and how they are called.
FUNCTIONS = {
    "abs": "abs(amount)",
    "feature": 'feature("a name with spaces")',
    "len": "len(comment)",
    "lower": "lower(country)",
    "matches": 'matches(id, "[A-Z]{2}-[0-9]+")',
    "max": "max(a, b)",
    "min": "min(a, b)",
    "missing": "missing(amount)",
    "segment": 'segment("country")',
}

#: What an expression gives; a name's value may be a truth.
Gives = Literal["value", "truth", "either"]

_COUNTS = {"min": (2, MAX_ARGUMENTS), "max": (2, MAX_ARGUMENTS), "matches": (2, 2)}
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_LIST = 'a list stands behind `in` only, like country in ["SE", "NO"]'
_HINTS: dict[type[ast.AST], str] = {
    ast.Attribute: 'a name with a dot is written feature("a.b")',
    ast.IfExp: "there is no `if`; what must hold where a is true is written `not a or b`",
    ast.Subscript: "there is no index; of a vector a check sees the length",
    ast.JoinedStr: "a text stands for itself, without f",
    ast.List: _LIST,
    ast.Tuple: _LIST,
    ast.Set: _LIST,
    ast.BitAnd: "and is written `and`",
    ast.BitOr: "or is written `or`",
}


class Refusal(ValueError):
    """A part of an expression that is not in the grammar."""

    def __init__(self, message: str, node: ast.expr) -> None:
        super().__init__(message)
        self.node = node


def column_of(node: ast.expr) -> str | None:
    """The name of the column that an expression stands for; None for one that is computed."""
    if isinstance(node, ast.Name):
        return f"@{node.id}" if node.id in FIELDS else node.id
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and isinstance(node.args[0], ast.Constant)
    ):
        name = str(node.args[0].value)
        return {"feature": name, "segment": SEGMENT + name}.get(node.func.id)
    return None


class Reader:
    """Walks an expression once. What it does not know does not get past; ``names`` are columns."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._depth = 0
        self._readers: dict[type[ast.AST], Callable[[Any], Gives]] = {
            ast.Name: self._name,
            ast.Constant: self._constant,
            ast.BinOp: self._arithmetic,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._logic,
            ast.Compare: self._comparison,
            ast.Call: self._call,
        }

    def check(self, node: ast.expr) -> None:
        """Read a whole expression that must be true or false. Raises ``Refusal``."""
        self._truth(node)

    def _read(self, node: ast.expr) -> Gives:
        reader = self._readers.get(type(node))
        if reader is None:
            raise Refusal(_HINTS.get(type(node), f"no {type(node).__name__} in a check"), node)
        if self._depth >= MAX_DEPTH:
            raise Refusal(f"more than {MAX_DEPTH} levels, one in the other", node)
        self._depth += 1
        gives = reader(node)
        self._depth -= 1
        return gives

    def _number(self, node: ast.expr) -> None:
        if self._read(node) == "truth" or _is(node, str) or _is(node, bool):
            raise Refusal("a number is wanted here", node)

    def _text(self, node: ast.expr) -> None:
        gives = self._read(node)
        if gives == "truth" or _is(node, float) or isinstance(node, ast.BinOp | ast.UnaryOp):
            raise Refusal("a text is wanted here", node)

    def _truth(self, node: ast.expr) -> None:
        if self._read(node) == "value":
            raise Refusal("a value says neither yes nor no; compare it with something", node)

    def _name(self, node: ast.Name) -> Gives:
        if node.id in FUNCTIONS:
            example, quoted = FUNCTIONS[node.id], f'feature("{node.id}")'
            raise Refusal(f"{node.id} is a function: {example}; a feature is {quoted}", node)
        self.names.add(str(column_of(node)))
        return "either"

    def _constant(self, node: ast.Constant) -> Gives:
        if node.value is None:
            raise Refusal("None stands behind == and != only, or write missing(amount)", node)
        if not (_is(node, bool) or _is(node, float) or _is(node, str)):
            raise Refusal("values are texts, True, False and finite numbers", node)
        return "either" if _is(node, bool) else "value"

    def _arithmetic(self, node: ast.BinOp) -> Gives:
        if not isinstance(node.op, _ARITHMETIC):
            raise Refusal(_HINTS.get(type(node.op), "operators are + - * / // %"), node)
        self._number(node.left)
        self._number(node.right)
        return "value"

    def _unary(self, node: ast.UnaryOp) -> Gives:
        if isinstance(node.op, ast.Not):
            self._truth(node.operand)
            return "truth"
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise Refusal("not is written `not`", node)
        self._number(node.operand)
        return "value"

    def _logic(self, node: ast.BoolOp) -> Gives:
        for part in node.values:
            self._truth(part)
        return "truth"

    def _comparison(self, node: ast.Compare) -> Gives:
        left = node.left
        gives = self._read(left)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            listed = isinstance(operator, ast.In | ast.NotIn)
            if listed or _is(right, type(None)):
                if len(node.ops) > 1:
                    raise Refusal("`in` and None stand in no chain; join with `and`", right)
                if listed:
                    _check_list(right)
                elif not isinstance(operator, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
                    raise Refusal("None is neither more nor less than anything", right)
                continue
            if isinstance(operator, ast.Is | ast.IsNot):
                raise Refusal("equal is written ==, unequal !=", right)
            before, gives = gives, self._read(right)
            truths = "truth" in (before, gives) or _is(left, bool) or _is(right, bool)
            if truths and not isinstance(operator, ast.Eq | ast.NotEq):
                raise Refusal("true and false are neither more nor less", right)
            left = right
        return "truth"

    def _call(self, node: ast.Call) -> Gives:
        if not isinstance(node.func, ast.Name):
            raise Refusal(f"functions are {', '.join(FUNCTIONS)}; there are no methods", node)
        name = node.func.id
        if name not in FUNCTIONS:
            raise Refusal(f"no function is called {name!r}{did_you_mean(name, FUNCTIONS)}", node)
        least, most = _COUNTS.get(name, (1, 1))
        if node.keywords or not least <= len(node.args) <= most:
            raise Refusal(f"{name} is called like {FUNCTIONS[name]}", node)
        if name in ("feature", "segment"):
            return self._column(name, node)
        if name in ("abs", "min", "max"):
            for argument in node.args:
                self._number(argument)
        elif name == "missing":
            self._read(node.args[0])
        else:
            self._text(node.args[0])
        if name == "matches":
            _check_pattern(node.args[1])
        return "truth" if name in ("missing", "matches") else "value"

    def _column(self, function: str, node: ast.Call) -> Gives:
        if not _is(node.args[0], str):
            raise Refusal(f"{function} is called like {FUNCTIONS[function]}", node.args[0])
        name = str(column_of(node))
        if function == "feature" and name.startswith("@"):
            raise Refusal("a feature that begins with @ can't be used in a check", node.args[0])
        self.names.add(name)
        return "either"


def _check_list(node: ast.expr) -> None:
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        raise Refusal('behind `in` stands a list, like ["SE", "NO"]', node)
    if len(node.elts) > MAX_LIST:
        raise Refusal(f"more than {MAX_LIST} values in a list", node)
    for each in node.elts:
        negative = isinstance(each, ast.UnaryOp) and isinstance(each.op, ast.USub)
        plain = each.operand if isinstance(each, ast.UnaryOp) and negative else each
        if not (_is(plain, float) or (not negative and (_is(plain, str) or _is(plain, bool)))):
            raise Refusal("a list holds numbers and texts only", each)


def _check_pattern(node: ast.expr) -> None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise Refusal(f"matches is called like {FUNCTIONS['matches']}", node)
    try:
        compile_pattern(node.value)
    except PatternError as error:
        raise Refusal(str(error), node) from None


def _is(node: ast.expr, kind: type) -> bool:
    """Whether it is a constant of that kind; ``float`` means a finite number."""
    if not isinstance(node, ast.Constant):
        return False
    value = node.value
    if kind is not float or isinstance(value, bool) or not isinstance(value, int | float):
        return type(value) is kind
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
