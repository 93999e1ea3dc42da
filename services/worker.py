"""What the services that read the log have in common: store, specs, worker, telemetry over HTTP."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib.metadata
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from services.preflight import AccessRefused, check_access
from streamgauge.access.kafka import aiokafka_security
from streamgauge.access.redis import async_redis, redis_security
from streamgauge.access.redis_refusal import redis_refusal
from streamgauge.clock import system_clock
from streamgauge.configurations.redis_book import RedisBook
from streamgauge.exposition.http import PortInUse, TelemetryServer
from streamgauge.exposition.worker import worker_registry
from streamgauge.processing import PartitionProcessor
from streamgauge.settings import Settings, SettingsError, load_settings
from streamgauge.settings.sections import ProcessSettings
from streamgauge.specs.model_spec import process_defaults
from streamgauge.state.durability import shortcomings
from streamgauge.state.processes import ProcessView, announce
from streamgauge.state.redis import RedisStore
from streamgauge.streaming import WorkerConfig, WorkerError, WorkerTelemetry, run_worker

logger = logging.getLogger(__name__)

NOT_REQUIRED = "STREAMGAUGE_REDIS__REQUIRE_DURABLE=false"


@dataclass(frozen=True, slots=True)
class WorkerService:
    """One service that reads the log.

    ``processor`` makes the processor of a partition number from the book of specs and the key that
    seals states. ``beside`` is work that runs as long as the worker does; it may count in the
    worker's telemetry.
    """

    name: str
    section: ProcessSettings
    config: WorkerConfig
    processor: Callable[[int, RedisBook, bytes], PartitionProcessor]
    beside: Sequence[Callable[[WorkerTelemetry], Coroutine[Any, Any, None]]] = ()


def run_main(
    name: str,
    service: Callable[[Settings], WorkerService],
    arguments: Sequence[str] | None,
    *,
    description: str,
    epilog: str,
) -> int:
    """A service's command: run it until SIGTERM or SIGINT; return the exit code."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}", description=description, epilog=epilog
    )
    parser.add_argument("--config", help="settings file (YAML)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(config=options.config)
        made = service(settings)
        _set_up_process(settings)
        check_access(settings)
        asyncio.run(_run_service(settings, made))
    except (SettingsError, AccessRefused, PortInUse, WorkerError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


def _set_up_process(settings: Settings) -> None:
    """Logging, and a garbage collector that does not walk each chunk."""
    logging.basicConfig(
        level=settings.log.level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # Their start and stop fill a screen and say nothing that we do not say.
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A chunk is a hundred thousand tuples that live for a step, and have no cycles. By the usual
    # thresholds all of them are walked many times while they are made.
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


async def _run_service(settings: Settings, service: WorkerService) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    telemetry = WorkerTelemetry()
    version = importlib.metadata.version("streamgauge")
    section, config = service.section, service.config
    server = TelemetryServer(
        worker_registry(telemetry, service=service.name, version=version),
        host=section.host,
        port=section.port,
        ready=lambda: None if telemetry.ready else _unready(telemetry),
        setting=f"STREAMGAUGE_{service.name.upper()}__PORT",
    )
    server.start()
    store = RedisStore(
        settings.redis.url.get_secret_value(),
        config.group,
        security=redis_security(settings.redis),
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(server.stop)
        stack.push_async_callback(store.close)
        redis = async_redis(settings.redis, socket_timeout=5.0, socket_connect_timeout=5.0)
        stack.push_async_callback(redis.aclose)
        book = RedisBook(redis, overrides=process_defaults(**settings.monitoring.model_dump()))
        try:
            await _unless_stopped(book.first(stop), stop)
        except NoPermissionError as error:
            raise AccessRefused(str(redis_refusal(settings.redis, error))) from error
        checking = _check_redis(redis, required=settings.redis.require_durable)
        await _unless_stopped(checking, stop)
        instance = section.instance or f"{socket.gethostname()}-{os.getpid()}"
        started_at = system_clock()
        for work in (
            book.follow(),
            announce(
                redis,
                lambda: ProcessView(
                    service=service.name,
                    instance=instance,
                    version=version,
                    started_at=started_at,
                    url=server.url,
                    partitions=_held(telemetry),
                ),
            ),
            *(make(telemetry) for make in service.beside),
        ):
            stack.push_async_callback(_ended, asyncio.create_task(work))
        if settings.state.key is None:
            logger.info(
                "state is checksummed, not authenticated; set STREAMGAUGE_STATE__KEY to change that"
            )
        await run_worker(
            config,
            processor_factory=lambda number: service.processor(number, book, config.seal_key),
            store=store,
            telemetry=telemetry,
            stop=stop,
        )


def worker_config(settings: Settings, **own: Any) -> WorkerConfig:
    """What every worker is told; ``own`` is the service's."""
    checkpoint, key = settings.checkpoint, settings.state.key
    return WorkerConfig(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        security=aiokafka_security(settings.kafka.security),
        prefix=settings.kafka.topic_prefix,
        code_version=importlib.metadata.version("streamgauge"),
        checkpoint_min_seconds=checkpoint.min_seconds,
        checkpoint_max_seconds=checkpoint.max_seconds,
        checkpoint_bytes_per_second=int(checkpoint.bytes_per_second),
        snapshot_seconds=checkpoint.snapshot_seconds,
        seal_key=key.get_secret_value().encode() if key is not None else b"",
        **own,
    )


async def _check_redis(redis: Redis, *, required: bool) -> None:
    found = await _shortcomings(redis, required=required)
    for what in found:
        logger.error("Redis: %s", what)
    if found and required:
        raise WorkerError(
            f"this Redis may lose state: {'; '.join(found)}. To run on it all the same, set"
            f" {NOT_REQUIRED}"
        )


async def _shortcomings(redis: Redis, *, required: bool) -> list[str]:
    """Ask for as long as it takes: one that is away has not said that it is good."""
    pause = 0.2
    while True:
        try:
            return await shortcomings(redis)
        except (RedisError, OSError) as error:
            said = f"Redis does not say whether it keeps its state ({error})"
            if not required:
                logger.warning("%s: not checked", said)
                return []
            logger.warning("%s; trying again. To run without knowing, set %s", said, NOT_REQUIRED)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do it, or leave it where we are to stop: Redis may not answer for long."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


async def _ended(task: asyncio.Task[None]) -> None:
    # Asked more than once: a cancellation that meets a client's own time-out can be lost.
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1.0)


def _held(telemetry: WorkerTelemetry) -> list[int]:
    return [n for n, p in sorted(telemetry.partitions.items()) if p.state != "unassigned"]


def _unready(telemetry: WorkerTelemetry) -> str:
    held = {number: telemetry.partition(number) for number in _held(telemetry)}
    if not held:
        return "no partitions assigned yet"
    return "; ".join(f"partition {n} is {p.state} {p.reason}".rstrip() for n, p in held.items())
