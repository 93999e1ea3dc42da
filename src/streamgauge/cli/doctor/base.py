"""What a check is: one question about the installation, and one line as its answer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from streamgauge.plugins import Registered

if TYPE_CHECKING:
    from streamgauge.cli.doctor.site import Site

State = Literal["ok", "warning", "problem", "skipped"]
Part = Literal["kafka", "redis"]

#: Places of an example that are named; the rest is a number.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A check's answer: what was found, and what to do about it.

    ``skipped`` means that nobody can tell: it is neither good nor bad. ``unreachable`` is a problem
    of getting there at all.
    """

    state: State
    finding: str
    remedy: str = ""
    unreachable: bool = False


class Check(Registered, package="streamgauge.cli.doctor"):
    """One question. ``look`` may take a few seconds and change nothing.

    ``place`` orders the answers; ``needs`` names the parts without which it can't be asked.
    """

    place: ClassVar[int]
    needs: ClassVar[tuple[Part, ...]] = ()

    @abstractmethod
    def look(self, site: Site) -> Diagnosis:
        """Answer. What it raises becomes a problem with the same words."""


def ok(finding: str) -> Diagnosis:
    """All is well."""
    return Diagnosis("ok", finding)


def skipped(why: str) -> Diagnosis:
    """Nobody can tell."""
    return Diagnosis("skipped", why)


def some(items: list[str]) -> str:
    """The first few, and how many more there are.

    >>> some(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    rest = len(items) - _EXAMPLES
    return ", ".join(items[:_EXAMPLES]) + (f" and {rest} more" if rest > 0 else "")
