"""A frame whose columns are given meanings one by one; what is left over are the features."""

from __future__ import annotations

from typing import Any

from streamgauge_client.frames import columns_of
from streamgauge_client.unfit import Unfit


class Frame:
    """A frame's columns, and which of them have been given a meaning."""

    def __init__(self, frame: Any) -> None:
        self._columns = {} if frame is None else columns_of(frame)
        self._claimed: set[str] = set()
        # Only what knows its length: an iterator would be used up.
        self.empty = frame is not None and not any(
            len(column) if hasattr(column, "__len__") else 1 for column in self._columns.values()
        )

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def column(self, given: Any, meaning: str) -> Any:
        """A column by its name, or the column that was given itself. Raises ``Unfit``."""
        if not isinstance(given, str):
            return given
        if given not in self._columns:
            raise Unfit(
                f"{meaning}={given[:100]!r} names no column of the frame{self._near(given)}"
            )
        self._claimed.add(given)
        return self._columns[given]

    def rest(self) -> dict[str, Any]:
        """The columns without a meaning of their own: the features."""
        return {name: c for name, c in self._columns.items() if name not in self._claimed}

    def _near(self, given: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(given, self._columns, 1)
        return f"; did you mean {near[0][:100]!r}?" if near else ""
