"""The search guided by coverage: atheris mutates the corpus towards code that was not run yet.

It sees Python code alone. The parser itself (msgspec) is C and stays dark to it.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable

from tests.fuzz import record_file
from tests.fuzz.mutation import MOST_BYTES, mutated


def search(
    take: Callable[[bytes], None], *, seconds: float, seed: int, report: Callable[[], int]
) -> None:
    """Give ``take`` inputs for so long, then end the process with what ``report`` returns."""
    import atheris  # type: ignore[import-untyped]

    rng, files = random.Random(seed), list(record_file.corpus().values())
    end = time.monotonic() + seconds

    def mutate(data: bytes, most: int, _seed: int) -> bytes:
        # Half by our own rules, which know what JSON and envelopes are.
        if rng.randrange(2):
            return bytes(atheris.Mutate(data, most))
        return mutated(data, rng, files)[:most]

    def judge(data: bytes) -> None:
        take(data)
        if time.monotonic() > end:
            # libFuzzer does not return.
            os._exit(report())

    # What it finds interesting is written to the first directory, which must not be the corpus.
    grown = tempfile.mkdtemp(prefix="streamgauge-fuzz-")
    # Instrumented code grows by some kilobytes an input, the same code without it does not: memory
    # is looked at input by input, and not here.
    arguments = [sys.argv[0], grown, str(record_file.CORPUS), "-rss_limit_mb=0"]
    arguments.append(f"-max_len={MOST_BYTES}")
    atheris.Setup([*arguments, f"-seed={seed}"], judge, custom_mutator=mutate)
    atheris.Fuzz()
