"""What every event shares: scalar types with their limits, and the rule for reading."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
Timestamp = Number | Text
#: Classes by name; a class is always a string, also where the model's are numbers or booleans.
Scores = Annotated[dict[Identifier, Number], Field(max_length=MAX_FEATURES)]
Severity = Literal["info", "warning", "critical"]


class Event(BaseModel):
    """Base of all events.

    Types are strict (``"1"`` is not a number) and unknown fields are ignored, so that a newer
    producer never breaks an older consumer. Fields are only ever added, and only optional ones.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class ScoredLabel(BaseModel):
    """A class, how sure the model is of it, and what it gave the other classes."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    label: Identifier
    score: Number | None = None
    scores: Scores | None = None


#: What a model said, or what is true: a number, a class, a class with scores, a vector.
Output = bool | Number | Text | ScoredLabel | Vector | None
