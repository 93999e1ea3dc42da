"""Plain Faust, as one writes it: ``stream.take(2000, within=1)`` around the naive loop."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import faust

from load_tests.standard_job import job
from load_tests.standard_job.naive_loop import NaiveLoop

TAKE, WITHIN_SECONDS = 2_000, 1
PATIENCE_SECONDS = 120.0


async def run(args: Any, loop: NaiveLoop, watch: job.Stopwatch, data: str) -> None:
    """Tell of the events behind the first batch, which waits for the group to be formed."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    app = faust.App(
        args.group,
        broker=f"kafka://{args.servers}",
        loop=asyncio.get_running_loop(),
        datadir=data,
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    source = app.topic(args.topic, key_serializer="raw", value_serializer="raw")

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def watched(stream: Any) -> None:
        taken = -1
        async for values in stream.take(TAKE, within=WITHIN_SECONDS):
            for value in values:
                loop.take(value)
            if taken < 0:
                taken = 0
                watch.__enter__()
                continue
            taken += len(values)
            if taken + TAKE >= args.events and not done.done():
                watch.__exit__()
                done.set_result(taken)

    starting = asyncio.create_task(app.start())
    events = await asyncio.wait_for(done, PATIENCE_SECONDS)
    watch.tell(events)
    starting.cancel()
    # Faust's own end takes longer than the measure, and nothing here is to be kept.
    os._exit(0)


def main() -> None:
    args, watch = job.arguments(), job.Stopwatch()
    loop = NaiveLoop(job.reference(args.directory))
    asyncio.run(run(args, loop, watch, str(args.directory / "faust")))


if __name__ == "__main__":
    main()
