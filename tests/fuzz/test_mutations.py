"""Damaged and hostile records, seeded and searched for: only typed refusals, whatever the bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import monitored, record_file, verdict
from tests.fuzz.mutation import PIECES, mutated

FILES = list(record_file.corpus().values())


@pytest.mark.parametrize("seed", range(10))
def test_no_damage_is_more_than_a_typed_refusal(seed: int) -> None:
    # Given three hundred records of the corpus, each damaged in its own way
    rng = random.Random(seed)
    damaged = [mutated(rng.choice(FILES), rng, FILES) for _ in range(300)]
    records = [record_file.read(data, offset=i) for i, data in enumerate(damaged)]
    # Then each is taken or refused with a reason, and in time
    found = {verdict.judged(record) for record in records}
    for record in records:
        verdict.quick(record)
    assert {"taken", "decode", "schema"} <= found
    # And together they are what they are one by one, in whichever chunks they come
    size = rng.randint(2, 120)
    for start in range(0, len(records), size):
        verdict.same_as_one_by_one(records[start : start + size])
    # And whoever is behind the decoder counts every one of them
    monitored.heard(records)


#: Bytes around and between the pieces that parsers have stumbled over.
RUNS = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_no_bytes_in_any_place_are_more_than_a_typed_refusal(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(FILES))
    at = data.draw(st.integers(0, len(whole)))
    changed = whole[:at] + data.draw(RUNS) + whole[at + data.draw(st.integers(0, 40)) :]
    verdict.judged(record_file.read(changed))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FILES), RUNS), min_size=1, max_size=8))
def test_a_chunk_of_anything_is_what_its_records_are(parts: list[tuple[bytes, bytes]]) -> None:
    records = [record_file.read(a + b, offset=i) for i, (a, b) in enumerate(parts)]
    verdict.same_as_one_by_one(records)
