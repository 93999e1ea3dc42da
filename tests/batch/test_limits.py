from __future__ import annotations

import json
import random

import pytest

from streamgauge.batch.limits import MAX_EVENT_BYTES, Refused, check_depth, check_size, depth
from streamgauge_client.events.base import MAX_DEPTH


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


@pytest.mark.parametrize("levels", [1, 2, MAX_DEPTH, MAX_DEPTH + 1, 50, 10_000])
def test_depth_counts_objects_and_arrays(levels: int) -> None:
    assert depth(nested(levels)) == levels
    assert depth(b"[" * levels + b"]" * levels) == levels


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"a":"[[[[[[[[[["}', 1),
        (b'{"]]]]]]]]]":[[[]]]}', 4),
        (b'{"a":"\\"[[[[[[[[["}', 1),
        (b'{"a":"\\\\","b":[[]]}', 3),
        (b'{"a":"\\\\\\"","b":"[[[[[[[[[["}', 1),
        (b'[' * 12, 12),
        (b'{"a":"[[[[[[[[[[[[', 1),
        (b"]]]]]]]]]]]]", 0),
        (b"", 0),
    ],
)  # fmt: skip
def test_depth_ignores_brackets_in_strings(payload: bytes, expected: int) -> None:
    assert depth(payload) == expected
    # A large text is looked at in another way.
    assert depth(b" " * 20_000 + payload) == expected


def test_depth_is_that_of_the_standard_parser() -> None:
    # Given random documents whose strings are full of brackets, quotes and backslashes
    rng = random.Random(7)

    def document(levels: int) -> object:
        if levels == 0:
            return "".join(rng.choices('[]{}"\\a', k=5))
        inner = [document(rng.randrange(levels)) for _ in range(rng.randrange(4))]
        if rng.random() < 0.5:
            return inner
        return {f"{i}" + "".join(rng.choices('[]{}"\\', k=3)): v for i, v in enumerate(inner)}

    def measured(value: object) -> int:
        if isinstance(value, dict):
            return 1 + max(map(measured, value.values()), default=0)
        if isinstance(value, list):
            return 1 + max(map(measured, value), default=0)
        return 0

    # Then both ways of counting agree
    for _ in range(2_000):
        value = document(rng.randrange(14))
        text = json.dumps(value).encode()
        assert depth(text) == depth(b" " * 20_000 + text) == measured(value)


def test_deep_event_is_refused_and_told_the_limit() -> None:
    check_depth(nested(MAX_DEPTH))
    with pytest.raises(Refused, match="nested 9 deep, at most 8") as refusal:
        check_depth(nested(MAX_DEPTH + 1))
    assert refusal.value.reason == "too_large"


def test_many_shallow_brackets_are_no_depth() -> None:
    check_depth(b'{"a":[' + b",".join([b"[1]"] * 500) + b"]}")


def test_size_is_judged_to_the_byte() -> None:
    check_size(b" " * MAX_EVENT_BYTES)
    with pytest.raises(Refused, match="262,145 bytes, at most 262,144") as refusal:
        check_size(b" " * (MAX_EVENT_BYTES + 1))
    assert refusal.value.reason == "too_large"
