"""Payloads that would run code, signed with the right key: the second line refuses them."""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import operator
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from river import compose, linear_model
from river.drift import ADWIN

from streamgauge.registry import rebuild
from streamgauge.registry.allowed import allowed_class, resolve
from streamgauge.registry.dump import dump
from streamgauge.registry.envelope import unseal
from streamgauge.registry.load import load
from streamgauge.registry.publish import revived
from streamgauge.registry.rejected import Rejected
from streamgauge.registry.river_classes import RIVER_CLASSES
from tests.registry.examples import KEY, envelope, learned


class _Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> Any:
        return self.function, self.args


def _gadgets(canary: str) -> dict[str, Any]:
    touch = f"open({canary!r}, 'w').close()"
    shell = f"touch {canary}"
    module = _Calls(importlib.import_module, "os")
    return {
        "os.system": _Calls(os.system, shell),
        "os.popen": _Calls(os.popen, shell),
        "os.execl": _Calls(os.open, canary, os.O_CREAT),
        "subprocess.run": _Calls(subprocess.run, ["touch", canary]),
        "subprocess.Popen": _Calls(subprocess.Popen, ["touch", canary]),
        "subprocess.check_output": _Calls(subprocess.check_output, ["touch", canary]),
        "eval": _Calls(eval, touch),
        "exec": _Calls(exec, touch),
        "open": _Calls(open, canary, "w"),
        "compile": _Calls(compile, touch, "x", "exec"),
        "__import__": _Calls(builtins.__import__, "os"),
        "getattr": _Calls(getattr, module, "system"),
        "getattr of a getattr": _Calls(getattr, _Calls(getattr, module, "path"), "os"),
        "setattr": _Calls(setattr, linear_model.LogisticRegression, "x", 1),
        "partial": _Calls(functools.partial(os.system, shell)),
        "partial of partial": _Calls(functools.partial(functools.partial, os.system), shell),
        "reduce": _Calls(functools.reduce, os.system, [shell]),
        "map": _Calls(list, _Calls(map, os.system, [shell])),
        "attrgetter": _Calls(operator.attrgetter("system"), module),
        "methodcaller": _Calls(operator.methodcaller("system", shell), module),
        "itemgetter": _Calls(operator.itemgetter(0), [1]),
        "Path.touch": _Calls(Path.touch, Path(canary)),
        "io.open_code": _Calls(io.open_code, canary),
        "numpy.fromfile": _Calls(np.fromfile, canary),
        "numpy.load": _Calls(np.load, canary, None, True),
        "pickle.loads": _Calls(pickle.loads, pickle.dumps(_Calls(os.system, shell))),
        "FuncTransformer": compose.FuncTransformer(os.system),
        "rebuild.partial": _Calls(rebuild.partial, os.system, (shell,), {}),
        "rebuild.bound": _Calls(rebuild.bound, module, "system"),
        "rebuild.array": _Calls(rebuild.array, "O", (1,), "C", b"12345678"),
        "sys.exit": _Calls(sys.exit, 0),
        "print": _Calls(print, "run"),
        "type": _Calls(type, "Made", (), {}),
    }


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize("name", _gadgets(""))
def test_no_gadget_runs(name: str, protocol: int, tmp_path: Path) -> None:
    # Given a pickle that would leave a file behind, or run anything
    canary = tmp_path / "ran"
    gadget = _gadgets(str(canary))[name]
    payload = pickle.dumps({"model": gadget}, protocol)
    # When it comes in an envelope with our own signature
    sealed = envelope(payload)
    # Then it is refused, and nothing ran
    with pytest.raises(Rejected) as caught:
        revived(unseal(sealed, key=KEY, model="fraud"))
    assert caught.value.reason == "payload"
    assert not canary.exists()
    assert not hasattr(linear_model.LogisticRegression, "x")


def text(word: str) -> bytes:
    return b"\x8c" + bytes((len(word),)) + word.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


