"""Patterns of text that can be matched in bounded time: a small part of regular expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

#: Longest pattern, and longest text that can match one.
MAX_PATTERN = 200
MAX_MATCHED = 256
#: Most ways in which one text may be parted among a pattern's repeats: a text that almost matches
#: makes the engine try them all. The worst found costs 0.1 ms.
MAX_WAYS = 1200

_ATOM = re.compile(
    r"""(?P<what>\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|[^\\\[\](){}*+?|^$])
        (?P<often>[*+?]|\{\d{1,3}(?:,\d{0,3})?\})?""",
    re.VERBOSE | re.DOTALL,
)
_LETTERS = "dDwWsS"
_ASCII = [chr(code) for code in range(128)]


class PatternError(ValueError):
    """A pattern that is not taken. The text says why, and what is."""


@dataclass(frozen=True, slots=True)
class _Atom:
    what: str
    least: int
    most: int

    @property
    def ways(self) -> int:
        return self.most - self.least + 1

    @property
    def only_ascii(self) -> bool:
        """Whether nothing beyond ASCII can match it."""
        wide = self.what == "." or self.what.startswith("[^") or re.search(r"\\[DWS]", self.what)
        return self.what.isascii() and not wide


def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern, for ``fullmatch`` on at most ``MAX_MATCHED`` characters.

    Taken are characters, ``.``, ``\d \w \s`` (ASCII) and their opposites, sets like ``[a-z_]``,
    repeats ``? * + {2} {2,5}``, and alternatives ``|`` on the outermost level. There are no
    groups and no references, so the work is at most ``MAX_WAYS`` passes over a text. Raises
    ``PatternError`` for all else.

    >>> bool(compile_pattern(r"[A-Z]{2}-\d+").fullmatch("SE-17"))
    True
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"a pattern of {len(pattern)} characters; at most {MAX_PATTERN}")
    alternatives = "|".join(_alternative(part) for part in _parts(pattern))
    try:
        return re.compile(alternatives, re.ASCII | re.DOTALL)
    except re.error as error:
        raise PatternError(f"a pattern that can't be read: {error}") from None


def _parts(pattern: str) -> list[list[_Atom]]:
    parts: list[list[_Atom]] = [[]]
    at = 0
    while at < len(pattern):
        if pattern[at] == "|":
            parts.append([])
            at += 1
            continue
        if pattern[at] == "^" and not parts[-1]:
            raise PatternError("a pattern matches the whole text already: leave `^` and `$` out")
        found = _ATOM.match(pattern, at)
        if found is None:
            raise PatternError(_unknown(pattern, at))
        parts[-1].append(_atom(found["what"], found["often"]))
        at = found.end()
    return parts


def _unknown(pattern: str, at: int) -> str:
    sign = pattern[at]
    if sign in "()":
        return f"no groups in a pattern (character {at + 1}); alternatives are parted by `|`"
    if sign == "$":
        return "a pattern matches the whole text already: leave `^` and `$` out"
    return f"{sign!r} at character {at + 1} of a pattern; write \\{sign} for the sign itself"


def _atom(what: str, often: str | None) -> _Atom:
    if what[0] == "\\" and what[1].isalnum() and what[1] not in _LETTERS:
        raise PatternError(f"no {what} in a pattern; there are \\d \\w \\s \\D \\W \\S")
    if what[0] == "[":
        for letter in re.findall(r"\\([A-Za-z0-9])", what):
            if letter not in _LETTERS:
                raise PatternError(f"no \\{letter} in a pattern; there are \\d \\w \\s \\D \\W \\S")
        # A bracket or a doubled sign in a set is an operation of later engines, which warn of it.
        if re.search(r"\[.*\[|--|&&|~~|\|\|", what):
            raise PatternError(f"the set {what} is not clear; put \\ before its signs")
    least, most = {None: (1, 1), "?": (0, 1), "*": (0, MAX_MATCHED), "+": (1, MAX_MATCHED)}.get(
        often, (-1, -1)
    )
    if least < 0 and often is not None:
        low, comma, high = often[1:-1].partition(",")
        least = int(low)
        most = int(high) if high else MAX_MATCHED if comma else least
        if most < least or least > MAX_MATCHED:
            raise PatternError(f"{often} repeats from more to fewer; write the lower number first")
    try:
        re.compile(what, re.ASCII)
    except re.error as error:
        raise PatternError(f"{what} can't be read: {error}") from None
    return _Atom(what, least, most)


def _alternative(atoms: list[_Atom]) -> str:
    ways, text = 1, []
    for index, atom in enumerate(atoms):
        often = "" if (atom.least, atom.most) == (1, 1) else f"{{{atom.least},{atom.most}}}"
        if often and atom.ways > 1:
            after = atoms[index + 1] if index + 1 < len(atoms) else None
            if after is None or (after.least > 0 and _apart(atom, after)):
                # No shorter repeat can match where the longest does not: it need not be tried.
                often += "+"
            else:
                ways *= atom.ways
        text.append(atom.what + often)
    if ways > MAX_WAYS:
        raise PatternError(
            "a pattern that may take too long: several open repeats side by side; put a sign "
            "between them that the first does not match, or say how often ({1,20})"
        )
    return "".join(text)


def _apart(one: _Atom, other: _Atom) -> bool:
    """Whether no character matches both."""
    return (one.only_ascii or other.only_ascii) and not (_matched(one.what) & _matched(other.what))


@cache
def _matched(what: str) -> frozenset[str]:
    compiled = re.compile(what, re.ASCII | re.DOTALL)
    return frozenset(sign for sign in _ASCII if compiled.fullmatch(sign))
