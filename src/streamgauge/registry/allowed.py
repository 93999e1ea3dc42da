"""What a stored model may consist of: River's classes by name, and a few things of Python's."""

from __future__ import annotations

import copy
import functools
import importlib
from types import FunctionType
from typing import Any

from streamgauge.registry.river_classes import RIVER_CLASSES

#: Classes that are called at a load, with what was stored. No other constructor runs.
_CALLED = {
    "collections": "Counter OrderedDict defaultdict deque",
    "datetime": "date datetime time timedelta timezone",
    "random": "Random",
    "river._river_rust.vectordict": "VectorDict",
}
_CLASSES = {
    **RIVER_CLASSES,
    **_CALLED,
    "builtins": "bool bytes dict float frozenset int list set str tuple",
    # In adaptive regression trees: two numbers.
    "statistics": "NormalDist",
}
#: Functions that models hold; none is called at a load.
_FUNCTIONS = {
    "copy": "deepcopy",
    "river._river_rust.vectordict": "euclidean_distance_dict euclidean_distance_tuple",
    "river.naive_bayes.gaussian": "GaussianNB._make_gaussian",
    "river.tree.splitter.ebst_splitter": "EBSTNode._update_estimator_univariate"
    " EBSTNode._update_estimator_multivariate",
}
#: Ours, called at a load: they check what they are given themselves.
_REBUILD = {"streamgauge.registry.rebuild": "array bound dtype_of partial pipeline scalar"}
#: Functions of which models hold partials (the multinomial logit copies its optimiser so).
PARTIAL_FUNCTIONS = (copy.deepcopy,)
#: Class and name of methods that models hold bound, as ``PAClassifier`` its update rule.
BOUND_METHODS = frozenset(
    {
        *(
            ("LeveragingBaggingClassifier", f"_leveraging_{how}")
            for how in ("bag", "bag_me", "bag_half", "bag_wt", "subag")
        ),
        *(
            (cls, f"_calc_tau_{mode}")
            for cls in ("PAClassifier", "PARegressor")
            for mode in (0, 1, 2)
        ),
        *(
            (f"Target{how}Scaler", name)
            for how in ("Standard", "MinMax")
            for name in ("_scale", "_unscale")
        ),
    }
)


def _pairs(table: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((module, name) for module, names in table.items() for name in names.split())


_NAMES = _pairs(_CLASSES) | _pairs(_FUNCTIONS) | _pairs(_REBUILD)
_CALLABLE = _pairs(_CALLED) | _pairs(_REBUILD)
_CLASS_NAMES = _pairs(_CLASSES)


def resolve(module: str, name: str) -> Any:
    """The class or function of that name. Raises ``LookupError`` for all that is not listed."""
    if (module, name) not in _NAMES:
        raise LookupError(f"{module}.{name} is not among what models may hold")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def place(thing: Any) -> tuple[str, str]:
    """Module and name of a listed class or function. Raises ``LookupError`` for any other."""
    module = getattr(thing, "__module__", None) or ""
    name = getattr(thing, "__qualname__", None) or ""
    if resolve(str(module), str(name)) is not thing:
        raise LookupError(f"{module}.{name} is not what stands under that name")
    return str(module), str(name)


def allowed_class(thing: Any) -> bool:
    """Whether it is a class of which a stored model may hold instances."""
    return isinstance(thing, type) and thing in _classes()


def called(thing: Any) -> bool:
    """Whether a load may call it."""
    # Asked first: whatever else is not hashed, because that may take for ever.
    return isinstance(thing, type | FunctionType) and thing in _called()


def unseeded_distribution(cls: type, state: Any) -> bool:
    """Whether these are the attributes of a distribution with a generator that nobody seeded."""
    return (
        cls.__module__.startswith("river.proba.")
        and type(state) is dict
        and state.get("seed", 0) is None
    )


@functools.cache
def _classes() -> frozenset[Any]:
    return frozenset(resolve(*pair) for pair in _CLASS_NAMES)


@functools.cache
def _called() -> frozenset[Any]:
    return frozenset(resolve(*pair) for pair in _CALLABLE)
