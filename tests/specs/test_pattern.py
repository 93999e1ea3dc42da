"""Patterns: the same matches as a regular expression, in bounded time, or a refusal in words."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.specs.pattern import MAX_MATCHED, PatternError, compile_pattern

_atom = st.sampled_from(["a", "b", ".", r"\d", r"\w", r"\D", "[ab]", "[^a]", "[a-c1]", r"\.", "ä"])
_often = st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}"])
_pattern = st.lists(st.tuples(_atom, _often).map("".join), max_size=5).map("".join)


@given(st.lists(_pattern, min_size=1, max_size=3).map("|".join), st.text("ab1.ä-", max_size=12))
def test_it_matches_what_the_same_regular_expression_matches(pattern: str, text: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except PatternError as error:
        assert "too long" in str(error)
        return
    expected = re.fullmatch(pattern, text, re.ASCII | re.DOTALL) is not None
    assert (compiled.fullmatch(text) is not None) == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a)", "no groups"),
        ("^a", "leave `^` and `$` out"),
        ("a$", "leave `^` and `$` out"),
        (r"\bfoo", r"no \b"),
        (r"a\1", r"no \1"),
        (r"[\b]", r"no \b"),
        ("[a", "write \\["),
        ("a**", "write \\*"),
        ("a{5,2}", "lower number first"),
        ("[z-a]", "can't be read"),
        ("[[a]", "not clear"),
        ("[a--b]", "not clear"),
        (".*a.*b", "too long"),
        ("a" * 201, "at most 200"),
    ],
)
def test_what_is_no_pattern_is_told_in_words(pattern: str, words: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"[^@]+@[^@]+\.[a-z]+", "a@" + "." * 254),
        (r".*[a-z]+\d", "a" * MAX_MATCHED),
        (r"a?a?a?a?a?a?a?a?a?a?aaaaaaaaaa", "a" * 19),
        (r".{0,30}.{0,30}x", "y" * MAX_MATCHED),
        (r".*a.{0,3}b", "a" * MAX_MATCHED),
        (r"\d+\w{0,3}\d+", "1" * MAX_MATCHED),
    ],
)
def test_a_text_that_nearly_matches_takes_no_time(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    start = time.perf_counter()
    for _ in range(100):
        compiled.fullmatch(text)
    # 0.1 ms each where it was measured; a backtracking search would take for ever.
    assert time.perf_counter() - start < 1.0
