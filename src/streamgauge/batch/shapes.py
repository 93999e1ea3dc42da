"""Events of one producer look alike: once their features are known by name, they become fields.

A dictionary an event is most of what decoding costs, and taking it apart again most of what columns
cost. A shape is learned from events that were decoded the long way; one that does not fit it goes
the long way too, so what is decoded never depends on what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, ClassVar, cast

import msgspec

from streamgauge.batch.features import ABSENT_CELL, Column, cell_column, number_table, plain_column
from streamgauge.batch.structs import FeatureValue, Prediction, Text

#: Producers whose shapes are kept, bytes of a key that is kept, and features of a shape.
MOST_KEYS, MOST_KEY_BYTES, MOST_NAMES = 4_000, 1_000, 1_000
#: Fields of all shapes that are kept (half a kilobyte each), and what a shape itself is worth.
MOST_FIELDS, OWN_FIELDS = 250_000, 100
#: Columns of one shape that are asked for together, of the present and of a few former steps.
MOST_GETTERS = 16

Decode = Callable[[bytes], Prediction]
#: Names in order, and type of a feature's values beside null; ``object`` where they are of several,
#: or of another.
Kinds = tuple[tuple[str, type], ...]

_decode: Decode = msgspec.json.Decoder(Prediction).decode
_FIELD_TYPES: dict[type, Any] = {
    float: float | None,
    str: Text | None,
    type(None): None,
    object: FeatureValue,
}


class ShapedFeatures(msgspec.Struct, frozen=True, gc=False):
    """Features of one event as fields; what it lacks is ``ABSENT_CELL``.

    ``names`` are the features', in the order of the fields, ``numeric`` those that hold numbers or
    nulls, ``fields`` each one's field, ``getters`` what reads several fields at once.
    """

    names: ClassVar[tuple[str, ...]] = ()
    numeric: ClassVar[frozenset[str]] = frozenset()
    fields: ClassVar[Mapping[str, str]] = {}
    getters: ClassVar[dict[tuple[str, ...], Callable[[Any], Any]]] = {}

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


def _fields(shaped: type[ShapedFeatures], names: tuple[str, ...]) -> Callable[[Any], Any]:
    # Kept with the shape, and gone with it.
    getter = shaped.getters.get(names)
    if getter is None:
        get = attrgetter(*(shaped.fields[name] for name in names))
        getter = get if len(names) > 1 else lambda row: (get(row),)
        if len(shaped.getters) >= MOST_GETTERS:
            shaped.getters.clear()
        shaped.getters[names] = getter
    return getter


class Shapes:
    """The shapes of the events of each key, widened whenever some do not fit.

    Keys and names are the producers', so what is made of them is bounded: its size, and by the
    number of records the time that it takes. Making a shape costs what a thousand records do.
    """

    def __init__(self) -> None:
        self._kinds: dict[bytes | None, Kinds] = {}
        self._decoders: dict[bytes | None, Decode] = {}
        #: Shapes by what they are made of, and fields of all of them.
        self._made: dict[Kinds, Decode] = {}
        self._fields = 0
        #: Fields that may be made by now; every record brings one.
        self._credit = MOST_FIELDS

    def decode(self, keys: Sequence[bytes | None], values: Sequence[bytes]) -> list[Prediction]:
        """Decode events, each by the shape of its key. Raises what msgspec raises."""
        self._credit = min(self._credit + len(values), MOST_FIELDS)
        known = self._decoders
        try:
            if keys.count(keys[0]) == len(keys):
                return list(map(known[keys[0]], values))
            return [known[key](value) for key, value in zip(keys, values, strict=True)]
        except (KeyError, msgspec.ValidationError):
            return self._decode_each(keys, values)

    def _decode_each(
        self, keys: Sequence[bytes | None], values: Sequence[bytes]
    ) -> list[Prediction]:
        events = []
        strange: dict[bytes | None, list[Mapping[str, Any]]] = {}
        for key, value in zip(keys, values, strict=True):
            try:
                event = self._decoders[key](value)
            except (KeyError, msgspec.ValidationError):
                event = _decode(value)
                strange.setdefault(key, []).append(event.features)
            events.append(event)
        for key, features in strange.items():
            self._widen(key, features)
        return events

    def _widen(self, key: bytes | None, events: Sequence[Mapping[str, Any]]) -> None:
        """Learn from the features of events that don't fit, as long as there is credit."""
        most = max(map(len, events))
        if self._credit < most + OWN_FIELDS or len(key or b"") > MOST_KEY_BYTES:
            return
        known = self._kinds.get(key)
        kinds = dict(known or ())
        for name, value in chain.from_iterable(features.items() for features in events):
            kinds[name] = _either(kinds.get(name, type(None)), type(value))
        wanted = tuple(sorted(kinds.items(), key=itemgetter(0)))
        # Fields that come twice in one event, the first of another type, never fit.
        if wanted == known:
            return
        if key not in self._decoders and len(self._decoders) >= MOST_KEYS:
            self._forget_keys()
        # Where events have few of many names, most fields would be empty.
        if len(kinds) > 2 * most or len(kinds) > MOST_NAMES:
            self._kinds.pop(key, None)
            self._decoders[key] = _decode
            return
        self._decoders[key] = self._shape(wanted)
        self._kinds[key] = wanted

    def _shape(self, kinds: Kinds) -> Decode:
        known = self._made.get(kinds)
        if known is not None:
            return known
        size = len(kinds) + OWN_FIELDS
        if self._fields + size > MOST_FIELDS:
            self._forget_keys()
            self._made.clear()
            self._fields = 0
        self._fields += size
        self._credit -= size
        try:
            made = shape(kinds)
        # A name can't be a field's: one with a quote in it, a backslash or a line break.
        except ValueError:
            made = _decode
        self._made[kinds] = made
        return made

    def _forget_keys(self) -> None:
        """Begin anew: those whose events still come are learned soon."""
        self._kinds.clear()
        self._decoders.clear()


def _either(one: type, other: type) -> type:
    if one is other or other is type(None):
        return one
    return other if one is type(None) and other in _FIELD_TYPES else object


def shape(kinds: Kinds) -> Decode:
    """Decode a prediction whose features are fields of these names and kinds.

    What is returned raises ``msgspec.ValidationError`` for any other name or type. Raises
    ``ValueError`` for a name that no field can have.
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
            "getters": {},
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