LOGISTIC = named("river.linear_model.log_reg", "LogisticRegression")
#: In the format itself, past everything that pickle's filters look at.
CRAFTED: dict[str, bytes] = {
    "attributes on a class": LOGISTIC + b"(N}(" + text("predict_one") + b"K\x01utb",
    "attributes of a class by dictionary": LOGISTIC + b"}(" + text("x") + b"K\x01ub",
    "attributes on a function": named("copy", "deepcopy") + b"(N}(" + text("x") + b"K\x01utb",
    "attributes on a function by dictionary": named("copy", "deepcopy")
    + b"}("
    + text("x")
    + b"K\x01ub",
    "an instance as a class": LOGISTIC
    + b")\x81}("
    + text("__new__")
    + named("copy", "deepcopy")
    + b"ub)\x81",
    "a constructor that runs": LOGISTIC + b")R",
    "a function that runs": named("copy", "deepcopy") + b"(K\x01tR",
    "a class as an attribute's way": named("river.linear_model.log_reg", "LogisticRegression.mro"),
    "a module as a name": named("river", "linear_model"),
    "dunder": named("builtins", "int.__class__"),
    "partial of a function that is not listed": named("streamgauge.registry.rebuild", "partial")
    + b"("
    + named("river._river_rust.vectordict", "euclidean_distance_dict")
    + b")}tR",
    "a method that is not listed": named("streamgauge.registry.rebuild", "bound")
    + b"("
    + LOGISTIC
    + b")\x81"
    + text("learn_one")
    + b"tR",
    "a method of a text": named("streamgauge.registry.rebuild", "bound")
    + b"("
    + text("{0.__class__}")
    + text("format")
    + b"tR",
    "calling what was brought": b"(" + text("x") + b")tR",
    "calling an instance": LOGISTIC + b")\x81)R",
    "a name that is no text": b"K\x01K\x02\x93",
    "an unknown slot": named("river.neighbors.ann.nn_vertex", "Vertex")
    + b")\x81(N}("
    + text("__class__")
    + b"K\x01utb",
    "elements for a dictionary": b"}(K\x01e",
    "entries for a list": b"](K\x01K\x02u",
    "an odd number of entries": b"}(K\x01u",
    "members for a list": b"](K\x01\x90",
    "a persistent id": text("x") + b"Q",
    "an extension": b"\x82\x01",
    "an old global": b"cos\nsystem\n",
    "an old instance": b"(ios\nsystem\n",
    "memory that is not there": b"h\x05",
    "a mark too few": b"t",
    "nothing at all": b"",
    "two things": b"NN",
    "an open mark": b"(N",
    "a length of 4 GB": b"X\xff\xff\xff\xffab",
    "a long of minus one": b"\x8b" + struct.pack("<i", -1),
    "Rust on garbage": named("river._river_rust.drift", "AdaptiveWindowing")
    + b"(G"
    + struct.pack(">d", 0.002)
    + b"K\x20K\x05K\x05K\x0at\x81C\x04\xff\xff\xff\xffb",
    "an unhashable key": b"}(]Nu",
}


@pytest.mark.parametrize("name", CRAFTED)
def test_no_crafted_payload_is_taken(name: str) -> None:
    before = set(vars(linear_model.LogisticRegression))
    with pytest.raises(Rejected) as caught:
        load(b"\x80\x05" + CRAFTED[name] + b".")
    assert caught.value.reason == "payload"
    assert set(vars(linear_model.LogisticRegression)) == before


def test_deep_nesting_and_repeated_doubling_end() -> None:
    # Given a million lists in each other, which would overflow a recursive reader
    found = load(b"\x80\x05" + b"]" + b"(]" * 100_000 + b"e" * 100_000 + b".")
    assert len(found) == 1


def test_bombs_take_no_time() -> None:
    # Given sixty tuples, each of twice the one before: no room, but 2 ** 60 steps to hash or print
    bomb = b"(" * 60 + b")" + b"".join(b"\x94h" + bytes((n,)) + b"t" for n in range(60))
    assert len(load(b"\x80\x05" + bomb + b".")) == 2
    for use in (
        b"}(" + bomb + b"Nu",
        b"\x8f(" + bomb + b"\x90",
        b"(" + bomb + b"\x91",
        bomb + b")R",
        bomb + b")\x81",
        bomb + b"}b",
        named("streamgauge.registry.rebuild", "partial") + b"(" + bomb + b")}tR",
        named("streamgauge.registry.rebuild", "bound") + b"(N" + bomb + b"tR",
        named("streamgauge.registry.rebuild", "dtype_of") + b"(" + bomb + b"tR",
    ):
        with pytest.raises(Rejected):
            load(b"\x80\x05" + use + b".")


def test_every_flipped_bit_of_a_payload_is_a_model_or_a_refusal() -> None:
    # Given an unsigned way in, which there is not: the guard must hold all the same
    payload = dump(ADWIN()) + dump(learned(count=10))
    rng = random.Random(7)
    for source in (dump(ADWIN()), dump(learned(count=10)), payload):
        for _ in range(1_500):
            damaged = bytearray(source)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            try:
                load(bytes(damaged))
            except Rejected as error:
                assert error.reason == "payload"


def test_an_interrupt_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("streamgauge.registry.load.resolve", stop)
    with pytest.raises(KeyboardInterrupt):
        load(dump(learned(count=10)))


@pytest.mark.parametrize("module", RIVER_CLASSES)
def test_every_listed_name_is_a_class_of_this_river(module: str) -> None:
    for name in RIVER_CLASSES[module].split():
        assert allowed_class(resolve(module, name))


DANGEROUS: list[tuple[str, str]] = [
    ("river.compose.func", "FuncTransformer"),
    ("river.compose.target_transform", "TargetTransformRegressor"),
    ("river.feature_extraction.vectorize", "BagOfWords"),
    ("river.feature_extraction.vectorize", "TFIDF"),
    ("river.datasets.base", "RemoteDataset"),
    ("river.stream", "iter_csv"),
    ("builtins", "getattr"),
    ("builtins", "type"),
    ("builtins", "object"),
    ("builtins", "bytearray"),
    ("functools", "partial"),
    ("operator", "attrgetter"),
    ("copyreg", "_reconstructor"),
    ("streamgauge.registry.load", "load"),
    ("streamgauge.registry.rebuild", "np"),
    ("numpy", "load"),
]


@pytest.mark.parametrize("pair", DANGEROUS, ids=".".join)
def test_what_calls_or_opens_is_not_listed(pair: tuple[str, str]) -> None:
    with pytest.raises(LookupError, match="not among what models may hold"):
        resolve(*pair)
