"""What a criterion claims: a figure, a comparison, a number."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from streamgauge.specs.measures import figure_name, measure
from streamgauge.specs.scalars import parse_number, refuse

Comparison = Literal["<", "<=", ">", ">="]
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FIGURE = r"(?P<name>[a-z][a-z0-9_]*(?::[^\s()<>≤≥]+)?(?:@[^\s()<>≤≥]+)?)(?:\(\s*(?P<of>.+?)\s*\))?"
_CLAIM = re.compile(rf"\s*{_FIGURE}\s*(?P<how><=|>=|≤|≥|<|>)\s*(?P<bound>.+?)\s*")
_EXPECTED = "a claim like `error_ratio <= 0.01`: a figure, one of < <= > >=, a number"


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure's bound. ``of`` is the feature that it is about, None for the whole model.

    Examples
    --------
    >>> claim = parse_claim("missing_ratio(amount) <= 2 %")
    >>> claim.figure, claim.comparison, claim.bound, claim.holds(0.01)
    ('missing_ratio(amount)', '<=', 0.02, True)
    """

    name: str
    of: str | None
    comparison: Comparison
    bound: float

    @property
    def figure(self) -> str:
        """The figure's full name, as ``Figures`` has it; aliases are resolved."""
        name = figure_name(self.name)
        return f"{name}({self.of})" if self.of is not None else name

    @property
    def upper(self) -> bool:
        """Whether less is better."""
        return self.comparison in ("<", "<=")

    def holds(self, value: float) -> bool:
        """Whether one value satisfies it."""
        return _COMPARE[self.comparison](value, self.bound)


def parse_claim(text: str) -> Claim:
    """Read a claim. Raises the specs' own error, which says what was expected."""
    found = _CLAIM.fullmatch(text)
    if found is None:
        raise refuse(_EXPECTED)
    bound = found["bound"]
    try:
        number = (
            parse_number(bound.removesuffix("%").strip()) / 100
            if bound.endswith("%")
            else parse_number(bound)
        )
    except PydanticCustomError:
        raise refuse(_EXPECTED) from None
    how: Comparison
    match found["how"]:
        case "<":
            how = "<"
        case ">":
            how = ">"
        case "<=" | "≤":
            how = "<="
        case _:
            how = ">="
    name, of = found["name"], found["of"]
    known = measure(name)
    if known is not None and known.feature == "no" and of is not None:
        raise refuse(f"{name} without ({of}): it is of the whole model")
    if known is not None and known.feature == "required" and of is None:
        raise refuse(f"the feature that {name} is of, like {name}(amount)")
    return Claim(name, of, how, number)


def parse_figure(text: str) -> tuple[str, str | None]:
    """Name and feature of ``missing_ratio(amount)``. Raises the specs' own error.

    >>> parse_figure("missing_ratio(amount)"), parse_figure("accuracy")
    (('missing_ratio', 'amount'), ('accuracy', None))
    """
    found = re.fullmatch(_FIGURE, text.strip())
    if found is None:
        raise refuse("a figure like error_ratio or missing_ratio(amount)")
    return found["name"], found["of"]


def _checked_claim(value: object) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise refuse(_EXPECTED)
    parse_claim(value)
    return value.strip()


def _checked_figure(value: object) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise refuse("a figure like error_ratio or missing_ratio(amount)")
    parse_figure(value)
    return value.strip()


Expression = Annotated[
    str,
    BeforeValidator(_checked_claim),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 300,
            "pattern": r"^\s*[a-z][^<>≤≥]*(<=|>=|<|>|≤|≥).+$",
            "examples": ["error_ratio <= 0.01", "p95_latency_ms <= 200", "recall >= 0.8"],
        }
    ),
]
FigureName = Annotated[
    str,
    BeforeValidator(_checked_figure),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 300,
            "pattern": r"^\s*[a-z][a-z0-9_:]*.*$",
            "examples": ["error_ratio", "recall", "missing_ratio(amount)"],
        }
    ),
]
