"""The sections of a document that a model describes: which part stands where, and its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streamgauge.manual.taken import taken

Row = tuple[str, str, str, str]
COLUMNS = ("key", "takes", "default", "meaning")


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the document, and the path under which it is written: ``features.<name>``."""

    path: str
    part: type[BaseModel]

    def fields(self) -> Iterator[tuple[str, FieldInfo]]:
        """Its keys as they are written."""
        for name, field in self.part.model_fields.items():
            yield field.alias or name, field

    def below(self) -> Iterator[Place]:
        """The parts that stand in it, in order."""
        for key, field in self.fields():
            path = f"{self.path}.{key}" if self.path else key
            yield from _parts(field.annotation, path)

    def rows(self, shown: Callable[[FieldInfo], str]) -> list[Row]:
        """A row for each key; ``shown`` writes its default."""
        return [
            (f"`{key}`", taken(field), shown(field), described(self.part, key, field))
            for key, field in self.fields()
        ]


def places(top: Place) -> Iterator[Place]:
    """The part and all below it, each where it first stands, as one reads."""
    yield top
    for place in top.below():
        yield from places(place)


def described(part: type[BaseModel], key: str, field: FieldInfo) -> str:
    """What a field means: its own words, those of the class it comes from, or its section's."""
    if field.description:
        return field.description
    for base in part.__mro__:
        same = getattr(base, "model_fields", {}).get(key)
        if same is not None and same.description:
            return str(same.description)
    for place in _parts(field.annotation, ""):
        return (place.part.__doc__ or "").split("\n")[0].replace("``", "`")
    return ""


def _parts(annotation: Any, path: str) -> Iterator[Place]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield Place(path, annotation)
        return
    inside = get_args(annotation)
    if get_origin(annotation) is dict:
        yield from _parts(inside[1], f"{path}.<name>")
        return
    listed = "[]" if len(inside) == 2 and inside[1] is Ellipsis else ""
    for each in inside:
        yield from _parts(each, path + listed)
