"""What an extractor gets of a watched call: the arguments it has names for, or the first ones."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: Gives something of a call, or of a result.
Extractor = Callable[..., Any]
#: (args, kwargs) of a call → what was asked of it.
Reader = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_Parameter = inspect.Parameter
_OPEN = (_Parameter.VAR_POSITIONAL, _Parameter.VAR_KEYWORD)
#: A method's own object is never what its caller meant by the first argument.
_OWN = ("self", "cls")


def reader(extractor: Extractor, function: Callable[..., Any], name: str) -> Reader:
    """How ``extractor`` reads a call of ``function``. Raises ``TypeError`` where it can't.

    By name where it can, since frameworks call by keyword: ``lambda payment: …`` gets the
    argument ``payment`` of a function that has one. Else from the left, as many as it takes.
    """
    wanted, given = _parameters(extractor), _parameters(function)
    if given is None or (wanted and any(one.kind in _OPEN for one in wanted)):
        return lambda args, kwargs: extractor(*args, **kwargs)
    signature = inspect.signature(function)
    if wanted is None:
        wanted = [_Parameter("_", _Parameter.POSITIONAL_ONLY)]
    required = [one for one in wanted if one.default is _Parameter.empty]
    names = {one.name for one in given}
    if names.issuperset(one.name for one in required) and all(
        one.kind is not one.POSITIONAL_ONLY for one in wanted
    ):
        asked = names.intersection(one.name for one in wanted)

        def by_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            found = dict(_bound(signature, args, kwargs))
            return extractor(**{one: found[one] for one in asked})

        return by_name
    count, limited = len(required), all(one.kind not in _OPEN for one in given)
    if any(one.kind is one.KEYWORD_ONLY for one in required) or (
        limited and count > sum(one.name not in _OWN for one in given)
    ):
        raise TypeError(
            f"{name} asks for {', '.join(one.name for one in required)}; "
            f"{_called(function)} has {', '.join(one.name for one in given) or 'no arguments'}"
        )

    def from_the_left(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = [one for known, one in _bound(signature, args, kwargs) if known not in _OWN]
        return extractor(*found[:count])

    return from_the_left


def first_record(function: Callable[..., Any]) -> Reader:
    """Reads the first argument that has named values; None where there is none."""
    given = _parameters(function)
    signature = None if given is None else inspect.signature(function)

    def read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if signature is None:
            values = [*args, *kwargs.values()]
        else:
            values = [one for name, one in _bound(signature, args, kwargs) if name not in _OWN]
        return next((found for found in map(_record, values) if found is not None), None)

    return read


def _record(value: Any) -> dict[str, Any] | None:
    """The named values of what has such, as a dictionary of its own: the call may change it."""
    kind = type(value)
    if isinstance(value, Mapping):
        # A request of Starlette's is a mapping too, of everything about the connection.
        request = any(one.__name__ == "HTTPConnection" for one in kind.__mro__)
        return None if request else dict(value)
    if hasattr(kind, "model_dump"):
        dumped: dict[str, Any] = value.model_dump()
        return dumped
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return dict(zip(kind._fields, value, strict=True))
    # Dataclasses, attrs and msgspec, known by what they leave on the class.
    names = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "__struct_fields__", None)
    if names is None and (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        names = [one.name for one in attributes]
    return None if names is None else {name: getattr(value, name) for name in names}


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """None for what tells nothing of itself, as some functions written in C."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _bound(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """A call's arguments by name, in the order of the signature, with what was left out."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    for name, value in bound.arguments.items():
        kind = signature.parameters[name].kind
        if kind is _Parameter.VAR_POSITIONAL:
            yield from ((name, one) for one in value)
        elif kind is _Parameter.VAR_KEYWORD:
            yield from value.items()
        else:
            yield name, value


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
