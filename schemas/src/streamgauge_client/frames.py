"""Frames of any kind, as columns by name, without importing the library that made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from streamgauge_client.fields import identifier
from streamgauge_client.unfit import Unfit


def columns_of(frame: Any) -> dict[str, Any]:
    """The columns of a frame: a mapping, pandas, polars, pyarrow, narwhals, Arrow's protocol.

    Columns stay what they are; ``column_lists.listed`` reads them. Raises ``Unfit``: columns that
    have the same name, lazy frames, anything that is no frame.
    """
    if isinstance(frame, Mapping):
        return _by_name(frame.items())
    # Asked of the type: pandas gives a column called "collect" as an attribute of the frame.
    kind = type(frame)
    if hasattr(kind, "to_native"):
        return columns_of(frame.to_native())
    for method in ("collect", "compute"):
        if hasattr(kind, method):
            raise Unfit(f"a lazy {kind.__name__} holds no rows yet; call its .{method}() first")
    if hasattr(kind, "iloc") and hasattr(kind, "columns"):
        return _by_name((name, frame.iloc[:, place]) for place, name in enumerate(frame.columns))
    if hasattr(kind, "get_columns"):
        return _by_name(zip(frame.columns, frame.get_columns(), strict=True))
    if hasattr(kind, "to_pylist") and hasattr(kind, "columns"):
        return _by_name(zip(frame.schema.names, frame.columns, strict=True))
    if hasattr(kind, "__arrow_c_stream__"):
        return columns_of(_through_arrow(frame))
    if hasattr(kind, "to_dict"):
        return columns_of(frame.to_dict(as_series=False))
    raise Unfit(
        f"a {kind.__name__} is no frame; give a DataFrame (pandas, polars, pyarrow, narwhals) or "
        "columns by name: {'amount': [1.5, 2.0]}"
    )


def looks_like_a_frame(given: Any) -> bool:
    """Whether something has columns by name, and is not a column itself."""
    kind = type(given)
    if isinstance(given, Mapping) or hasattr(kind, "columns"):
        return True
    # Series and arrays speak Arrow too.
    listing = hasattr(kind, "to_list") or hasattr(kind, "to_pylist") or hasattr(kind, "tolist")
    return hasattr(kind, "__arrow_c_stream__") and not listing


def _by_name(columns: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for given, column in columns:
        if isinstance(given, tuple):
            raise Unfit(f"a column's name is a tuple, {str(given)[:100]}; join it into one text")
        name = identifier(given, "a column's name")
        if name in named:
            raise Unfit(f"two columns are called {name[:100]!r}; rename or drop one")
        named[name] = column
    return named


def _through_arrow(frame: Any) -> Any:
    for library, read in (("pyarrow", "table"), ("polars", "DataFrame")):
        try:
            return getattr(import_module(library), read)(frame)
        except ImportError:
            continue
    raise Unfit(
        f"a {type(frame).__name__} gives its columns through Arrow alone; "
        "install pyarrow or polars to read them"
    )
