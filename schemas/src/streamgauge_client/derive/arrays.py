"""Arrays of callers: numpy where it is, and a clear word where it is needed and missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def numpy_or_none() -> Any:
    """The numpy module; the client does not depend on it."""
    try:
        return import_module("numpy")
    except ImportError:
        return None


def as_array(given: Any, name: str, *, instead: str) -> Any:
    """A numpy array of numbers. Raises ``ValueError``; ``instead`` is what else may be given."""
    numpy = numpy_or_none()
    if numpy is None:
        raise ValueError(
            f"{name}: reading arrays needs numpy; pip install numpy, or give {instead}"
        )
    try:
        array = numpy.asarray(given)
    except Exception as error:
        # Ragged lists, and tensors that live on a GPU or track gradients.
        raise ValueError(
            f"{name} can't be read as an array ({str(error)[:200]}); give a numpy array of one "
            "shape, torch: tensor.detach().cpu().numpy()"
        ) from None
    if array.dtype.kind not in "buif":
        raise ValueError(f"{name} is an array of {array.dtype}; give numbers, or {instead}")
    if array.size == 0:
        raise ValueError(f"{name} is empty (shape {array.shape}); leave its features out")
    return array
