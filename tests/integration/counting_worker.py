"""A worker process for tests that kill it: ``python -m tests.integration.counting_worker``."""

from __future__ import annotations

import argparse
import asyncio
import logging

from streamgauge.state.redis import RedisStore
from streamgauge.streaming import WorkerConfig, run_worker
from tests.streaming.counting import CountingProcessor


async def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("bootstrap-servers", "redis", "group", "prefix"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--instance-id")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    config = WorkerConfig(
        bootstrap_servers=args.bootstrap_servers,
        group=args.group,
        prefix=args.prefix,
        instance_id=args.instance_id,
        checkpoint_min_seconds=0.1,
        session_timeout_seconds=6,
        heartbeat_interval_seconds=1,
    )
    store = RedisStore(args.redis, args.group)
    await run_worker(config, processor_factory=CountingProcessor, store=store)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())
