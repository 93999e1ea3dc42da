"""A progress bar for long files: on standard error, and only where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Shorter files are read before a bar could be seen.
_WORTH_BYTES = 4 * 1024 * 1024


@contextmanager
def reading(label: str, size: int) -> Iterator[Callable[[int], None]]:
    """Yield what is to be told the bytes read so far."""
    if size < _WORTH_BYTES or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=size)
        yield lambda done: bar.update(task, completed=done)
