"""One row of a call to a model server: what it was given, and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamgauge_client.outputs import output
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

#: Most rows of one call.
MAX_ROWS = 10_000


class Unmapped(Exception):
    """A payload is not of the protocol. ``reason`` is a dead letter's; the text names the field."""

    def __init__(self, detail: str, reason: str = "schema") -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason


def check_rows(count: int, field: str) -> None:
    """Refuse a call with more rows than anybody means. Raises ``Unmapped``."""
    if count > MAX_ROWS:
        raise Unmapped(f"{field}: {count:,} rows; at most {MAX_ROWS:,} are taken", "too_large")


@dataclass(frozen=True, slots=True)
class Row:
    """Named values of any shape, and an output as the contract has it."""

    features: Mapping[str, Any]
    output: Any
    status: str = "ok"


def output_of(value: Any, name: str) -> Any:
    """What a server answered for one row, as the client would have sent it. Raises ``Unmapped``."""
    try:
        return output(value, Counters(), name=name)
    except Unfit as error:
        raise Unmapped(f"{name}: {error}") from None
