"""Commands of a block of shell, as a shell would part them: words, input, where the output goes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.manual.reading import Block

_ASSIGNMENT = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_OPERATORS = ("&&", ";")


@dataclass(frozen=True)
class Command:
    """One command. ``given`` is what the command before the pipe is, ``into`` a file's name."""

    place: str
    words: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    given: Command | None = None
    into: str = ""

    @property
    def program(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return f"{self.place} {shlex.join(self.words)}"


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block, in order. Raises ``ValueError`` for what never ends."""
    waiting, first = "", 0
    for number, line in enumerate(block.text.split("\n")):
        first = first if waiting else number
        waiting += line + "\n"
        if line.endswith(("\\", "|")) or _open(waiting):
            continue
        yield from _parted(waiting, f"{block.page.name}:{block.line + first}")
        waiting = ""
    if waiting:
        raise ValueError(f"{block}: a command does not end: {waiting!r}")


def _open(text: str) -> bool:
    try:
        _tokens(text)
    except ValueError:
        return True
    return False


def _tokens(text: str) -> list[str]:
    # A line that goes on: a shell sees one line, and this reader would see an empty word.
    joined = text.replace("\\\n", " ")
    lexer = shlex.shlex(joined, posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True
    return list(lexer)


def _parted(text: str, place: str) -> Iterator[Command]:
    words: list[str] = []
    given: Command | None = None
    for token in [*_tokens(text), ";"]:
        if token == "|":
            given, words = _command(words, place, given), []
        elif token in _OPERATORS:
            if words:
                yield _command(words, place, given)
            given, words = None, []
        else:
            words.append(token)


def _command(words: list[str], place: str, given: Command | None) -> Command:
    into = ""
    if ">" in words:
        at = words.index(">")
        (into,) = words[at + 1 :]
        words = words[:at]
    environment = {}
    while len(words) > 1 and (found := _ASSIGNMENT.fullmatch(words[0])):
        environment[found[1]] = found[2]
        words = words[1:]
    return Command(place, tuple(words), environment, given, into)
