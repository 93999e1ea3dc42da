"""State as bytes: what was written comes back, and nothing else is ever parsed."""

from __future__ import annotations

import math
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamgauge.processing import StateError
from streamgauge.state.packing import pack, unpack

KEY = b"a key of the workers"
STATE = {"model": "fraud", "counts": np.array([1, 2, 3]), "times": [0.5, None, True], 7: b"\0|"}
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(state=plain, key=st.binary(max_size=40))
def test_plain_values_come_back(state: Any, key: bytes) -> None:
    assert unpack(pack(state, key=key), key=key) == state


@pytest.mark.parametrize("kind", ["<f8", "<f4", "|b1", ">f8", "<i8"])
@pytest.mark.parametrize("n", [0, 1, 124])
def test_arrays_come_back_with_their_type(kind: str, n: int) -> None:
    # 124 is the byte "|", which parts the type from the content.
    array = np.full(n, 124).astype(kind)
    found = unpack(pack([array]))[0]
    assert found.dtype.str == kind
    assert found.shape == (n,)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("kind", ["<i4", "<i2", "|i1", "|u1", "<u4", "<u8", ">i4"])
@pytest.mark.parametrize("values", [[], [0, 124], [1, 2, 100]])
def test_integers_come_back_as_int64(kind: str, values: list[int]) -> None:
    found = unpack(pack(np.array(values, dtype=kind)))
    assert found.dtype == np.int64 and found.tolist() == values


@pytest.mark.parametrize("largest", [0, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1])
@pytest.mark.parametrize("least", [0, -1, -(2**63)])
def test_counts_are_written_small_and_come_back_whole(least: int, largest: int) -> None:
    values = [least, largest, 124]
    assert unpack(pack(np.array(values))).tolist() == values


def test_a_pane_of_small_counts_takes_a_byte_a_bin() -> None:
    assert len(pack(np.full(1000, 200))) < 1100


@given(array=arrays(st.sampled_from([np.float64, np.int64, np.bool_]), st.integers(0, 30)))
def test_any_content_comes_back(array: Any) -> None:
    found = unpack(pack({"deep": [array]}))["deep"][0]
    assert found.dtype == array.dtype and found.tobytes() == array.tobytes()


def test_odd_numbers_come_back_bit_by_bit() -> None:
    array = np.array([math.nan, math.inf, -math.inf, -0.0, 5e-324])
    values, found = unpack(pack([[math.inf, -0.0, 5e-324], array]))
    assert repr(values) == "[inf, -0.0, 5e-324]"
    assert found.tobytes() == array.tobytes()


def test_a_restored_array_can_be_written_and_shares_nothing() -> None:
    array = np.zeros(3)
    found = unpack(pack(array))
    found += 1.0
    assert array.tolist() == [0.0] * 3


def test_a_view_is_written_as_what_it_shows() -> None:
    array = np.arange(10)[::-3]
    assert unpack(pack(array)).tolist() == [9, 6, 3, 0]


def test_the_same_state_is_the_same_bytes() -> None:
    again = {"model": "fraud", "counts": np.array([1, 2, 3]), "times": [0.5, None, True]}
    assert pack(STATE, key=KEY) == pack(again | {7: b"\0|"}, key=KEY)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (np.zeros((2, 2)), "ndarray"),
        (np.array(3.0), "ndarray"),
        (np.array([object()]), "object"),
        (np.array(["a"]), "<U1"),
        (np.array(["2026-01-01"], dtype="datetime64[s]"), "datetime64"),
        (np.float32(1.5), "plain number"),
        (np.int64(3), "plain number"),
        ({1, 2}, "set"),
        (object(), "object"),
        (1 + 2j, "complex"),
    ],
    ids=["2-D", "0-D", "objects", "texts", "times", "float32", "int64", "set", "object", "complex"],
)
def test_what_no_state_can_hold_is_refused(state: object, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        pack([state])


@pytest.mark.parametrize("key", [b"", KEY], ids=["without a key", "with a key"])
def test_every_single_bit_is_sealed(key: bytes) -> None:
    blob = pack(STATE, key=key)
    for index in range(len(blob) * 8):
        damaged = bytearray(blob)
        damaged[index // 8] ^= 1 << index % 8
        with pytest.raises(StateError):
            unpack(bytes(damaged), key=key)
    assert unpack(blob, key=key)["model"] == "fraud"


def test_every_truncation_is_refused() -> None:
    blob = pack(STATE, key=KEY)
    for length in range(len(blob)):
        with pytest.raises(StateError):
            unpack(blob[:length], key=KEY)


def test_what_stands_behind_is_refused() -> None:
    for more in (b"\0", b"\xc0", pack(STATE, key=KEY)):
        with pytest.raises(StateError):
            unpack(pack(STATE, key=KEY) + more, key=KEY)


@pytest.mark.parametrize("other", [b"", b"another key", KEY + b"\1", KEY[:-1]])
def test_another_key_does_not_open_it(other: bytes) -> None:
    with pytest.raises(StateError, match="damaged, forged, or another key"):
        unpack(pack(STATE, key=KEY), key=other)


def test_a_blob_without_our_mark_is_somebody_elses() -> None:
    for blob in (b"", b"SG0" + b"\0" * 40, msgpack.packb({"a": 1}), b"\x80\x04K\x01."):
        with pytest.raises(StateError, match="written by something else"):
            unpack(blob)


@given(noise=st.binary(max_size=120))
def test_noise_is_refused(noise: bytes) -> None:
    for blob in (noise, b"SG1" + noise):
        with pytest.raises(StateError):
            unpack(blob, key=KEY)


def test_a_body_of_another_blob_does_not_fit_its_seal() -> None:
    one, other = pack([1, 2, 3], key=KEY), pack([1, 2, 4], key=KEY)
    with pytest.raises(StateError):
        unpack(one[:35] + other[35:], key=KEY)


def test_nothing_is_parsed_before_the_seal_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("parsed before it was proven")

    blob = pack(STATE, key=KEY)
    monkeypatch.setattr(msgpack, "unpackb", never)
    with pytest.raises(StateError):
        unpack(blob, key=b"another")
    with pytest.raises(AssertionError, match="proven"):
        unpack(blob, key=KEY)


def test_an_extension_of_a_later_version_is_a_state_error() -> None:
    with pytest.raises(StateError, match="unknown extension 9"):
        unpack(pack([msgpack.ExtType(9, b"later")]))


def test_the_layout_stays_as_it_is() -> None:
    # A worker must read what the last release wrote: a new layout needs a new mark.
    blob = pack([1, "a", np.array([1.5]), np.array([1, 300])])
    assert blob[:3] == b"SG1"
    assert blob[35:].hex() == "9401a161c70c013c66387c000000000000f83fd7013c75327c01002c01"
