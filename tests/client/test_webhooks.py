"""A receiver tells our calls from others', and fresh ones from replays."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge_client.webhooks import SignatureError, sign, verify

BODY = b'{"alarm_id": "a", "summary": "\xc3\xa9"}'
KEY = "0123456789abcdef"
NOW = 1_790_000_000.0
#: Worked out with openssl: printf '1790000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
KNOWN = "t=1790000000,v1=3d02334942fff50e279f641c1b104ff5f49380d94ff307bb92b1e03f5aee6ff0"


def test_the_signature_is_what_other_tools_say() -> None:
    assert sign(b"{}", KEY, now=NOW) == KNOWN
    verify(b"{}", KNOWN, KEY, now=NOW)
    verify(b"{}", KNOWN, KEY.encode(), now=NOW)


@pytest.mark.parametrize("seconds", [-300.0, 0.0, 300.0])
def test_within_five_minutes_it_is_taken(seconds: float) -> None:
    verify(BODY, sign(BODY, KEY, now=NOW), KEY, now=NOW + seconds)


@pytest.mark.parametrize(
    ("seconds", "said"), [(301.0, "301 s old"), (-302.0, "302 s ahead"), (86_400.0, "clocks right")]
)
def test_an_old_or_a_future_stamp_is_refused(seconds: float, said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        verify(BODY, sign(BODY, KEY, now=NOW), KEY, now=NOW + seconds)


@given(st.integers(0, len(BODY) - 1), st.integers(0, 7))
def test_a_body_with_any_bit_flipped_is_refused(index: int, bit: int) -> None:
    tampered = bytearray(BODY)
    tampered[index] ^= 1 << bit
    with pytest.raises(SignatureError, match="does not belong"):
        verify(bytes(tampered), sign(BODY, KEY, now=NOW), KEY, now=NOW)


def test_a_wrong_key_and_a_stamp_made_young_are_refused() -> None:
    header = sign(BODY, KEY, now=NOW - 4000)
    with pytest.raises(SignatureError, match="does not belong"):
        verify(BODY, sign(BODY, "another-key-of-16", now=NOW), KEY, now=NOW)
    with pytest.raises(SignatureError, match="does not belong"):
        verify(BODY, header.replace("t=1789996000", "t=1790000000"), KEY, now=NOW)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=1790000000",
        "v1=00",
        "t=x,v1=00",
        "t=-5,v1=00",
        "t=1e9,v1=00",
        "t=١٧٩,v1=00",
        "t=1790000000,t=1790000000,v1=00",
        "t=1790000000,v1=",
        "t=1790000000,v1=é\udcff",
        "t=" + "9" * 5000,
        KNOWN.upper(),
        KNOWN[:-1],
        KNOWN + "0",
        KNOWN.replace("v1", "v0"),
    ],
    ids=repr,
)
def test_a_header_of_another_form_is_refused(header: str | None) -> None:
    with pytest.raises(SignatureError):
        verify(b"{}", header, KEY, now=NOW)


@given(st.text(max_size=100))
def test_whatever_the_header_is_it_is_refused_and_nothing_else(header: str) -> None:
    with pytest.raises(SignatureError):
        verify(b"{}", header, KEY, now=NOW)


def test_an_empty_key_verifies_nothing() -> None:
    with pytest.raises(SignatureError, match="key is empty"):
        verify(b"{}", sign(b"{}", "", now=NOW), "", now=NOW)


def test_while_a_key_is_changed_one_of_two_signatures_is_enough() -> None:
    both = f"{sign(BODY, 'another-key-of-16', now=NOW)},{sign(BODY, KEY, now=NOW)[13:]}"
    verify(BODY, both, KEY, now=NOW)


def test_it_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compare, compared = hmac.compare_digest, []

    def spy(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    verify(b"{}", KNOWN, KEY, now=NOW)
    assert len(compared) == 1


def test_the_clock_is_the_default() -> None:
    verify(BODY, sign(BODY, KEY), KEY)
    with pytest.raises(SignatureError, match="old"):
        verify(b"{}", KNOWN, KEY, tolerance=1.0)
