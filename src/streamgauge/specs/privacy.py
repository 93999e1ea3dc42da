"""What may be kept of a feature's values: everything, nothing, a hash, or a coarse bucket."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from streamgauge.specs.scalars import parse_number, refuse
from streamgauge_client.privacy import PrivacyPolicy

WORDS = ("keep", "drop", "hash")
_EXPECTED = "keep, drop, hash, {bucket: 10} or {bucket: [0, 18, 65]}"
_MOST_EDGES = 100
#: Whether there is a key to hash with is the process' matter and not the spec's.
_SOME_KEY = b"any"


def parse_field_policy(value: object) -> str | dict[str, Any]:
    """One field's policy, with numbers as numbers: what ``PrivacyPolicy.of`` takes.

    >>> parse_field_policy("hash"), parse_field_policy({"bucket": [0, "18", 65]})
    ('hash', {'bucket': [0.0, 18.0, 65.0]})
    """
    if isinstance(value, str):
        if value not in WORDS:
            raise refuse(_EXPECTED, allowed=WORDS)
        return value
    if not isinstance(value, dict) or not value:
        raise refuse(_EXPECTED)
    for key in value:
        if key != "bucket":
            raise refuse("bucket", at=(key,), allowed=("bucket",), key=True)
    policy = {"bucket": _bucket(value["bucket"])}
    try:
        PrivacyPolicy.of({"field": policy}, key=_SOME_KEY)
    except ValueError:
        raise refuse("a width above 0, or edges that rise", at=("bucket",)) from None
    return policy


def _bucket(value: object) -> float | list[float]:
    if isinstance(value, list | tuple):
        if len(value) > _MOST_EDGES:
            raise refuse(f"at most {_MOST_EDGES} edges", at=("bucket",))
        return [_number(each, ("bucket", i)) for i, each in enumerate(value)]
    return _number(value, ("bucket",))


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
