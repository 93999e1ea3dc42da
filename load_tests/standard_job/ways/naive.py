"""The naive River loop in process: every ratio is to this."""

from __future__ import annotations

from load_tests.standard_job import job
from load_tests.standard_job.naive_loop import NaiveLoop


def main() -> None:
    args = job.arguments()
    loop, watch = NaiveLoop(job.reference(args.directory)), job.Stopwatch()
    for chunk in job.chunks(args.directory, args.events):
        with watch:
            for value in chunk:
                loop.take(value)
    watch.tell(args.events)


if __name__ == "__main__":
    main()
