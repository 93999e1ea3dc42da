"""The checks of Redis and of what lies in it: policy, durability, specs, monitors, versions."""

from __future__ import annotations

from typing import Any

import pytest
from fakeredis import FakeRedis
from redis.exceptions import ResponseError

from streamgauge.cli.doctor.site import Sample, Site
from streamgauge.settings import load_settings
from streamgauge.specs import ModelSpec
from streamgauge.state.keys import spec_key
from streamgauge.state.processes import ProcessView
from streamgauge.state.reader import Snapshot
from streamgauge.state.spec_store import SpecStore
from streamgauge.state.views import ModelView, PartitionView, SeriesView
from tests.cli.doctor.conftest import NOW, Look, cluster


class Answers:
    """A Redis that answers only this."""

    def __init__(self, *, time: float = NOW, config: dict[Any, Any] | None = None) -> None:
        self._time, self._config = time, config

    def ping(self) -> bool:
        return True

    def time(self) -> tuple[int, int]:
        return int(self._time), 0

    def config_get(self, name: str) -> dict[Any, Any]:
        if self._config is None:
            raise ResponseError("NOPERM this user has no permissions to run 'config|get'")
        return self._config


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("7.0.15", "ok", "localhost:6379 answers: Redis 7.0.15"),
        ("8.2.1", "ok", "Redis 8.2.1"),
        ("6.2.0", "warning", "is Redis 6.2.0"),
        ("", "ok", "its version: can't tell"),
    ],
)
def test_version(look: Look, version: str, state: str, words: str) -> None:
    info = {"redis_version": version} if version else {}
    found = look("redis", redis=Answers(), info_server=info)
    assert found.state == state and words in found.finding


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, "ok", "within 2 s"),
        (10, "warning", "10.0 s ahead of the clock here"),
        (-10, "warning", "10.0 s behind the clock here"),
        (3600, "problem", "3600.0 s ahead"),
    ],
)
def test_redis_clock(look: Look, ahead: float, state: str, words: str) -> None:
    found = look("redis_clock", redis=Answers(time=NOW + ahead))
    assert found.state == state and words in found.finding


