"""Spec files: what is read, and how each mistake is told."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge.specs import Mistake, ModelSpec, SpecInvalid
from streamgauge.specs.features import DetectorCatalogue
from streamgauge.specs.yaml_source import load_spec

DETECTORS = DetectorCatalogue(
    {"adwin": ["delta", "clock"], "kswin": ["alpha"]},
    lambda name, params: "clock is 0" if params.get("clock") == 0 else "",
)


def read(text: str | bytes) -> ModelSpec:
    data = text.encode() if isinstance(text, str) else text
    return load_spec(data, name="f.yaml", detectors=DETECTORS)


def mistakes(text: str | bytes) -> tuple[Mistake, ...]:
    with pytest.raises(SpecInvalid) as caught:
        read(text)
    return caught.value.mistakes


def test_the_example_of_the_documentation_is_read() -> None:
    spec = read("""\
# A comment, and numbers that YAML 1.1 calls text.
version: 1
model: fraud
task: binary
false_alarms_per_month: 1e0
defaults: {pane: 10s, min_duration: 60s, min_events: 5e2, max_duration: 24h, grace: 30s}
features:
  amount: {type: numeric, range: [0, 1e6], detectors: [{name: adwin, feed: events, delta: 1e-3}]}
  country: {type: categorical, allowed: [SE, NO, DK, on, "1"], new_category: warning}
