"""Evidently, in pandas frames of a window: its preset for drift, which needs no statistics more.

It has no detector that takes events. Runs in an environment of its own (pandas < 3).
"""

from __future__ import annotations

import warnings

import orjson
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

from load_tests.standard_job import job

COLUMNS = DataDefinition(
    numerical_columns=list(job.WATCHED), categorical_columns=list(job.CATEGORICAL)
)


def dataset(chunk: list[bytes]) -> Dataset:
    rows = map(orjson.loads, chunk)
    table = pd.DataFrame([row["features"] | {job.SCORE: row[job.SCORE]} for row in rows])
    typed = table.astype(dict.fromkeys(job.WATCHED, float))
    return Dataset.from_pandas(typed, data_definition=COLUMNS)


def judge(chunk: list[bytes], usual: Dataset) -> int:
    """Judge a window; return how many figures came of it."""
    snapshot = Report([DataDriftPreset()]).run(dataset(chunk), usual)
    return len(snapshot.dict()["metrics"])


def main() -> None:
    args, watch = job.arguments(), job.Stopwatch()
    warnings.filterwarnings("ignore")
    earlier = job.reference(args.directory)
    usual = dataset(earlier)
    # Its first report loads half of the library.
    judge(earlier[: job.WINDOW], usual)
    for chunk in job.chunks(args.directory, args.events, job.WINDOW):
        with watch:
            figures = judge(chunk, usual)
        assert figures > len(job.WATCHED)
    watch.tell(args.events)


if __name__ == "__main__":
    main()
