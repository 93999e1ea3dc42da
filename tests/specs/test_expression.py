"""What a rule's check may say, and how one that may not is turned down."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.specs.expression import MAX_TEXT, ExpressionError, parse_expression


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("amount >= 0 and amount <= limit", {"amount", "limit"}),
        ("0 <= amount < 10 * limit // 3 % 7 - -1", {"amount", "limit"}),
        ('country in ["SE", "NO"] or country not in ("DK",)', {"country"}),
        ("not is_new or age == None or age is not None", {"is_new", "age"}),
        ("abs(a) + min(a, b) <= max(a, b, 1e3)", {"a", "b"}),
        ('feature("net worth (EUR)") > feature("score")', {"net worth (EUR)", "score"}),
        ('score > 0.5 or label != "fraud"', {"@score", "@label"}),
        (
            'latency_ms < 100 or version == "2" or step == "rank"',
            {"@latency_ms", "@version", "@step"},
        ),
        ('segment("country") == "SE" and missing(output)', {"@segment.country", "@output"}),
        (r'matches(id, "[A-Z]{2}-\d+") and len(lower(id)) > 3', {"id"}),
        ("(a > 1) == (b > 1)", {"a", "b"}),
        ("a in [-1, True, 'x']", {"a"}),
        ("\n  a > 1\n  and b > 1\n", {"a", "b"}),
        ("größe > 1", {"größe"}),
        ("is_new", {"is_new"}),
        ("True", set()),
    ],
)
def test_what_a_check_may_say(text: str, names: set[str]) -> None:
    assert parse_expression(text).names == names


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("", "empty", 1),
        ("a = 1", "equal is written ==", 3),
        ("a > 1 && b > 1", "join with `and`", 8),
        ("a > 1 & b > 1", "and is written `and`", 5),
        ("~a > 1", "not is written `not`", 1),
        ("  mising(a)", "did you mean 'missing'", 3),
        ("größe > x.y", 'feature("a.b")', 9),
        ("x.lower() == 'a'", "there are no methods", 1),
        ("abs > 1", "abs is a function: abs(amount)", 1),
        ("a[0] > 1", "no index", 1),
        ("a > 1 if b else c", "no `if`", 1),
        ("a ** 2 > 1", "operators are", 1),
        ("a in b", "behind `in` stands a list", 6),
        ("a in [b]", "numbers and texts only", 7),
        ("a in [1, None]", "numbers and texts only", 10),
        ("a in [1] == True", "no chain", 6),
        ("a < None", "None is neither more nor less", 5),
        ("None == a", "None stands behind == and !=", 1),
        ("a is 3", "equal is written ==", 6),
        ("(a > 1) < 2", "neither more nor less", 11),
        ("True + 1 > 0", "a number is wanted", 1),
        ("-'x' > 0", "a number is wanted", 2),
        ("len(5) > 1", "a text is wanted", 5),
        ("lower(a + 1) == 'x'", "a text is wanted", 7),
        ("min(a) > 1", "min is called like min(a, b)", 1),
        ("abs(x=1) > 1", "abs is called like", 1),
        ("feature(a) > 1", "feature is called like", 9),
        ("segment() == 'x'", "segment is called like", 1),
        ("feature('@score') > 1", "begins with @", 9),
        ("amount + 1", "neither yes nor no", 1),
        ("'amount'", "neither yes nor no", 1),
        ("a > 1 and b + 1", "neither yes nor no", 11),
        ("a > 1e999", "finite", 5),
        ("a > " + "9" * 400, "finite", 5),
        ("a == b'x'", "texts, True, False and finite numbers", 6),
        ("a == 1j", "texts, True, False and finite numbers", 6),
        ("f'{a}' == 'x'", "without f", 1),
        ("lambda: 1", "no Lambda", 1),
        ("[x for x in y]", "no ListComp", 1),
        ("(yield)", "", 0),
        ("matches(a, b)", "matches is called like", 12),
        ("matches(a, '(x)')", "no groups", 12),
        (" or ".join(["a > 1"] * 90), "", 0),
        ("not " * 30 + "a", "20 levels", 81),
    ],
)
def test_what_it_may_not_say_is_told_in_words(text: str, words: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert words in str(caught.value)
    if column:
        assert caught.value.column == column
        assert f"(character {column})" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 499,
        "-" * 499 + "x",
        "[" * 250 + "]" * 249,
        "a" * (MAX_TEXT + 1),
        "a > 1\0",
        "a and " * 83 + "a",
        "9" * 500,
        "a if " * 100,
        "\ud800 > 1",
        '"\\N{bell}" == a',
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
    ],
    ids=range(12),
)
def test_hostile_texts_are_refused_quickly(text: str) -> None:
    start = time.perf_counter()
    try:
        parse_expression(text)
    except ExpressionError as error:
        assert 1 <= error.column <= MAX_TEXT + 1
    else:
        # What is harmless may pass: a text with an escape, a chain of names.
        assert "__" not in text
    assert time.perf_counter() - start < 1.0


@given(st.text(max_size=60) | st.text("ab12()[]<>=!+-*/%,.'\" andorti", max_size=60))
def test_nothing_but_a_refusal_comes_of_any_text(text: str) -> None:
    try:
        assert parse_expression(text).text == text
    except ExpressionError as error:
        assert 1 <= error.column <= len(text) + 1
