"""A mistake in a spec's file, said the way a compiler says it."""

from __future__ import annotations

from dataclasses import dataclass

#: Most characters of a source line that are shown, around what is meant.
_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it stands, what was found there, what was expected instead.

    ``line`` and ``column`` count from 1; ``length`` is how much of the line is meant.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source: str = ""
    length: int = 1

    def headline(self, label: str = "") -> str:
        """The mistake on one line, with its place as editors and CI logs understand it."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {label}{self.message}{hint}"

    def render(self, label: str = "") -> str:
        """The mistake with the source line and a caret under what is meant.

        ``label`` stands before the message, like ``warning: ``.
        """
        skipped = max(0, self.column - _WIDTH // 2)
        shown = self.source[skipped : skipped + _WIDTH]
        column = self.column - skipped
        caret = " " * (column - 1) + "^" * max(1, min(self.length, len(shown) - column + 1))
        return f"{self.headline(label)}\n{self.line:5d} | {shown}\n{' ' * 5} | {caret}"


class SpecInvalid(Exception):
    """A spec that is refused, with every mistake in it."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(mistake.headline() for mistake in mistakes))
        self.mistakes = mistakes
