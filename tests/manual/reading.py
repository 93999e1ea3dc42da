"""The pages of ``docs/`` as what they hold: blocks of code, headings, links, words in code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streamgauge.manual.markdown import anchor

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))

_FENCE = re.compile(r"(?ms)^( *)```(\w*)\n(.*?)^\1```$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_WORDS = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block, and where it stands."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, language: str) -> Iterator[Block]:
    """The page's blocks of a language, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found[2] == language:
            # The fence's own line comes before the first of the block.
            line = text.count("\n", 0, found.start()) + 2
            yield Block(page, line, language, textwrap.dedent(found[3]))


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Where the page's links lead."""
    return _LINK.findall(prose(page))


def words_in_code(page: Path) -> list[str]:
    """What stands between backticks in the prose and its tables."""
    return _WORDS.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The fragments that a link may end with."""
    return {anchor(heading) for heading in re.findall(r"(?m)^#+ (.+)$", prose(page))}
