"""What every event shares: scalar types with their limits, and the rule for reading."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamgauge_client.events.timestamp import to_seconds

#: Longest identifier, model name or version, in characters.
MAX_IDENTIFIER = 128
#: Longest string anywhere in an event, in characters.
MAX_STRING = 1024
#: Most features of one prediction, and most entries of any other mapping.
MAX_FEATURES = 1000
#: Longest array (an embedding, a vector output).
MAX_ARRAY = 4096
#: Largest integer that every JSON reader represents exactly.
MAX_INTEGER = 2**53
#: Deepest nesting of an event, its own object included.
MAX_DEPTH = 8


def check_timestamp(value: float | str) -> float | str:
    """Refuse what is no event time; the value stays as it was given."""
    to_seconds(value)
    return value


def check_plain(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse, in content of no fixed shape, what other JSON readers can't take.

    That is nesting beyond the limit, integers beyond 2**53, NaN and infinities.
    """
    level: list[Any] = [value]
    # The event's own object is the first level.
    depth = 2
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict | list | tuple):
                if depth > MAX_DEPTH:
                    raise ValueError(f"is nested too deep; an event has {MAX_DEPTH} levels at most")
                below += item.values() if isinstance(item, dict) else item
            elif isinstance(item, float):
                if not isfinite(item):
                    raise ValueError("holds NaN or an infinity; JSON has neither")
            elif isinstance(item, int) and abs(item) > MAX_INTEGER:
                raise ValueError("holds an integer beyond 2**53; give it as a string")
        level = below
        depth += 1
    return value


Identifier = Annotated[str, Field(min_length=1, max_length=MAX_IDENTIFIER)]
Text = Annotated[str, Field(max_length=MAX_STRING)]
Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
#: JSON has no NaN and no infinity; neither have events. Numbers are doubles, integers too.
Number = Annotated[float, Field(allow_inf_nan=False)]
Vector = Annotated[list[Number], Field(max_length=MAX_ARRAY)]
FeatureValue = bool | Number | Text | Vector | None
Features = Annotated[dict[Identifier, FeatureValue], Field(max_length=MAX_FEATURES)]
StringMap = Annotated[dict[Identifier, Text], Field(max_length=MAX_FEATURES)]
#: Event time: RFC 3339 with an offset, or seconds since 1970. Never milliseconds, never guessed.
Timestamp = Annotated[Number | Text, AfterValidator(check_timestamp)]
#: Content of no fixed shape.
Plain = Annotated[dict[str, Any], AfterValidator(check_plain)]
#: Classes by name; a class is always a string, also where the model's are numbers or booleans.
Scores = Annotated[dict[Identifier, Number], Field(max_length=MAX_FEATURES)]
Severity = Literal["info", "warning", "critical"]


class Event(BaseModel):
    """Base of all events.

    Types are strict (``"1"`` is not a number) and unknown fields are ignored, so that a newer
    producer never breaks an older consumer. Fields are only ever added, and only optional ones.
    """

    # Built at first use: who only publishes never needs the validators, and building them all
    # takes a third of the time of importing the client.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class ScoredLabel(BaseModel):
    """A class, how sure the model is of it, and what it gave the other classes."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)

    label: Identifier
    score: Number | None = None
    scores: Scores | None = None


#: What a model said, or what is true: a number, a class, a class with scores, a vector.
Output = bool | Number | Text | ScoredLabel | Vector | None
