"""One label as the join keeps it, and which of two stands."""

from __future__ import annotations

from math import isnan, nan
from typing import NamedTuple

from streamgauge.batch.structs import Label, ScoredLabel

#: A label weighs no more, and one that weighs less weighs nothing: squares of weights stay finite,
#: and what is divided by is not lost in the last bits.
HEAVIEST, LIGHTEST = 1e12, 1e-12


class Truth(NamedTuple):
    """What a label event says.

    ``number`` is nan and ``name`` None where the truth is not of that kind; both are so where it
    was withdrawn, or is a vector. A bool is both.
    """

    number: float
    name: str | None
    withdrawn: bool
    revision: int
    #: When the truth was observed, in seconds since 1970; nan where nobody said.
    observed: float
    annotator: str | None
    weight: float
    extras: Extras | None

    @classmethod
    def of(cls, event: Label, observed: float) -> Truth:
        """The truth of an event; ``observed`` is its time in seconds."""
        said = event.label
        number, name = nan, None
        if isinstance(said, bool):
            number, name = float(said), "true" if said else "false"
        elif isinstance(said, float):
            number = said
        elif isinstance(said, str):
            name = said
        elif isinstance(said, ScoredLabel):
            name = said.label
        # Scores of the user's own, or a value, are a truth without a label; tags are not.
        withdrawn = said is None and not event.scores and event.value is None
        extras = None
        carries = event.scores or event.tags or event.value is not None or event.horizon
        if carries and not withdrawn:
            extras = Extras(
                tuple(sorted((event.scores or {}).items())),
                tuple(sorted(event.tags.items())),
                event.value,
                event.horizon,
            )
        return cls(
            number,
            name,
            withdrawn,
            event.revision,
            float(observed),
            event.annotator or event.source,
            1.0 if event.weight is None else _bounded(event.weight),
            extras,
        )

    def stands_over(self, other: Truth) -> bool:
        """Whether this one holds where both came, in whatever order they did.

        The higher revision holds; of one revision the truth that was observed later; and where
        that does not tell, any rule will do that does not ask which came first.
        """
        return self._rank > other._rank

    @property
    def _rank(self) -> tuple[object, ...]:
        return (
            self.revision,
            -1e300 if isnan(self.observed) else self.observed,
            self.withdrawn,
            self.name or "",
            -1e300 if isnan(self.number) else self.number,
            self.annotator or "",
            self.weight,
            () if self.extras is None else tuple(map(repr, self.extras)),
        )

    def says_the_same(self, other: Truth) -> bool:
        """Whether both tell the same truth, whoever told it and when."""
        return (
            self.name == other.name
            and self.withdrawn == other.withdrawn
            and (self.number == other.number or (isnan(self.number) and isnan(other.number)))
        )


def _bounded(weight: float) -> float:
    return min(weight, HEAVIEST) if weight >= LIGHTEST else 0.0


class Extras(NamedTuple):
    """What few labels carry: scores that the user computed, tags, a business value, a horizon."""

    scores: tuple[tuple[str, float], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    value: float | None = None
    horizon: str | None = None
