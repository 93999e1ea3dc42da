"""A spec from its YAML file, or every mistake in it with line, column and what would be right."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.base import SpecPart
from streamgauge.specs.criteria import CriterionSpec, SloSpec
from streamgauge.specs.features import DetectorCatalogue, DetectorSpec, FeatureSpec
from streamgauge.specs.labels import LabelsSpec
from streamgauge.specs.learning import ChallengerSpec, LearnerCatalogue, LearningSpec
from streamgauge.specs.located import Located, Path, Place, Unreadable, locate, read_text
from streamgauge.specs.mistakes import Mistake, SpecInvalid
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.project import ProjectSpec, RiskSpec
from streamgauge.specs.remark import Remark
from streamgauge.specs.sections import DefaultsSpec, ReferenceSpec

_SECTIONS: tuple[tuple[str, type[SpecPart]], ...] = (
    ("at the top level", ModelSpec),
    ("in `defaults`", DefaultsSpec),
    ("in `reference`", ReferenceSpec),
    ("in `accepted`", AcceptedSpec),
    ("in a feature", FeatureSpec),
    ("in a detector", DetectorSpec),
    ("in `project`", ProjectSpec),
    ("in a criterion", CriterionSpec),
    ("in `slo`", SloSpec),
    ("in a risk", RiskSpec),
    ("in `learning`", LearningSpec),
    ("in a challenger", ChallengerSpec),
    ("in `labels`", LabelsSpec),
)
_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dict_type": "keys and values",
    "tuple_type": "a list in [ ]",
    "list_type": "a list in [ ]",
    "string_too_short": "some text",
}


def load_spec(
    data: bytes,
    *,
    name: str,
    detectors: DetectorCatalogue | None = None,
    learners: LearnerCatalogue | None = None,
) -> ModelSpec:
    """Read and validate a spec's file; ``name`` is what mistakes call it.

    With ``detectors`` the detectors of features are checked too, with ``learners`` the
    estimators of challengers.
    Raises ``SpecInvalid`` with all mistakes that one pass can see.
    """
    lines: list[str] = []
    try:
        text = read_text(data)
        lines = text.splitlines()
        document = locate(text)
    except Unreadable as error:
        raise SpecInvalid(
            (_mistake(name, lines, error.place, error.message, error.hint),)
        ) from None
    if not isinstance(document.value, dict):
        found = "nothing" if document.value is None else _found(document, (), document.value)
        place = document.values.get((), Place(1, 1))
        message = f"found {found}, expected the keys of a spec"
        raise SpecInvalid((_mistake(name, lines, place, message, "start with `model: NAME`"),))
    try:
        context = {"detectors": detectors, "learners": learners}
        return ModelSpec.from_document(document.value, context=context)
    except ValidationError as error:
        mistakes = [
            _explained(name, lines, document, dict(detail))
            for detail in error.errors(include_url=False)
        ]
        mistakes.sort(key=lambda mistake: (mistake.line, mistake.column))
        raise SpecInvalid(tuple(mistakes)) from None


def located_remarks(data: bytes, remarks: Iterable[Remark], *, name: str) -> tuple[Mistake, ...]:
    """Remarks on a file's spec as mistakes are told, in the order of their places.

    What is not in the file is told at what is around it. Raises ``Unreadable`` for a file that
    ``load_spec`` refuses, too.
    """
    text = read_text(data)
    lines, document = text.splitlines(), locate(text)
    told = []
    for remark in remarks:
        places = [document.values, document.keys]
        if remark.key:
            places.reverse()
        path = remark.path
        while path and not any(path in known for known in places):
            path = path[:-1]
        place = next((known[path] for known in places if path in known), None)
        told.append(_mistake(name, lines, place, remark.message, remark.hint))
    return tuple(sorted(told, key=lambda each: (each.line, each.column)))


def _explained(name: str, lines: list[str], document: Located, detail: dict[str, Any]) -> Mistake:
    path: Path = tuple(detail["loc"])
    context: dict[str, Any] = detail.get("ctx") or {}
    kind: str = detail["type"]
    if kind == "spec":
        path = (*path, *context["at"])
    if path and path[-1] == "[key]":
        path = path[:-1]
        expected = "a name of 1 to 128 characters"
        message = f"found the name {_short(str(path[-1]))}, expected {expected}"
        return _mistake(name, lines, document.keys.get(path), message)
    if kind == "extra_forbidden":
        message, hint = _unknown_key(path)
        return _mistake(name, lines, document.keys.get(path), message, hint)
    if kind == "missing":
        parent = path[:-1]
        missing = path[-1]
        message = f"`{missing}` is missing{_inside(parent)}"
        if isinstance(missing, int):
            message = f"{_dotted(parent)}: found {missing} of the values, expected one more"
        return _mistake(name, lines, document.values.get(parent), message)
    value = _at(document.value, path)
    allowed = tuple(context.get("allowed", ())) or _literals(path)
    if context.get("key"):
        message = f"unknown key `{path[-1]}`{_inside(path[:-1])}, expected {context['expected']}"
        hint = _did_you_mean(str(path[-1]), allowed)
        return _mistake(name, lines, document.keys.get(path), message, hint)
    expected = _expected(kind, context, detail["msg"], allowed)
    hint = _did_you_mean(str(value), allowed)
    if kind == "string_type" and not isinstance(value, dict | list):
        hint = f'quote it: "{_short(document.texts.get(path, ""))}"'
    place = document.values.get(path) or document.keys.get(path) or document.values.get(path[:-1])
    label = f"{_dotted(path)}: " if path else ""
    message = f"{label}found {_found(document, path, value)}, expected {expected}"
    return _mistake(name, lines, place, message, hint)


def _expected(kind: str, context: dict[str, Any], text: str, allowed: tuple[str, ...]) -> str:
    if kind == "spec":
        return str(context["expected"])
    if allowed:
        return "one of " + ", ".join(allowed) if len(allowed) > 1 else allowed[0]
    if kind == "too_long":
        return f"at most {context['max_length']} entries"
    if kind == "too_short":
        return f"at least {context['min_length']} entries"
    if kind == "string_too_long":
        return f"text of at most {context['max_length']} characters"
    return _EXPECTED.get(kind, text[:1].lower() + text[1:])


def _unknown_key(path: Path) -> tuple[str, str]:
    key = str(path[-1])
    part = _part(path[:-1])
    message = f"unknown key `{key}`{_inside(path[:-1])}"
    if part is None:
        return message, ""
    if key in part.planned:
        return f"`{key}` is not done yet: {part.planned[key]} comes later", "take it out"
    for where, section in _SECTIONS:
        if section is not part and key in _keys(section):
            return message, f"it belongs {where}"
    known = _keys(part)
    if hint := _did_you_mean(key, known):
        return message, hint
    return message, f"known: {', '.join(known)}"


def _keys(part: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in part.model_fields.items())


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    if not near:
        near = [name for name in known if name.lower() == word.lower()]
    return f"did you mean `{near[0]}`?" if near else ""


def _part(path: Path) -> type[SpecPart] | None:
    """The class of spec that a path leads to."""
    for candidate in _unfolded(_annotation(path)):
        if isinstance(candidate, type) and issubclass(candidate, SpecPart):
            return candidate
    return None


def _literals(path: Path) -> tuple[str, ...]:
    for candidate in _unfolded(_annotation(path)):
        if get_origin(candidate) is Literal:
            return tuple(str(word) for word in get_args(candidate))
    return ()


def _annotation(path: Path) -> Any:
    annotation: Any = ModelSpec
    for step in path:
        annotation = _below(annotation, step)
    return annotation


def _below(annotation: Any, step: str | int) -> Any:
    for candidate in _unfolded(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            for name, field in candidate.model_fields.items():
                if step == (field.alias or name):
                    return field.annotation
        elif get_origin(candidate) is dict:
            return get_args(candidate)[1]
        elif get_origin(candidate) is tuple:
            return get_args(candidate)[0]
    return None


def _unfolded(annotation: Any) -> Iterator[Any]:
    """The annotation's alternatives without ``Annotated`` and unions around them."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in (Union, types.UnionType):
        for alternative in get_args(annotation):
            yield from _unfolded(alternative)
    else:
        yield annotation


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _found(document: Located, path: Path, value: Any) -> str:
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None:
        return "nothing"
    return _short(document.texts.get(path, str(value))) or "empty text"


def _short(text: str) -> str:
    clean = "".join(char if char.isprintable() else "·" for char in text)
    return clean if len(clean) <= 60 else clean[:57] + "..."


def _dotted(path: Path) -> str:
    return _short(".".join(str(step) for step in path))


def _inside(path: Path) -> str:
    return f" in `{_dotted(path)}`" if path else ""


def _mistake(
    name: str, lines: list[str], place: Place | None, message: str, hint: str = ""
) -> Mistake:
    place = place or Place(1, 1)
    source = lines[place.line - 1] if place.line <= len(lines) else ""
    return Mistake(
        file=name,
        line=place.line,
        column=place.column,
        message=message,
        hint=hint,
        # A terminal must not obey what a file holds; one character stays one column.
        source="".join(char if char.isprintable() else " " for char in source),
        length=place.length,
    )
