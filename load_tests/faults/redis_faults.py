"""Faults of Redis: restarted, set back, wiped, refusing."""

from __future__ import annotations

from collections.abc import Callable

from load_tests.faults.registry import fault
from load_tests.faults.rig import Rig
from load_tests.faults.store import PARTITIONS
from load_tests.faults.traffic import Shape

#: How long a refusal is held up.
REFUSING_SECONDS = 3.0
DOWN_SECONDS = 1.0
LONG_LOG = 20_000
#: A snapshot every second.
OFTEN = {"CHECKPOINT__SNAPSHOT_SECONDS": "1"}
#: The part of the traffic after which a fault would have little left to recover for.
LATEST = 0.85


def _begin(rig: Rig, *, least: float = 0.15, most: float = 0.6) -> None:
    rig.start_workers()
    rig.traffic.start()
    rig.under_way(least, most)


@fault()
def redis_restart(rig: Rig) -> None:
    """kill -9 of Redis, a second down, back on its log."""
    _begin(rig)
    rig.recovery.struck()
    rig.redis.kill()
    rig.pause(DOWN_SECONDS)
    rig.redis.start()
    rig.recovery.cured()


@fault()
def redis_regress(rig: Rig) -> None:
    """Lost writes: Redis comes back with what it had up to eighty checkpoints ago."""
    _begin(rig, least=0.3, most=0.7)
    files = rig.directory / "older"
    rig.redis.copy_files(files)
    older, more = rig.store.checkpoints(), rig.rng.randint(4, 80)
    rig.until(
        lambda: (
            rig.store.checkpoints() >= older + more
            or rig.traffic.sent >= LATEST * rig.traffic.total
        ),
        60,
        "no more checkpoints",
    )
    newest = rig.store.checkpoints()
    rig.recovery.struck()
    rig.redis.kill()
    gone = rig.workers.said("starts again")
    rig.redis.put_back(files)
    rig.redis.start()
    rig.recovery.cured()
    rig.recovery.wait()
    rig.notes["checkpoints lost"] += newest - older
    rig.notes["reloads"] += rig.workers.said("starts again") - gone


@fault(settings=OFTEN)
def redis_wiped(rig: Rig) -> None:
    """FLUSHALL: the state comes back from snapshots, and nobody is alarmed."""
    _begin(rig)
    _snapshots(rig)
    rig.recovery.struck()
    rig.redis.client.flushall()
    rig.recovery.cured()
    _restored(rig)


@fault(settings=OFTEN)
def redis_and_monitor_gone(rig: Rig) -> None:
    """kill -9 of the monitor and FLUSHALL: another monitor has nothing but Kafka."""
    (worker,) = rig.start_workers()
    rig.traffic.start()
    rig.under_way(0.15, 0.6)
    _snapshots(rig)
    rig.recovery.struck()
    worker.kill()
    rig.redis.client.flushall()
    rig.recovery.cured()
    rig.workers.start()
    _restored(rig)


@fault(raises={"StateLost": None})
def redis_wiped_without_snapshot(rig: Rig) -> None:
    """FLUSHALL before there is a snapshot: said aloud, and everything read again."""
    _begin(rig)
    rig.recovery.struck()
    rig.redis.client.flushall()
    rig.recovery.cured()


def _snapshots(rig: Rig) -> None:
    """Wait until every partition has one."""

    def taken() -> bool:
        return all(rig.workers.said(f"partition {n}: snapshot ") for n in range(PARTITIONS))

    rig.until(taken, 20, "no snapshots were taken")


def _restored(rig: Rig) -> None:
    rig.until(
        lambda: rig.workers.said("restored from snapshot") >= PARTITIONS, 60, "nothing was restored"
    )
    rig.notes["restored"] += rig.workers.said("restored from snapshot")


def _refusing(
    rig: Rig, refuse: Callable[[], object], cure: Callable[[], object], *, told: str
) -> None:
    """``told`` is what monitors say meanwhile."""
    _begin(rig)
    rig.recovery.struck()
    refuse()
    try:
        rig.until(lambda: rig.workers.said(told) > 0, 20, f"nobody said: {told}")
        rig.pause(REFUSING_SECONDS)
    finally:
        cure()
    rig.recovery.cured()
    rig.notes["refusals"] += rig.workers.said(told)


@fault()
def redis_readonly(rig: Rig) -> None:
    """REPLICAOF a master that is not there, then of none: -READONLY meanwhile."""
    client = rig.redis.client
    _refusing(
        rig,
        lambda: client.replicaof("127.0.0.1", "1"),
        lambda: client.replicaof("NO", "ONE"),
        told="Redis refuses to serve",
    )


@fault()
def redis_oom(rig: Rig) -> None:
    """maxmemory below what is used, without eviction: -OOM meanwhile."""
    client = rig.redis.client
    _refusing(
        rig,
        lambda: client.config_set("maxmemory", 1),
        lambda: client.config_set("maxmemory", 0),
        told="Redis has no room",
    )


@fault(shape=Shape(seconds=20.0))
def redis_loading(rig: Rig) -> None:
    """kill -9 of Redis, and a log that takes seconds to load: -LOADING meanwhile."""
    rig.redis.lengthen_log(LONG_LOG)
    _begin(rig)
    rig.recovery.struck()
    rig.redis.kill()
    rig.redis.start(wait=False, key_load_delay=int(REFUSING_SECONDS * 1e6 / LONG_LOG))
    answers: list[str] = []

    def served() -> bool:
        answers.append(rig.redis.answer())
        return answers[-1] == "PONG"

    rig.until(served, 60, "Redis never finished loading")
    rig.recovery.cured()
    rig.notes["loading seen"] += answers.count("LOADING")
    rig.notes["refusals"] += rig.workers.said("BusyLoadingError")
