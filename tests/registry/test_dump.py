"""Models as bytes: the same learned model, the same bytes; nothing but models."""

from __future__ import annotations

import copy
import functools
import hashlib
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import compose, linear_model, tree

from streamgauge.registry.codes import Unstorable
from streamgauge.registry.dump import dump
from streamgauge.registry.load import load
from streamgauge.registry.self_test import answer
from tests.registry.examples import MODELS, learn, learned, rows


@pytest.mark.parametrize("name", MODELS)
def test_a_model_goes_on_as_if_it_had_never_been_stored(name: str) -> None:
    # Given a model in the middle of its stream, and the same read back from bytes
    make, task = MODELS[name]
    whole = learn(make(), task, 200)
    stored = load(dump(whole))
    assert dump(stored) == dump(whole)
    # When both go on
    learn(whole, task, 80, start=200)
    learn(stored, task, 80, start=200)
    # Then they are the same to the last byte, and answer the same
    assert dump(stored) == dump(whole)
    for row, _ in rows(20, start=1000):
        assert answer(stored, row) == answer(whole, row)


@pytest.mark.parametrize("name", ["mixed", "arf", "hoeffding", "gaussian nb", "knn"])
def test_stored_often_or_never_makes_no_difference(name: str) -> None:
    make, task = MODELS[name]
    often = make()
    for start in range(0, 120, 20):
        often = load(dump(learn(often, task, 20, start=start)))
    assert dump(often) == dump(learn(make(), task, 120))


_CHILD = """
import hashlib
from streamgauge.registry.dump import dump
from tests.registry.examples import MODELS, learned
print(hashlib.sha256(b"".join(dump(learned(n, 40)) for n in list(MODELS)[::2])).hexdigest())
"""


def test_the_bytes_depend_on_no_process() -> None:
    here = hashlib.sha256(
        b"".join(dump(learned(name, 40)) for name in list(MODELS)[::2])
    ).hexdigest()
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.getcwd()},
    )
    assert done.stdout.strip() == here


def test_whose_text_it_is_does_not_matter() -> None:
    word = "".join(["a", "b"])
    other = "".join(["a", "b"])
    assert word is not other
    assert dump([word, word, (1.0, word)]) == dump([word, other, (1.0, other)])
    sets = [{f"{letter}{number}" for letter in order} for number, order in ((1, "abcdef"),) * 2]
    sets.append({f"{letter}1" for letter in "fedcba"})
    assert dump(sets[0]) == dump(sets[1]) == dump(sets[2])


def test_the_order_of_attributes_and_what_is_shared_stay() -> None:
    inner = [1]
    found = load(dump({"z": inner, "a": inner, "both": (inner, inner)}))
    assert list(found) == ["z", "a", "both"]
    assert found["z"] is found["a"] is found["both"][0]


def test_things_that_hold_themselves() -> None:
    ring: list[Any] = []
    pair = (ring, 1)
    ring.append(pair)
    found = load(dump(pair))
    assert found[0][0] is found
    looped: dict[str, Any] = {}
    looped["me"] = looped
    assert (back := load(dump(looped)))["me"] is back


def test_depth_has_no_limit() -> None:
    # A splitter of a regression tree over sorted values is one long branch
    deep: list[Any] = []
    for _ in range(20_000):
        deep = [deep]
    found, depth = load(dump(deep)), 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == 20_000
    sorted_model = tree.HoeffdingTreeRegressor(
        grace_period=10_000, splitter=tree.splitter.EBSTSplitter()
    )
    for number in range(1_200):
        sorted_model.learn_one({"x": float(number)}, float(number))
    assert dump(load(dump(sorted_model))) == dump(sorted_model)


_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
        | st.frozensets(st.text() | st.integers() | st.booleans())
    ),
    max_leaves=20,
)


@given(_plain)
def test_plain_values_come_back(value: object) -> None:
    found = load(dump(value))
    assert found == value and type(found) is type(value)
    assert dump(found) == dump(value) == dump(copy.deepcopy(value))


def test_arrays_come_back_with_type_shape_and_order() -> None:
    for array in (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(3.5),
        np.zeros((0, 2), dtype=np.int16),
        np.arange(10.0)[::2],
    ):
        found = load(dump(array))
        assert found.dtype == array.dtype and found.shape == array.shape
        np.testing.assert_array_equal(found, array)
        assert found.flags.writeable
    assert load(dump(np.asfortranarray(np.eye(3)[:2]))).flags.f_contiguous
    number = load(dump(np.float64(0.1)))
    assert type(number) is np.float64 and number == 0.1


class Stranger:
    pass


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Stranger(), "Stranger is not among what models may hold"),
        (os.system, "not among what models may hold"),
        (functools.partial(os.system, "true"), "no partial of"),
        ([].append, "no method 'append' of list"),
        (lambda: 1, "not among what models may hold"),
        (np.array([object()]), "are not stored"),
        ({Stranger()}, "a set of objects has no order"),
        (compose.FuncTransformer(len), "FuncTransformer is not among"),
        (linear_model.LogisticRegression().learn_one, "no method 'learn_one'"),
    ],
    # No addresses in a name: side by side, every process must find the same tests.
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_what_a_load_would_refuse_is_not_written(thing: Any, words: str) -> None:
    with pytest.raises(Unstorable, match=words):
        dump({"part": [thing]})