""")
    assert spec.defaults.min_events == 500
    assert spec.features["amount"].range == (0.0, 1e6)
    # Norway is a country, and `on` is a word.
    assert spec.features["country"].allowed == ("SE", "NO", "DK", "on", "1")


def test_json_is_yaml_too() -> None:
    assert read('{"model": "fraud", "defaults": {"pane": "5s"}}').defaults.pane_seconds == 5.0


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("model: m\ntask: binery", 2, 7, ["binery", "one of binary", "did you mean `binary`?"]),
        ("model: m\npane: 5s", 2, 1, ["unknown key `pane`", "it belongs in `defaults`"]),
        ("model: m\ndefaults: {min_event: 5}", 2, 12, ["did you mean `min_events`?"]),
        ("model: m\nzzz: 1", 2, 1, ["unknown key `zzz`", "known: version, model"]),
        ("model: m\nmonitors: []", 2, 1, ["`monitors` is not done yet", "take it out"]),
        ("model: m\ndefaults: {cooldown: 3m}", 2, 12, ["`cooldown` is not done yet"]),
        ("model: m\nshards: 1.5", 2, 9, ["found 1.5", "whole number"]),
        ("model: m\nshards: yes", 2, 9, ["found yes", "whole number"]),
        ("model: 3", 1, 8, ["found 3", "expected text", 'quote it: "3"']),
        ("model: ''", 1, 8, ["found empty text", "some text"]),
        ("task: binary", 1, 1, ["`model` is missing"]),
        ("model: m\nrunbook_url: ftp://x", 2, 14, ["http://"]),
        ("model: m\ndefaults: [1]", 2, 11, ["found a list", "keys and values"]),
        ("model: m\ndefaults:", 2, 10, ["found nothing"]),
        ("model: m\ndefaults: {pane: 2h}", 2, 18, ["found 2h", "100ms to 60m"]),
        (
            "model: m\ndefaults: {min_duration: 2h, max_duration: 1h}",
            2,
            44,
            ["found 1h", "min_duration (2h) or more"],
        ),
        ("model: m\nreference: {kind: profile}", 2, 12, ["an id beside `kind: profile`"]),
        ("model: m\nreference: {id: a}", 2, 17, ["`kind: profile` beside it"]),
        ("model: m\nreference: {kind: profile, id: 'a:b'}", 2, 32, ["letters, digits"]),
        (
            "model: m\nreference: {kind: profile, id: a, min_events: 5}",
            2,
            47,
            ["no `min_events` beside"],
        ),
        ("model: m\nfeatures: {a: {range: [2, 1]}}", 2, 23, ["the lower number first"]),
        ("model: m\nfeatures: {a: {range: [2]}}", 2, 23, ["found 1 of the values"]),
        ("model: m\nfeatures: {a: {missing_max: 5}}", 2, 29, ["a ratio from 0 to 1"]),
        (
            "model: m\nfeatures: {a: {type: categorical, range: [0, 1]}}",
            2,
            42,
            ["use `allowed`"],
        ),
        ("model: m\nfeatures: {a: {type: numeric, allowed: [x]}}", 2, 40, ["use `range`"]),
        ("model: m\nfeatures: {a: {allowed: []}}", 2, 25, ["at least 1 entries"]),
        (
            "model: m\nfeatures: {a: {detectors: [{name: adwim}]}}",
            2,
            35,
            ["adwin, kswin", "did you mean `adwin`?"],
        ),
        (
            "model: m\nfeatures: {a: {detectors: [{name: adwin, detla: 1}]}}",
            2,
            42,
            ["unknown key `detla`", "did you mean `delta`?"],
        ),
        (
            "model: m\nfeatures: {a: {detectors: [{name: adwin, clock: 0}]}}",
            2,
            28,
            ["parameters that adwin can work with (clock is 0)"],
        ),
        ("model: m\nfeatures: {? " + "x" * 200 + " : {}}", 2, 14, ["1 to 128 characters"]),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, line: int, column: int, words: list[str]
) -> None:
    (mistake,) = mistakes(text)
    assert (mistake.line, mistake.column) == (line, column), mistake.headline()
    for word in words:
        assert word in mistake.headline()


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (b"", 1, 1, "found nothing"),
        (b"- 1", 1, 1, "found a list"),
        (b"a: [1\n", 1, 4, "not YAML"),
        (b"a: b: c", 1, 5, "not YAML"),
        (b"model: &m x\nowner: *m", 2, 8, "found the alias *m"),
        (b"model: a\nmodel: b", 2, 1, "it stands in line 1 already"),
        (b"owner: a\nmodel: \xff", 2, 8, "0xff"),
        ("owner: å\nmodel: å\x01".encode(), 2, 9, "a character that YAML forbids"),
        (b"model: a\n---\nmodel: b", 2, 1, "second document"),
        (b"model: !!python/object/apply:os.system [x]", 1, 8, "the tag"),
        (b"model: !!int 3", 1, 8, "the tag"),
        (b"? [a]\n: 1", 1, 3, "a structure as a key"),
        (b"model: " + b"[" * 5000, 1, 23, "more than 16 levels"),
        (b"#" * (1024 * 1024 + 1), 1, 1, "the limit is 1 MiB"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_what_is_not_yaml_for_us(text: bytes, line: int, column: int, words: str) -> None:
    (mistake,) = mistakes(text)
    assert (mistake.line, mistake.column) == (line, column), mistake.headline()
    assert words in mistake.headline()


def test_a_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 30)]
    before = time.process_time()
    (mistake,) = mistakes("\n".join(lines))
    assert time.process_time() - before < 1.0
    assert "alias" in mistake.message


def test_all_mistakes_come_at_once_in_order_of_the_file() -> None:
    found = mistakes("model: m\nshards: 0\ntask: x\nfeatures: {a: {missing_max: 2, type: y}}")
    assert [(m.line, m.column) for m in found] == [(2, 9), (3, 7), (4, 29), (4, 38)]


def test_the_caret_stands_under_what_is_meant() -> None:
    (mistake,) = mistakes("model: m\ntask: binery  # oh")
    assert mistake.render().splitlines()[1:] == [
        "    2 | task: binery  # oh",
        "      |       ^^^^^^",
    ]


def test_the_caret_follows_into_long_lines() -> None:
    (mistake,) = mistakes("model: m\nfeatures: {" + "f: {}, " + " " * 900 + "g: 3}")
    _, source, caret = mistake.render().splitlines()
    assert len(source) < 150
    assert source[caret.index("^")] == "3"


def test_a_terminal_does_not_obey_a_file() -> None:
    (mistake,) = mistakes('model: m\ntask: "\\e[2J"')
    assert "\x1b" not in mistake.render()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        read(data)
    except SpecInvalid as error:
        assert all(mistake.render() for mistake in error.mistakes)


_keys = st.sampled_from(
    ["model", "defaults", "features", "reference", "detectors", "range", "pane", "a", "kind", "id"]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_keys, _json, max_size=5))
def test_no_structure_crashes_the_reader(document: dict[str, object]) -> None:
    try:
        read(orjson.dumps(document | {"model": "m"}, option=orjson.OPT_NON_STR_KEYS))
    except SpecInvalid as error:
        for mistake in error.mistakes:
            assert mistake.render() and mistake.line >= 1 and mistake.column >= 1
    except (TypeError, orjson.JSONEncodeError):
        pass  # a number or text that JSON can't hold
