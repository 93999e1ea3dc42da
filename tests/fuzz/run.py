"""A long search for bytes that break the event decoder.

    python -m tests.fuzz.run --minutes 10 [--seed 1] [--keep DIRECTORY]

With atheris installed (it is no dependency of ours) the search is guided by coverage; else the
corpus is mutated byte by byte. What breaks is written to DIRECTORY, to become a corpus file.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any


def main() -> int:
    """Search for as long as asked; 1 where something broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--unguided", action="store_true", help="without atheris")
    options = parser.parse_args()
    guided = importlib.util.find_spec("atheris") is not None and not options.unguided
    instrumented: Any = contextlib.nullcontext()
    if guided:
        import atheris  # type: ignore[import-untyped]

        instrumented = atheris.instrument_imports(include=["streamgauge"])
    with instrumented:
        from tests.fuzz.campaign import Campaign

    campaign, begun, seconds = Campaign(options.keep), time.monotonic(), 60 * options.minutes
    report = partial(campaign.report, begun)
    if guided:
        from tests.fuzz.guided import search

        print("guided by coverage (atheris)", flush=True)
        search(campaign.take, seconds=seconds, seed=options.seed, report=report)
    print("byte mutation of the corpus, not guided", flush=True)
    from tests.fuzz import record_file
    from tests.fuzz.mutation import mutated

    files, rng = list(record_file.corpus().values()), random.Random(options.seed)
    while time.monotonic() < begun + seconds:
        campaign.take(mutated(rng.choice(files), rng, files))
    return report()


if __name__ == "__main__":
    sys.exit(main())
