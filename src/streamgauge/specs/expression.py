"""A check of a rule: an expression over one event, read without ever being run."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from streamgauge.specs.grammar import Reader, Refusal

MAX_TEXT = 500
MAX_NODES = 200

_ASSIGNED = re.compile(r"(?<![=<>!:])=(?!=)")


class ExpressionError(ValueError):
    """A check that can't be read. ``column`` counts its characters from 1; the text says it too."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(f"{message} (character {column})")
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """A check that holds to the grammar.

    ``tree`` holds nothing but what ``Reader`` lets through. ``names`` are the columns that it
    needs: features by name, an event's fields as ``@score``, segments as ``@segment.country``.
    """

    text: str
    tree: ast.expr
    names: frozenset[str]


def parse_expression(text: str) -> Expression:
    """Read a check. Raises ``ExpressionError``.

    The words are Python's, but only those of the grammar, and they are parsed, not run.

    >>> sorted(parse_expression('amount <= limit or segment("country") in ["SE"]').names)
    ['@segment.country', 'amount', 'limit']
    >>> try:
    ...     parse_expression("mising(amount)")
    ... except ExpressionError as error:
    ...     print(error)
    no function is called 'mising'; did you mean 'missing'? (character 1)
    """
    if len(text) > MAX_TEXT:
        raise ExpressionError(
            f"{len(text)} characters, at most {MAX_TEXT} are read; make it two rules", MAX_TEXT
        )
    stripped = text.strip()
    skipped = text.index(stripped) if stripped else 0
    source = stripped.replace("\n", " ").replace("\r", " ")
    tree = _parsed(source, skipped)
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError(f"more than {MAX_NODES} parts; make it two rules")
    reader = Reader()
    try:
        reader.check(tree)
    except Refusal as refusal:
        # The parser counts bytes.
        before = source.encode()[: refusal.node.col_offset].decode()
        raise ExpressionError(str(refusal), skipped + len(before) + 1) from None
    return Expression(text, tree, frozenset(reader.names))


def _parsed(source: str, skipped: int) -> ast.expr:
    try:
        with warnings.catch_warnings():
            # A pattern's "\d" is well meant.
            warnings.simplefilter("ignore")
            return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(source) + 1)
        if not source:
            hint = "an empty check"
        elif _ASSIGNED.search(source):
            hint = "equal is written =="
        elif "&&" in source or "||" in source:
            hint = "join with `and`, `or`"
        else:
            hint = "this can't be read"
        raise ExpressionError(hint, skipped + column) from None
    except (ValueError, MemoryError, RecursionError):
        # A zero byte, or brackets without end.
        raise ExpressionError("this can't be read") from None
