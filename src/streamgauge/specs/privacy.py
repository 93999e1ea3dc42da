"""What may be kept of a feature's values: everything, nothing, a hash, or a coarse bucket."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from streamgauge.specs.scalars import parse_number, refuse

WORDS = ("keep", "drop", "hash")
_EXPECTED = "keep, drop, hash, {bucket: 10} or {bucket: [0, 18, 65]}"
_MOST_EDGES = 100


def parse_field_policy(value: object) -> str | dict[str, Any]:
    """One field's policy, with numbers as numbers.

    >>> parse_field_policy("hash"), parse_field_policy({"bucket": [0, "18", 65]})
    ('hash', {'bucket': [0.0, 18.0, 65.0]})
    """
    if isinstance(value, str):
        if value not in WORDS:
            raise refuse(_EXPECTED, allowed=WORDS)
        return value
    if not isinstance(value, dict):
        raise refuse(_EXPECTED)
    for key in value:
        if key != "bucket":
            raise refuse("bucket", at=(key,), allowed=("bucket",), key=True)
    if "bucket" not in value:
        raise refuse(_EXPECTED)
    return {"bucket": _bucket(value["bucket"])}


def _bucket(value: object) -> float | list[float]:
    if isinstance(value, list | tuple):
        edges = [_number(each, ("bucket", i)) for i, each in enumerate(value)]
        rising = all(low < high for low, high in zip(edges, edges[1:], strict=False))
        if not 1 <= len(edges) <= _MOST_EDGES or not rising:
            raise refuse(f"1 to {_MOST_EDGES} edges, the lowest first", at=("bucket",))
        return edges
    width = _number(value, ("bucket",))
    if width <= 0:
        raise refuse("a width above 0, or a list of edges", at=("bucket",))
    return width


def _number(value: object, at: tuple[str | int, ...]) -> float:
    try:
        return parse_number(value)
    except ValueError:
        raise refuse("a number", at=at) from None


FieldPolicy = Annotated[
    str | dict[str, Any],
    PlainValidator(parse_field_policy),
    WithJsonSchema(
        {
            "description": "keep, drop, hash (with the installation's key), or a coarse bucket.",
            "anyOf": [
                {"enum": list(WORDS)},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["bucket"],
                    "properties": {
                        "bucket": {
                            "description": "The width of buckets, or their edges.",
                            "anyOf": [
                                {"type": ["number", "string"]},
                                {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": _MOST_EDGES,
                                    "items": {"type": ["number", "string"]},
                                },
                            ],
                        }
                    },
                },
            ],
        }
    ),
]
