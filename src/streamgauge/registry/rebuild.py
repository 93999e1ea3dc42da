"""What a stored model is rebuilt with, besides its classes: arrays, partials, methods, pipelines.

Artefacts name these functions where plain pickles would name numpy's reconstructors, ``getattr``
and ``functools.partial``: each takes listed things only, so none of them opens a way further.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.registry.allowed import BOUND_METHODS, PARTIAL_FUNCTIONS, allowed_class

#: Plain numbers, booleans, and text of fixed width; no objects.
_KINDS = "biufcSU"


def dtype_of(text: str) -> np.dtype[Any]:
    """A dtype of plain numbers. Raises ``ValueError`` for any other."""
    if type(text) is not str:
        raise ValueError("a dtype is given by its name")
    found = np.dtype(text)
    if found.kind not in _KINDS or found.hasobject or found.fields is not None:
        raise ValueError(f"arrays of {text!r} are not stored")
    return found


def array(text: str, shape: tuple[int, ...], order: str, content: bytes) -> np.ndarray[Any, Any]:
    """An array of plain numbers in its own memory order ("C" or "F")."""
    flat = np.frombuffer(content, dtype=dtype_of(text)).copy()
    return flat.reshape(shape, order="F" if order == "F" else "C")


def scalar(text: str, content: bytes) -> Any:
    """One of numpy's numbers."""
    return np.frombuffer(content, dtype=dtype_of(text))[0]


def partial(
    function: Any, args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> functools.partial[Any]:
    """A partial of a class that models may hold, or of a listed function."""
    if not (allowed_class(function) or any(function is each for each in PARTIAL_FUNCTIONS)):
        name = getattr(function, "__qualname__", type(function).__name__)
        raise ValueError(f"no partial of {name} is stored")
    return functools.partial(function, *args, **keywords)


def bound(owner: Any, name: str) -> Any:
    """A method of a model's part, or of its class, by listed pairs of class and name."""
    cls = owner if isinstance(owner, type) else type(owner)
    if not allowed_class(cls) or type(name) is not str or (cls.__name__, name) not in BOUND_METHODS:
        said = name if type(name) is str else "of no name"
        raise ValueError(f"no method {said!r} of {cls.__name__} is stored")
    # From the class: the instance's own attributes came from the artefact.
    method = getattr(cls, name)
    free = not isinstance(owner, type) and not hasattr(method, "__self__")
    return method.__get__(owner) if free else method


def pipeline(state: Mapping[str, Any]) -> Pipeline:
    """A pipeline of a spec. Raises ``ValueError`` for what is none of its states."""
    # Exactly a dictionary: whatever else has a ``get`` would be called.
    if type(state) is not dict:
        raise ValueError(f"a pipeline is rebuilt from its state, not from a {type(state).__name__}")
    return Pipeline.from_state(state)
