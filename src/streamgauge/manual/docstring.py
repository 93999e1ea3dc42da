"""A class's docstring in numpydoc's sections, as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamgauge.manual.markdown import table

_SECTION = re.compile(r"(?m)^(Parameters|Examples|References)\n-+\n")
_RULE = re.compile(r"=+(  +=+)*")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What a docstring says: its text, its parameters by name, its examples, its references."""

    text: str
    parameters: dict[str, str] = field(default_factory=dict)
    examples: str = ""
    references: str = ""

    @classmethod
    def of(cls, described: type) -> Docstring:
        """Read the class's own docstring; an inherited one says nothing of it."""
        first, *rest = _SECTION.split(inspect.cleandoc(described.__dict__.get("__doc__") or ""))
        sections = dict(zip(rest[::2], rest[1::2], strict=True))
        return cls(
            markdown(first.strip()),
            dict(_parameters(sections.get("Parameters", ""))),
            sections.get("Examples", "").strip(),
            markdown(sections.get("References", "").strip()),
        )


def markdown(text: str) -> str:
    """Text with its literals and simple tables as Markdown has them.

    >>> markdown("``pane`` is the grain.")
    '`pane` is the grain.'
    """
    return re.sub(r"``(.+?)``", r"`\1`", "\n".join(_tables_replaced(text.split("\n"))))


def first_sentence(text: str) -> str:
    """The sentence that a page begins with; its text on one line."""
    return " ".join(re.split(r"(?<=[.!?])\s+(?=[A-Z`])", text.split("\n\n")[0])[0].split())


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for name, said in re.findall(r"(?m)^(\w+)[^\n]*\n((?:[ \t]+[^\n]*\n?)+)", text):
        yield name, markdown(" ".join(said.split()))


def _tables_replaced(lines: list[str]) -> Iterator[str]:
    """Lines in which each table of reStructuredText, between three rules, is one of Markdown."""
    rest = iter(lines)
    for line in rest:
        if not _RULE.fullmatch(line):
            yield line
            continue
        starts = [found.start() for found in re.finditer("=+", line)]
        ends = [*starts[1:], None]
        rows: list[list[str]] = []
        rules = 1
        while rules < 3:
            line = next(rest)
            if _RULE.fullmatch(line):
                rules += 1
            else:
                cells = zip(starts, ends, strict=True)
                rows.append([line[start:end].strip() for start, end in cells])
        yield table(rows[0], rows[1:])
