"""The registry of named parts: one file defines a detector, metric or distance, all find it."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable
from typing import Any, ClassVar, Self


class PluginError(ValueError):
    """A name or a parameter that no part has. The text names what there is."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a half-sentence, or nothing where none is near.

    >>> did_you_mean("adwim", ["adwin", "kswin"])
    "; did you mean 'adwin'?"
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def discover(package: str) -> None:
    """Import every module of a package, in the order of their names, so that its parts register.

    Modules whose names begin with an underscore are left out.
    """
    root = importlib.import_module(package)
    for module in sorted(info.name for info in pkgutil.iter_modules(root.__path__)):
        if not module.startswith("_"):
            importlib.import_module(f"{package}.{module}")


class Registered:
    """Mixin that keeps the named subclasses of a role.

    The role is the class that derives from ``Registered`` itself. A subclass of it with a name is
    registered; one without a name is abstract. ``package`` is imported at the first look-up, so
    that a new file in it is found without being listed anywhere.

    Examples
    --------
    >>> class Shape(Registered):
    ...     pass
    >>> class Circle(Shape, name="circle"):
    ...     def __init__(self, *, radius: float = 1.0) -> None:
    ...         self.radius = radius
    >>> Shape.names()
    ['circle']
    >>> Shape.create("circle", radius=2.0).radius
    2.0
    """

    #: The name in configuration, labels and documents. Empty for abstract classes.
    name: ClassVar[str] = ""
    _role: ClassVar[str]
    _package: ClassVar[str | None]
    _classes: ClassVar[dict[str, type[Any]]]
    #: The class that derives from ``Registered`` itself: the look-ups below belong to it.
    _base: ClassVar[type[Registered]]
    #: The classes in the order of their names, once the package was searched; None before.
    _sorted: ClassVar[dict[str, type[Any]] | None]
    _searched: ClassVar[bool]

    def __init_subclass__(
        cls, *, name: str | None = None, package: str | None = None, **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        if Registered in cls.__bases__:
            cls._role = cls.__name__.lower()
            cls._package = package
            cls._classes = {}
            cls._base = cls
            cls._sorted = None
            cls._searched = package is None
            return
        # ``dataclass(slots=True)`` builds the class anew, without the keyword: the name is then
        # found among its attributes, and the new class takes the place of the old.
        again = name is None
        name = name or cls.__dict__.get("name")
        if not name:
            return
        other = cls._classes.get(name)
        if other is not None and not (again and _place(other) == _place(cls)):
            raise TypeError(
                f"two {cls._role}s are called {name!r}: {'.'.join(_place(other))} and "
                f"{'.'.join(_place(cls))}; rename one"
            )
        cls.name = name
        cls._classes[name] = cls
        cls._base._sorted = None

    @classmethod
    def classes(cls) -> dict[str, type[Self]]:
        """All registered classes by name, in the order of their names.

        The package is searched at the first look-up; later ones cost well below a microsecond.
        """
        return dict(cls._known())

    @classmethod
    def _known(cls) -> dict[str, type[Self]]:
        """The same without a copy: judgements ask thousands of times a second."""
        role = cls._base
        if not role._searched and role._package is not None:
            discover(role._package)
            # Only now: an import that failed is tried again, and says again what is wrong.
            role._searched = True
        if role._sorted is None:
            role._sorted = dict(sorted(role._classes.items()))
        return role._sorted

    @classmethod
    def names(cls) -> list[str]:
        """The registered names, sorted."""
        return list(cls.classes())

    @classmethod
    def named(cls, name: str) -> type[Self]:
        """The class of that name. Raises ``PluginError``, which says what there is."""
        known = cls._known()
        if name not in known:
            hint = did_you_mean(name, known)
            raise PluginError(
                f"no {cls._role} is called {name!r}{hint} (there are: {_list(known)})"
            )
        return known[name]

    @classmethod
    def create(cls, name: str, **params: Any) -> Self:
        """An instance of the class of that name. Raises ``PluginError`` for unknown parameters."""
        found = cls.named(name)
        if not params:
            return found()
        known = [p for p in inspect.signature(found).parameters if p != "self"]
        for param in params:
            if param not in known:
                hint = did_you_mean(param, known)
                raise PluginError(
                    f"{cls._role} {name!r} has no parameter {param!r}{hint} "
                    f"(there are: {_list(known)})"
                )
        return found(**params)


def _place(cls: type[Any]) -> tuple[str, str]:
    return cls.__module__, cls.__name__


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
