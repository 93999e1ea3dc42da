"""Open Inference Protocol v2: ``inputs`` and ``outputs`` are named tensors with a shape.

The first dimension is the row, where all inputs and the first output agree on it; else the call is
one row. An input is a feature by its name, or ``name[i]`` where a row has several values. The first
output is the prediction's; further ones are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from streamgauge.ingest.row import Row, Unmapped, check_rows, output_of
from streamgauge.ingest.tensors import flat


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    scalars: list[Any]

    @property
    def rows(self) -> int:
        return self.shape[0] if self.shape else 1

    def row(self, index: int, of: int) -> list[Any]:
        """The values of one of so many equal rows."""
        width = len(self.scalars) // of
        return self.scalars[index * width : (index + 1) * width]


def rows(request: dict[str, Any] | None, response: dict[str, Any]) -> list[Row]:
    """Raises ``Unmapped``, which names the tensor."""
    outputs = _tensors(response.get("outputs"), "outputs")
    first = outputs[0]
    inputs = _tensors(request.get("inputs"), "inputs") if request is not None else []
    counts = {first.rows, *(tensor.rows for tensor in inputs)}
    n = first.rows if len(counts) == 1 else 1
    check_rows(n, "outputs")
    name = f"outputs.{first.name}"
    return [
        Row(
            {tensor.name: tensor.row(index, n) for tensor in inputs},
            output_of(_alone(first.row(index, n)), name),
        )
        for index in range(n)
    ]


def asked(request: dict[str, Any]) -> list[Mapping[str, Any]]:
    """What was given, row by row, of a call without an answer."""
    inputs = _tensors(request.get("inputs"), "inputs")
    counts = {tensor.rows for tensor in inputs}
    n = counts.pop() if len(counts) == 1 else 1
    check_rows(n, "inputs")
    return [{tensor.name: tensor.row(index, n) for tensor in inputs} for index in range(n)]


def _alone(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _tensors(given: Any, field: str) -> list[_Tensor]:
    if not isinstance(given, list) or not given:
        raise Unmapped(f"{field}: expected a list of tensors")
    return [_tensor(each, f"{field}[{index}]") for index, each in enumerate(given)]


def _tensor(given: Any, field: str) -> _Tensor:
    if not isinstance(given, dict):
        raise Unmapped(f"{field}: expected an object with name, shape and data")
    name, shape, data = given.get("name"), given.get("shape"), given.get("data")
    if not isinstance(name, str) or not name:
        raise Unmapped(f"{field}.name: expected text")
    if data is None:
        raise Unmapped(f"{field}.data: missing; tensors as binary data are not read")
    scalars = flat(data)
    if shape is None:
        shape = [len(data)] if isinstance(data, list) else []
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise Unmapped(f"{field}.shape: expected a list of whole numbers")
    if prod(shape) != len(scalars):
        raise Unmapped(f"{field}.data: {len(scalars):,} values do not fill the shape")
    if not scalars:
        raise Unmapped(f"{field}.data: empty")
    return _Tensor(name, tuple(shape), scalars)
