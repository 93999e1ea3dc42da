"""What a prediction belongs to, as one number: its version, its step and its declared segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamgauge.labels.names import Names
from streamgauge.monitor.truth.window import Slice

#: Combinations that are told apart. The rest are of no slice, of so many versions and steps more;
#: beyond them predictions are not followed.
MOST, MOST_WHOLE = 10_000, 2_000
#: The value of a segment that has too many.
OTHER = "_other"


class Group(NamedTuple):
    """``segments`` are values in the order of ``fields``, empty where a prediction has none."""

    version: str
    step: str
    fields: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def slices(self) -> tuple[Slice, ...]:
        return tuple(
            (name, value) for name, value in zip(self.fields, self.segments, strict=True) if value
        )


class Groups(Names[Group]):
    """The groups of one model, by code, and the values of each segment that have one's own."""

    def __init__(self) -> None:
        super().__init__(most=MOST + MOST_WHOLE)

    def code(self, name: Group) -> int:
        if name.fields and len(self.names) >= MOST and name not in self._codes:
            name = Group(name.version, name.step, (), ())
        return super().code(name)

    def of(
        self,
        versions: Sequence[str],
        steps: Sequence[str],
        segments: Sequence[Mapping[str, str]],
        most_values: Mapping[str, int],
    ) -> NDArray[np.int32]:
        """Codes of predictions, shape (n,). ``most_values`` are those of each declared field."""
        fields = tuple(most_values)
        if not fields:
            pairs = list(zip(versions, steps, strict=True))
            return (
                self.codes([Group(*pair, (), ()) for pair in pairs])
                if len(set(pairs)) > 1
                else np.full(len(pairs), self.code(Group(*pairs[0], (), ())), dtype=np.int32)
            )
        known = {name: self._values(name) for name in fields}
        codes = []
        for version, step, segment in zip(versions, steps, segments, strict=True):
            values = tuple(
                self._kept(segment.get(name, ""), known[name], most_values[name]) for name in fields
            )
            codes.append(self.code(Group(version, step, fields, values)))
        return np.array(codes, dtype=np.int32)

    def _values(self, name: str) -> set[str]:
        return {value for group in self.names for field, value in group.slices if field == name}

    @staticmethod
    def _kept(value: str, known: set[str], most: int) -> str:
        if value and value not in known:
            if len(known - {OTHER}) >= most:
                return OTHER
            known.add(value)
        return value

    def restore(self, names: Iterable[list[object]]) -> Groups:
        for version, step, fields, segments in names:
            self.code(Group(str(version), str(step), _texts(fields), _texts(segments)))
        return self


def _texts(given: object) -> tuple[str, ...]:
    assert isinstance(given, list | tuple)
    return tuple(map(str, given))
