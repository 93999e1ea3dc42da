"""Events of one producer look alike: once their features are known by name, they become fields.

A dictionary an event is most of what decoding costs, and taking it apart again most of what columns
cost. A shape is learned from events that were decoded the long way; one that does not fit it goes
the long way too, so what is decoded never depends on what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, cast

import msgspec

from streamgauge.batch.features import ABSENT_CELL, Column, cell_column, number_table, plain_column
from streamgauge.batch.structs import FeatureValue, Prediction, Text

#: Producers whose shapes are kept, and features of a shape.
MOST_KEYS, MOST_NAMES = 4_000, 1_000

Decode = Callable[[bytes], Prediction]
#: Type of a feature's values, beside null; ``object`` where they are of several, or of another.
Kinds = Mapping[str, type]

_decode: Decode = msgspec.json.Decoder(Prediction).decode
_FIELD_TYPES: dict[type, Any] = {
    float: float | None,
    str: Text | None,
    type(None): None,
    object: FeatureValue,
}


class ShapedFeatures(msgspec.Struct, frozen=True, gc=False):
    """Features of one event as fields; what it lacks is ``ABSENT_CELL``.

    ``names`` are those of the fields, in their order, ``numeric`` and ``others`` their parts.
    """

    names: ClassVar[tuple[str, ...]] = ()
    numeric: ClassVar[frozenset[str]] = frozenset()
    fields: ClassVar[Mapping[str, str]] = {}

    def as_dict(self) -> dict[str, Any]:
        """The features as they would have been decoded without a shape, but for their order."""
        cells = zip(self.names, msgspec.structs.astuple(self), strict=True)
        return {name: cell for name, cell in cells if cell is not ABSENT_CELL}


def shaped_columns(
    rows: Sequence[Any], shaped: type[ShapedFeatures], names: Sequence[str]
) -> dict[str, Column]:
    """Columns of the features in ``names``, in that order, of rows of one shape."""
    wanted = [name for name in names if name in shaped.numeric]
    table = number_table(list(map(_fields(shaped, tuple(wanted)), rows))) if wanted else None
    placed = dict(zip(wanted, table, strict=True)) if table is not None else {}
    for name in shaped.fields.keys() & names - placed.keys():
        placed[name] = cell_column(list(map(attrgetter(shaped.fields[name]), rows)))
    return {name: placed.get(name) or plain_column(None, len(rows)) for name in names}


@lru_cache(maxsize=MOST_KEYS)
def _fields(shaped: type[ShapedFeatures], names: tuple[str, ...]) -> Callable[[Any], Any]:
    get = attrgetter(*(shaped.fields[name] for name in names))
    return get if len(names) > 1 else lambda row: (get(row),)


class Shapes:
    """The shapes of the events of each key, widened whenever one does not fit."""

    def __init__(self) -> None:
        self._kinds: dict[bytes | None, Kinds] = {}
        self._decoders: dict[bytes | None, Decode] = {}

    def decode(self, keys: Sequence[bytes | None], values: Sequence[bytes]) -> list[Prediction]:
        """Decode events, each by the shape of its key. Raises what msgspec raises."""
        known = self._decoders
        try:
            if keys.count(keys[0]) == len(keys):
                return list(map(known[keys[0]], values))
            return [known[key](value) for key, value in zip(keys, values, strict=True)]
        except (KeyError, msgspec.ValidationError):
            events = list(map(_decode, values))
        for key, event in dict(zip(keys, events, strict=True)).items():
            if key not in known and len(known) < MOST_KEYS:
                self._widen(key, event.features)
        for key, value, event in zip(keys, values, events, strict=True):
            try:
                known.get(key, _decode)(value)
            except msgspec.ValidationError:
                self._widen(key, event.features)
        return events

    def _widen(self, key: bytes | None, features: Mapping[str, Any]) -> None:
        kinds = dict(self._kinds.get(key, {}))
        for name, value in features.items():
            kinds[name] = _either(kinds.get(name, type(None)), type(value))
        # Where events have few of many names, most fields would be empty.
        sparse = len(kinds) > 2 * len(features) or len(kinds) > MOST_NAMES
        self._kinds[key] = kinds
        self._decoders[key] = _decode if sparse else shape(tuple(kinds.items()))


def _either(one: type, other: type) -> type:
    if one is other or other is type(None):
        return one
    return other if one is type(None) and other in _FIELD_TYPES else object


@lru_cache(maxsize=MOST_KEYS)
def shape(kinds: tuple[tuple[str, type], ...]) -> Decode:
    """Decode a prediction whose features are fields of these names and kinds.

    Raises ``msgspec.ValidationError`` for any other name or type.
    """
    names = tuple(name for name, _ in kinds)
    fields = {name: f"f{i}" for i, name in enumerate(names)}
    features = msgspec.defstruct(
        "Features",
        [(fields[name], _FIELD_TYPES[kind], ABSENT_CELL) for name, kind in kinds],
        bases=(ShapedFeatures,),
        namespace={
            "names": names,
            "numeric": frozenset(name for name, kind in kinds if kind is float),
            "fields": fields,
        },
        rename={field: name for name, field in fields.items()},
        forbid_unknown_fields=True,
        frozen=True,
        gc=False,
    )
    event = msgspec.defstruct(
        "Shaped",
        [("features", features, msgspec.field(default_factory=features))],
        bases=(Prediction,),
        frozen=True,
        gc=False,
    )
    return msgspec.json.Decoder(cast(type[Prediction], event)).decode
