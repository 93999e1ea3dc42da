"""Two processes that share the models of a run, and how far they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def share(
    work: Callable[[T], R],
    tasks: Sequence[T],
    costs: Sequence[float],
    *,
    workers: int,
    tell: Callable[[R], str],
) -> Iterator[R]:
    """Yield the results as they come; say on stderr how many, and how long it still takes."""
    whole, done, started = sum(costs), 0.0, time.perf_counter()
    # Spawned, so that no worker inherits the threads of a library.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(work, task): cost for task, cost in zip(tasks, costs, strict=True)}
        for count, future in enumerate(as_completed(futures), 1):
            result = future.result()
            done += futures[future]
            passed = time.perf_counter() - started
            line = (
                f"{count}/{len(tasks)}, {passed / 60:.1f} min passed, "
                f"about {passed * (whole / done - 1) / 60:.1f} left; {tell(result)}"
            )
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{line:<100}", end=end, file=sys.stderr, flush=True)
            yield result