@pytest.mark.parametrize(
    ("memory", "state", "words"),
    [
        ({"maxmemory_policy": "noeviction"}, "ok", "noeviction"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": 5}, "problem", "are thrown away"),
        ({"maxmemory_policy": "allkeys-lru"}, "warning", "would be thrown away"),
        (
            {"maxmemory_policy": "noeviction", "maxmemory": 100, "used_memory": 90},
            "warning",
            "90% of maxmemory is used",
        ),
        ({}, "skipped", "can't tell maxmemory-policy"),
    ],
)
def test_eviction(look: Look, memory: dict[str, Any], state: str, words: str) -> None:
    found = look("eviction", info_memory=memory)
    assert found.state == state and words in found.finding


@pytest.mark.parametrize(
    ("persistence", "config", "state", "words"),
    [
        ({"aof_enabled": 1}, {"appendfsync": "everysec"}, "ok", "appendfsync everysec"),
        ({"aof_enabled": 1}, {b"appendfsync": b"always"}, "ok", "appendfsync always"),
        ({"aof_enabled": 1}, {"appendfsync": "no"}, "warning", "appendfsync no"),
        ({"aof_enabled": 1}, None, "ok", "can not be told (CONFIG is not allowed)"),
        ({"aof_enabled": 0}, None, "problem", "AOF is off"),
        (
            {"aof_enabled": 1, "aof_last_write_status": "err"},
            None,
            "problem",
            "can't write its AOF",
        ),
        ({}, None, "skipped", "can't tell whether AOF is on"),
    ],
)
def test_durability(
    look: Look, persistence: dict[str, Any], config: Any, state: str, words: str
) -> None:
    found = look("durability", redis=Answers(config=config), info_persistence=persistence)
    assert found.state == state and words in found.finding


def test_specs(look: Look) -> None:
    redis = FakeRedis()
    store = SpecStore(redis)
    assert look("specs", redis=redis).finding == "none yet"
    store.apply(ModelSpec.default("fraud"), now=NOW, by="ann")
    assert look("specs", redis=redis).finding == "1 models have specs, and all can be read"
    # A profile that is not there
    named = {"model": "fraud", "reference": {"kind": "profile", "id": "r1"}}
    store.apply(ModelSpec.from_document(named), now=NOW, by="ann")
    found = look("specs", redis=redis)
    assert found.state == "problem" and "is not stored" in found.finding
    assert "fraud (r1)" in found.finding
    store.put_reference("fraud", "r1", b"profile")
    assert look("specs", redis=redis).state == "ok"
    # An old version from another release, then the newest one
    redis.hset(spec_key("fraud"), "1", b'{"spec": {"model": "fraud", "new_key": 1}}')
    assert look("specs", redis=redis).state == "warning"
    redis.hset(spec_key("fraud"), "2", b"garbage")
    found = look("specs", redis=redis)
    assert found.state == "problem" and "version 2 of streamgauge:spec:" in found.finding


def monitor(*partitions: int, instance: str = "m1", version: str = "0.1.0") -> ProcessView:
    return ProcessView(
        service="monitor",
        instance=instance,
        version=version,
        started_at=NOW - 60,
        partitions=list(partitions),
    )


def snapshot(
    *processes: ProcessView,
    models: tuple[ModelView, ...] = (),
    partitions: tuple[PartitionView, ...] = (),
    skipped: dict[str, int] | None = None,
) -> Snapshot:
    return Snapshot(
        read_at=NOW,
        models=models,
        partitions=tuple(("g", view) for view in partitions),
        processes=processes,
        skipped=skipped or {},
    )


TOPIC = "streamgauge.predictions"


@pytest.mark.parametrize(
    ("seen", "ends", "state", "words"),
    [
        (snapshot(monitor(0, 1, 2, 3)), {}, "ok", "1 for 4 partitions: m1"),
        (snapshot(), {}, "problem", "no monitor runs"),
        (snapshot(monitor(0, 1, 3)), {}, "problem", "nobody has partition 2 of 4"),
        (
            snapshot(monitor(0, 1), monitor(2, 3, instance="m2", version="0.2.0")),
            {},
            "warning",
            "monitors of different versions run: 0.1.0, 0.2.0",
        ),
        (snapshot(monitor(0, 1, 2, 3), skipped={"version": 2}), {}, "warning", "2 views can't"),
        (
            snapshot(
                monitor(0, 1, 2, 3),
                partitions=(
                    PartitionView(partition=1, positions={TOPIC: 10}, written_at=NOW - 95),
                ),
            ),
            {(TOPIC, 1): 130},
            "problem",
            "partition 1 (120 records unread, its view 95 s old)",
        ),
        (
            # Nothing came since: an old view is no stale one
            snapshot(
                monitor(0, 1, 2, 3),
                partitions=(
                    PartitionView(partition=1, positions={TOPIC: 130}, written_at=NOW - 9000),
                ),
            ),
            {(TOPIC, 1): 130},
            "ok",
            "1 for 4 partitions",
        ),
    ],
)
def test_monitors(
    look: Look, seen: Snapshot, ends: dict[tuple[str, int], int], state: str, words: str
) -> None:
    found = look("monitors", snapshot=seen, metadata=cluster(), sample=Sample((), ends))
    assert found.state == state and words in found.finding, found


def model(*versions: str) -> tuple[ModelView, ...]:
    series = [SeriesView(version=version) for version in versions]
    return (ModelView(model="fraud", partition=0, series=series),)


@pytest.mark.parametrize(
    ("versions", "state", "words"),
    [
        (("3.1", "3.2-rc1", "2024-05-01", "a1b2c3d4e5"), "ok", "4 of 1 models"),
        (("fraud-7d9f8b6c5-x2x4z", "3.1"), "problem", "fraud (fraud-7d9f8b6c5-x2x4z)"),
        (tuple(f"{n:x}" * 8 for n in range(10, 16)) + ("3", "4", "5", "6"), "warning", "has 10"),
        (tuple(f"abc{n}123" for n in range(9)), "warning", "has 9, most of them hashes"),
        ((), "ok", "0 of 1 models"),
    ],
)
def test_versions(look: Look, versions: tuple[str, ...], state: str, words: str) -> None:
    found = look("versions", snapshot=snapshot(models=model(*versions)))
    assert found.state == state and words in found.finding, found


def test_versions_of_nothing(look: Look) -> None:
    assert look("versions", snapshot=snapshot()).state == "skipped"


def partition(counts: dict[str, int], *, advanced: int = 1000, **more: Any) -> PartitionView:
    return PartitionView(
        partition=0, positions={TOPIC: advanced}, first_positions={TOPIC: 0}, counts=counts, **more
    )


@pytest.mark.parametrize(
    ("view", "lost_events", "state", "words"),
    [
        (partition({"prediction/ok": 1000}), 0, "ok", "0 dead, 0 late, 0 gone"),
        (partition({"prediction/ok": 900}), 0, "problem", "100 records were read and nobody knows"),
        (partition({"prediction/ok": 950}, lost=50), 0, "problem", "50 records were gone"),
        (
            partition({"prediction/ok": 970, "prediction/dead": 30}, dead={"schema": 20, "x": 10}),
            0,
            "warning",
            "3.0% of 1000 records are dead letters, most of them `schema` (20)",
        ),
        (
            partition({"prediction/ok": 800, "prediction/dead": 200}, dead={"decode": 200}),
            0,
            "problem",
            "20.0% of 1000",
        ),
        (
            partition({"prediction/ok": 900, "prediction/late": 100}),
            0,
            "warning",
            "10.0% of 1000 records came too late",
        ),
        (partition({"prediction/ok": 1000}), 25, "warning", "25 events were numbered"),
        (partition({}, advanced=0), 0, "skipped", "nothing was read yet"),
    ],
)
def test_losses(look: Look, view: PartitionView, lost_events: int, state: str, words: str) -> None:
    models = (ModelView(model="fraud", partition=0, lost_events=lost_events),)
    found = look("losses", snapshot=snapshot(models=models, partitions=(view,)))
    assert found.state == state and words in found.finding, found


def test_a_redis_that_hangs_up_on_a_question_is_asked_the_next_one_anew(fake_url: str) -> None:
    # Given a fakeredis, which closes the connection after a section of INFO that it does not know,
    # sooner or later: of twenty times some are sooner
    for _ in range(20):
        with Site(load_settings(redis__url=fake_url)) as site:
            # When the section is asked for, and the time behind it
            assert site.info("memory") == {}
            # Then the second is answered
            assert site.redis.time()
