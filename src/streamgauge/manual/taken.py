"""What a field takes, in words: its type and its range, from annotation and constraints."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
from pydantic import AfterValidator, BaseModel, BeforeValidator, SecretStr, WithJsonSchema
from pydantic.fields import FieldInfo

from streamgauge.specs import claims, scalars

#: By the first validator of each kind of scalar that specs have.
_SCALARS: Mapping[object, str] = {
    next(each for each in get_args(alias) if isinstance(each, BeforeValidator)): words
    for alias, words in (
        (scalars.Number, "a number"),
        (scalars.Integer, "a whole number"),
        (scalars.Duration, "a duration: `10s`, `5m`, `24h`, or seconds"),
        (scalars.Size, "a size: `16 MB`, or bytes"),
        (scalars.Category, "a category: text, a number, true or false"),
        (scalars.Date, "a day: `2026-03-01`"),
        (claims.Expression, "a claim: `recall >= 0.8`"),
        (claims.FigureName, "a figure: `recall`, `missing_ratio(amount)`"),
    )
}
_PLAIN: Mapping[object, str] = {
    str: "text",
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    SecretStr: "text, secret",
    Path: "a file",
}


def taken(field: FieldInfo) -> str:
    """The words for a field.

    >>> taken(FieldInfo(annotation=Literal["a", "b"]))
    '`a`, `b`'
    >>> taken(FieldInfo.from_annotation(Annotated[int, at.Ge(1)]))
    'a whole number, 1 or more'
    """
    return _words(field.annotation, field.metadata)


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    marks = list(_flat(metadata))
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _words(inner, [*_flat(more), *marks])
    for mark in marks:
        if isinstance(mark, AfterValidator) and isinstance(mark.func, scalars.Limit):
            return mark.func.words
    for mark in marks:
        if isinstance(mark, BeforeValidator) and mark in _SCALARS:
            return _SCALARS[mark]
        if isinstance(mark, WithJsonSchema) and mark.json_schema:
            if said := mark.json_schema.get("description"):
                return str(said).rstrip(".")
            if annotation is Any:
                kinds = mark.json_schema["type"]
                return "a " + ", ".join(kinds[:-1]) + f" or {kinds[-1]}"
    return _several(annotation, marks) or _plain(annotation) + _bounds(marks)


def _plain(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(each) for each in arguments if each is not type(None))
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"[{', '.join(_words(each) for each in arguments)}]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a section"
    return _PLAIN[annotation]


def _several(annotation: Any, marks: Sequence[Any]) -> str | None:
    """The words for a list or a mapping with what is in it; None for all else."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    longest = [mark.max_length for mark in marks if isinstance(mark, at.MaxLen)]
    most = f" of at most {longest[0]:,}" if longest else ""
    if origin is dict:
        return f"a mapping{most}: name to {_words(arguments[1])}"
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"a list{most}: {_words(arguments[0])}"
    return None


def _bounds(marks: Sequence[Any]) -> str:
    said: list[str] = []
    least = most = None
    for mark in marks:
        match mark:
            case at.Ge(low):
                least = f"{low}"
            case at.Le(high):
                most = f"{high}"
            case at.Gt(low):
                said.append(f", above {low}")
            case at.MaxLen(n):
                said.append(f" of at most {n:,} characters")
            case _ if pattern := getattr(mark, "pattern", None):
                said.append(f" that matches `{pattern}`")
            case _:
                pass
    if least is not None:
        said.append(f" from {least} to {most}" if most is not None else f", {least} or more")
    return "".join(said)


def _flat(marks: Iterable[Any]) -> Iterable[Any]:
    """Constraints one by one: within a union pydantic keeps them in a field of their own."""
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark
