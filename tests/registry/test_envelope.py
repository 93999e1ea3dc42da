"""Envelopes under attack: whatever was changed is refused, with a reason, before it is read."""

from __future__ import annotations

import random
import struct

import pytest

from streamgauge.registry import envelope as module
from streamgauge.registry.dump import dump
from streamgauge.registry.envelope import MAX_HEADER_BYTES, seal, unseal
from streamgauge.registry.header import libraries
from streamgauge.registry.rejected import REASONS, Rejected
from tests.registry.examples import KEY, envelope, header, learned


def refused(data: bytes, *, key: bytes = KEY, model: str = "fraud", **more: int) -> str:
    with pytest.raises(Rejected) as caught:
        unseal(data, key=key, model=model, **more)
    assert caught.value.reason in REASONS and str(caught.value)
    return caught.value.reason


def test_a_whole_envelope_opens() -> None:
    payload = dump(learned())
    sealed = envelope(payload, version=3, metrics={"accuracy": 0.9}, positions={"p:0": 7})
    found = unseal(sealed, key=KEY, model="fraud", version=3)
    assert found.payload == payload
    assert found.header.metrics == {"accuracy": 0.9} and found.header.positions == {"p:0": 7}
    # The same model at the same place is the same bytes
    again = envelope(payload, version=3, positions={"p:0": 7}, metrics={"accuracy": 0.9})
    assert again == sealed


def test_every_flipped_bit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = envelope()

    def never(*_: object) -> None:
        raise AssertionError("parsed before it was verified")

    monkeypatch.setattr(module, "_header", never)
    assert len(sealed) > 1_000
    for place in range(len(sealed)):
        for bit in range(8):
            damaged = bytearray(sealed)
            damaged[place] ^= 1 << bit
            refused(bytes(damaged))


def test_cut_off_anywhere_or_with_something_behind_it() -> None:
    sealed = envelope()
    for size in range(len(sealed)):
        assert refused(sealed[:size]) in ("format", "signature")
    assert refused(sealed + b"\0") == "format"
    assert refused(b"\0" + sealed) == "format"
    assert refused(b"") == "format"


def test_noise_is_refused() -> None:
    rng = random.Random(1)
    for _ in range(300):
        size = rng.randrange(200)
        assert refused(module.MAGIC + rng.randbytes(size)) in ("format", "signature")


def test_another_key() -> None:
    assert refused(envelope(), key=b"another") == "signature"
    assert refused(envelope(key=b"the attacker's")) == "signature"


def test_another_key_under_our_keys_name() -> None:
    forged = bytearray(envelope(key=b"the attacker's"))
    forged[4:12] = module.key_id(KEY)
    assert refused(bytes(forged)) == "signature"


def test_swapped_names_and_versions() -> None:
    sealed = envelope(model="fraud", version=2)
    assert refused(sealed, model="credit") == "mismatch"
    assert refused(sealed, version=3) == "mismatch"
    assert refused(sealed, model="fraud ") == "mismatch"
    assert refused(envelope(model="bedrägeri"), model="bedrageri") == "mismatch"


def test_what_was_seen_is_not_gone_back_behind() -> None:
    sealed = envelope(version=4)
    assert unseal(sealed, key=KEY, model="fraud", not_before=4).header.version == 4
    assert refused(sealed, not_before=5) == "old"


def test_without_a_key_nothing_is_signed_or_opened() -> None:
    with pytest.raises(Rejected, match="STREAMGAUGE_STATE__KEY") as caught:
        unseal(envelope(), key=b"", model="fraud")
    assert caught.value.reason == "key"
    with pytest.raises(Rejected, match="STREAMGAUGE_STATE__KEY"):
        seal(header(b""), b"", key=b"")


def test_too_large_on_both_ways() -> None:
    assert refused(envelope(), max_bytes=500) == "size"
    with pytest.raises(Rejected, match="bound its growth"):
        seal(header(b"x" * 2000), b"x" * 2000, key=KEY, max_bytes=1000)
    trials = [{"features": [("a", "x" * MAX_HEADER_BYTES)], "answer": 1}]
    with pytest.raises(Rejected, match="fewer rows"):
        seal(header(b"x", trials=trials), b"x", key=KEY)


@pytest.mark.parametrize("size", [10 * 2**20, 2**30, 2**63, 2**64 - 1])
def test_lengths_that_lie_allocate_nothing(size: int) -> None:
    sealed = bytearray(envelope())
    struct.pack_into(">Q", sealed, 16, size)
    assert refused(bytes(sealed)) == "format"
    struct.pack_into(">I", sealed, 12, min(size, 2**32 - 1))
    assert refused(bytes(sealed)) == "format"


@pytest.mark.parametrize("name", ["python", "river", "numpy"])
def test_other_libraries(name: str) -> None:
    other = {**libraries(), name: "0.1.0"}
    assert refused(envelope(libraries=other)) == "versions"
    assert refused(envelope(libraries={})) == "versions"
    # A newer patch is the same library
    near = libraries()[name].rsplit(".", 1)[0] + ".999"
    assert unseal(envelope(libraries={**libraries(), name: near}), key=KEY, model="fraud")


def test_a_header_says_only_what_is_finite_and_of_its_own_payload() -> None:
    with pytest.raises(ValueError, match="finite"):
        header(b"", metrics={"auc": float("nan")})
    with pytest.raises(ValueError, match="another payload"):
        seal(header(b"one"), b"two", key=KEY)
