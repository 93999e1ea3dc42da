"""whylogs, in pandas frames of a window: a profile, its quantiles, PSI from its sketches.

It has no detector that takes events. Runs in an environment of its own (numpy < 2).
"""

from __future__ import annotations

import math
from typing import Any

import orjson
import pandas as pd
import whylogs as why

from load_tests.standard_job import job

_LEAST = 1e-4


def frame(chunk: list[bytes]) -> pd.DataFrame:
    rows = map(orjson.loads, chunk)
    table = pd.DataFrame([row["features"] | {job.SCORE: row[job.SCORE]} for row in rows])
    # A missing number makes a column of objects, which whylogs takes value by value.
    return table.astype(dict.fromkeys(job.WATCHED, float))


def edges(view: Any) -> dict[str, list[float]]:
    shares = [place / job.BINS for place in range(1, job.BINS)]
    return {name: sketch(view, name).get_quantiles(shares) for name in job.WATCHED}


def sketch(view: Any, name: str) -> Any:
    return view.get_column(name).get_metric("distribution").kll.value


def psi(now: list[float], then: list[float]) -> float:
    pairs = [(max(n, _LEAST), max(t, _LEAST)) for n, t in zip(now, then, strict=True)]
    return sum((n - t) * math.log(n / t) for n, t in pairs)


def main() -> None:
    args, watch = job.arguments(), job.Stopwatch()
    usual = why.log(frame(job.reference(args.directory))).view()
    bounds = edges(usual)
    then = {name: sketch(usual, name).get_pmf(bounds[name]) for name in job.WATCHED}
    for chunk in job.chunks(args.directory, args.events, job.WINDOW):
        with watch:
            view = why.log(frame(chunk)).view()
            columns = view.get_columns()
            summary = {name: column.to_summary_dict() for name, column in columns.items()}
            for name in job.WATCHED:
                summary[name]["psi"] = psi(sketch(view, name).get_pmf(bounds[name]), then[name])
    watch.tell(args.events)


if __name__ == "__main__":
    main()
