"""Profiles as bytes: the same content is the same id, and damage is told."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.references import (
    CategoryBins,
    NumericBins,
    ReferenceProfile,
    TargetReference,
)


def numeric() -> TargetReference:
    return TargetReference(
        "numeric",
        NumericBins(np.array([0.0, 1.5, 3.0]), 2.0),
        np.array([0, 10, 30, 0]),
        missing_ratio=0.125,
        mean=1.75,
        std=0.5,
        blocks=np.array([[0, 5, 15, 0], [0, 5, 15, 0]]),
    )


def categorical() -> TargetReference:
    return TargetReference("categorical", CategoryBins(("a", "ü")), np.array([7, 2, 1]))


def profile(**differences: Any) -> ReferenceProfile:
    given: dict[str, Any] = {
        "model": "fraud",
        "targets": {"amount": numeric(), "country": categorical()},
        "n": 46,
        "step": "score",
        "version": "3",
        "source": "train.csv",
    }
    return ReferenceProfile(**(given | differences))


def test_bytes_and_back() -> None:
    data = profile().to_bytes()
    again = ReferenceProfile.from_bytes(data)
    assert again.to_bytes() == data
    assert (again.model, again.n, again.step, again.version) == ("fraud", 46, "score", "3")
    assert again.source == "train.csv"
    amount, country = again.targets["amount"], again.targets["country"]
    assert (amount.type, amount.n, amount.mean, amount.std) == ("numeric", 40, 1.75, 0.5)
    np.testing.assert_array_equal(amount.blocks, numeric().blocks)
    assert (country.type, country.bins) == ("categorical", CategoryBins(("a", "ü")))
    assert country.mean is None and country.blocks.shape == (0, 3)


def test_the_id_stays_as_it_is() -> None:
    # Specs name profiles by it: a layout that changes must raise SCHEMA, and say so.
    assert profile().id == "e6d9535ec6b9"


def test_the_order_of_targets_does_not_matter() -> None:
    turned = profile(targets={"country": categorical(), "amount": numeric()})
    assert turned.to_bytes() == profile().to_bytes()
    assert turned.id == profile().id


@pytest.mark.parametrize(
    "difference",
    [
        {"model": "fraud2"},
        {"n": 47},
        {"step": ""},
        {"version": None},
        {"source": "other.csv"},
        {"targets": {"amount": numeric()}},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_other_content_is_another_id(difference: dict[str, Any]) -> None:
    assert profile(**difference).id != profile().id


def test_summary_for_people() -> None:
    first, second = profile().summary()
    assert first == {
        "target": "amount",
        "type": "numeric",
        "n": 40,
        "missing_ratio": 0.125,
        "mean": 1.75,
        "std": 0.5,
        "bins": 4,
        "blocks": 2,
    }
    assert (second["target"], second["bins"], second["mean"]) == ("country", 3, None)


def plain(**differences: Any) -> bytes:
    """A profile's document with something else in it."""
    document: dict[str, Any] = msgpack.unpackb(profile().to_bytes())
    packed: bytes = msgpack.packb(document | differences)
    return packed


def target(**differences: Any) -> bytes:
    """A profile's document whose one target has something else in it."""
    return plain(targets={"amount": numeric().plain() | differences})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"not a profile",
        b"\x80",
        msgpack.packb([]),
        msgpack.packb(7),
        msgpack.packb("schema"),
        msgpack.packb(None),
        profile().to_bytes()[:-1],
        profile().to_bytes()[:20],
        profile().to_bytes() + b"\0",
        plain(schema=2),
        plain(schema=None),
        plain(targets=None),
        plain(targets=[]),
        plain(targets=["amount"]),
        plain(targets={"amount": 3}),
        plain(targets={"amount": {}}),
        target(counts=[1, 2]),
        target(counts=[1, 2, 3, "x"]),
        target(counts=[1, 2, 3, 2**63]),
        target(counts=[[1, 2], [3, 4]]),
        target(counts=None),
        target(bins={}),
        target(bins={"edges": ["a"], "scale": 1.0}),
        target(bins={"edges": [0.0, 1.5, 3.0]}),
        target(bins={"categories": 3}),
        target(blocks=[[1, 2]]),
        target(blocks=[[1, 2, 3, 4], [1]]),
        target(missing_ratio="much"),
    ],
)
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a reference profile"):
        ReferenceProfile.from_bytes(data)


@settings(max_examples=400)
@given(data=st.data())
def test_no_damage_is_more_than_a_value_error(data: st.DataObject) -> None:
    blob = bytearray(profile().to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = ReferenceProfile.from_bytes(bytes(blob))
    except ValueError as error:
        assert str(error).startswith("not a reference profile: ")
    else:
        # What can be read can be used: every value still finds a bin that has a count.
        for each in found.targets.values():
            assert len(each.counts) == each.bins.size


@given(data=st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a reference profile"):
        ReferenceProfile.from_bytes(data)
