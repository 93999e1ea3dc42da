"""``models``: looking at the registry, deciding who serves, and finding what somebody changed."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from redis import Redis
from typer.testing import Result

from services.stack.redis_server import EmbeddedRedis
from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.registry.envelope import unseal
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.publish import publish
from streamgauge.registry.registrar import Registrar
from streamgauge.registry.registry import ModelRegistry
from streamgauge.serving import ServedModel
from streamgauge.state.keys import model_key
from streamgauge_client.codec import decode
from streamgauge_client.events import ModelEvent
from tests.registry.examples import KEY, learned, rows

Run = Callable[..., Result]
Models = Callable[..., Result]
ENV = {"STREAMGAUGE_STATE__KEY": KEY.decode()}


@functools.cache
def written() -> dict[str, Any]:
    """What three publications and two decisions leave in Redis, by key."""
    with EmbeddedRedis("fake") as server, Redis.from_url(server.url) as redis:
        registry = ModelRegistry(redis, key=KEY)
        for count in (10, 20, 30):
            publish(
                registry,
                learned(count=count),
                key=KEY,
                model="fraud",
                pipeline="online",
                created_at=1_700_000_000.0 + count,
                actor="learner",
                rows=[row for row, _ in rows(5)],
                metrics={"accuracy": 0.9 + count / 1000},
                positions={"predictions:0": count},
                examples=count,
            )
        step: dict[str, Any] = {"at": 1_700_001_000.0, "actor": "learner"}
        registry.promote("fraud", 1, expected=None, reason="the first", **step)
        registry.set_status("fraud", 2, "failed", reason="worse", **step)
        parts = [f"artefact:{number}" for number in (1, 2, 3)]
        return {
            "records": redis.hgetall(model_key("fraud", "records")),
            "history": redis.lrange(model_key("fraud", "history"), 0, -1),
            **{part: redis.get(model_key("fraud", part)) for part in parts},
        }


def write(redis: Redis, content: dict[str, Any]) -> None:
    with redis.pipeline() as pipe:
        for part, value in content.items():
            key = model_key("fraud", part)
            if isinstance(value, dict):
                pipe.hset(key, mapping=value)
            elif isinstance(value, list):
                pipe.rpush(key, *value)
            else:
                pipe.set(key, value)
        pipe.execute()


@pytest.fixture
def models(run: Run, redis_url: str) -> Models:
    """Call ``models`` on a registry with three versions of ``fraud``, the first of it champion."""
    with Redis.from_url(redis_url) as redis:
        write(redis, written())

    def call(*arguments: object, key: bool = True, **more: str) -> Result:
        return run("--redis", redis_url, "models", *arguments, env={**(ENV if key else {}), **more})

    return call


def test_list_and_show(models: Models) -> None:
    listed = models("list")
    assert listed.exit_code == 0, listed.stderr
    assert listed.stdout.splitlines()[1].split() == [
        "fraud", "1", "2023-11-14", "22:30:00", "3", "0", "1", "3",
    ]  # fmt: skip
    shown = models("show", "fraud")
    assert [line.split()[:2] for line in shown.stdout.splitlines()[1:]] == [
        ["1", "champion"],
        ["2", "failed"],
        ["3", "registered"],
    ]
    assert "accuracy 0.91" in shown.stdout
    assert "2023-11-14 22:30:00 UTC  1 promoted by learner: the first" in shown.stderr
    one = models("show", "fraud", "--version", 3)
    assert "positions: {'predictions:0': 30}" in one.stderr and "python" in one.stderr
    document = json.loads(models("show", "fraud", "-o", "json").stdout)
    assert [record["status"] for record in document["versions"]] == [
        "champion",
        "failed",
        "registered",
    ]
    assert len(document["history"]) == 5
    # Nobody's inputs are shown
    assert "x0" not in json.dumps(document)


def test_a_pipelines_snapshots_are_shown_pinned_and_let_go(models: Models, redis_url: str) -> None:
    # Given a pipeline of a spec that the learner promoted, and a newer snapshot of it
    first = Verdict(id="1", pipeline="trees", at=1_700_002_000.0, reason="better by 3 %")
    pipeline = Pipeline(Plan(estimator="hoeffding_tree_classifier", task="binary"))

    def snapshot(count: int) -> Learned:
        while pipeline.learned < count:
            pipeline.learn({"amount": float(pipeline.learned)}, pipeline.learned % 2 == 0)
        candidate = Candidate(
            pipeline="trees",
            content=pipeline.to_bytes(),
            at=1_700_002_000.0 + count,
            examples=count,
            metrics={"accuracy": 0.93},
            rows=[{"amount": 1.5}],
        )
        return Learned(model="fraud", candidates=[candidate], champion=first)

    with Redis.from_url(redis_url) as redis:
        registrar = Registrar(ModelRegistry(redis, key=KEY), key=KEY)
        registrar.settle(snapshot(10))
        # When it is shown
        shown = models("show", "fraud", "--version", 4)
        for words in ("trees", "hoeffding_tree_classifier", "10", "accuracy 0.93"):
            assert words in shown.stdout
        assert "estimator: hoeffding_tree_classifier" in shown.stderr
        assert "pinned" not in shown.stderr
        # When a person promotes what serves, then snapshots are held back, and it is said
        quiet = ("--reason", "enough", "--no-event")
        assert "pinned" in models("promote", "fraud", 4, *quiet).stdout
        registrar.settle(snapshot(20))
        assert "version 4 is pinned since" in models("show", "fraud").stderr
        assert models("verify", "fraud").exit_code == 0
        # When they let it go, the newest serves at the next call
        assert "following" in models("promote", "fraud", 4, "--follow", *quiet).stdout
        assert "is pinned" not in models("show", "fraud").stderr
        steps = registrar.settle(snapshot(20))
        assert [(step.action, step.version) for step in steps] == [("snapshot", 5)]
        # And back is where the promotion came from
        assert models("rollback", "fraud", *quiet).stdout.splitlines()[1].split() == [
            "fraud", "1", "rolled_back", "5",
        ]  # fmt: skip


def test_looking_needs_no_key(models: Models) -> None:
    assert models("list", key=False).exit_code == 0
    assert models("show", "fraud", key=False).exit_code == 0
    for verb in (
        ["promote", "fraud", 3, "--reason", "r", "--no-event"],
        ["rollback", "fraud", "--reason", "r", "--no-event"],
        ["verify"],
        ["export", "fraud", "out"],
    ):
        refused = models(*verb, key=False)
        assert refused.exit_code == 1 and "set STREAMGAUGE_STATE__KEY" in refused.stderr


def read_events(broker: str, topic: str) -> list[ModelEvent]:
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "t", "enable.partition.eof": True}
    )
    found: list[ModelEvent] = []
    try:
        partitions = consumer.list_topics(topic, timeout=5).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        ended = 0
        while ended < len(partitions):
            message = consumer.poll(5)
            assert message is not None
            if message.error() is not None:
                ended += 1
                continue
            assert message.key() == b"fraud"
            event = decode(topic, message.headers(), message.value())
            assert isinstance(event, ModelEvent)
            found.append(event)
    finally:
        consumer.close()
    return found


def test_promote_then_rollback_serves_and_is_told(
    models: Models, run: Run, redis_url: str, broker: str
) -> None:
    prefix = f"m{uuid.uuid4().hex[:8]}"
    env = {
        "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
        "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": broker,
    }
    with ServedModel("fraud", redis=redis_url, key=KEY, poll_seconds=0) as served:
        # Given a champion that serves
        assert served.version == 1
        dry = models("promote", "fraud", 3, "--reason", "won", "--dry-run", **env)
        assert dry.exit_code == 0 and "would be promoted" in dry.stdout
        assert not served.refresh()
        # When another is promoted by hand
        done = models("promote", "fraud", 3, "--reason", "won", "-o", "json", **env)
        assert done.exit_code == 0, done.stderr
        assert json.loads(done.stdout) == [
            {"model": "fraud", "version": 3, "state": "promoted", "previous_version": 1}
        ]
        assert served.refresh() and served.version == 3
        # When the same is asked for again, nothing changes but that it is told again
        again = models("promote", "fraud", 3, "--reason", "won", **env)
        assert again.exit_code == 0 and "unchanged" in again.stdout
        # When it disappoints
        back = models("rollback", "fraud", "--reason", "complaints", **env)
        assert back.exit_code == 0, back.stderr
        assert back.stdout.splitlines()[1].split() == ["fraud", "1", "rolled_back", "3"]
        assert served.refresh() and served.version == 1
    # Then the topic has it all, with who and why
    events = read_events(broker, f"{prefix}.models")
    said = [(e.action, e.version, e.previous_version, e.reason) for e in events]
    assert said == [
        ("promoted", "3", "1", "won"),
        ("promoted", "3", None, "won"),
        ("rolled_back", "1", "3", "complaints"),
    ]
    assert all(event.actor for event in events)
    with Redis.from_url(redis_url) as redis:
        last = ModelRegistry(redis, key=KEY).history("fraud")[-1]
    assert (last.action, last.reason, last.actor) == ("rolled_back", "complaints", events[-1].actor)


def test_without_kafka_nothing_is_decided(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamgauge.access.event_log.ANSWER_SECONDS", 0.5)
    env = {"STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": "localhost:1"}
    away = models("promote", "fraud", 3, "--reason", "r", **env)
    assert away.exit_code == 3 and "--no-event" in away.stderr
    assert "3  registered" in models("show", "fraud").stdout.replace("        ", "  ")
    quiet = models("promote", "fraud", 3, "--reason", "r", "--no-event", **env)
    assert quiet.exit_code == 0 and "promoted" in quiet.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "fruad"], 1, "no model 'fruad' is registered; did you mean 'fraud'?"),
        (["show", "fraud", "--version", 9], 1, "fraud has no version 9 (the newest are 1, 2, 3)"),
        (["promote", "fraud", 9, "--reason", "r", "--no-event"], 1, "fraud has no version 9"),
        (["promote", "fraud", 2, "--reason", "r", "--no-event"], 1, "is failed and can't become"),
        (["promote", "fraud", 3], 2, "--reason"),
        (["rollback", "fraud", "--reason", "r", "--no-event"], 1, "there is none before"),
        (["rollback", "fraud", "--to", 3, "--reason", "r", "--no-event"], 1, "never champion"),
        (["rollback", "fruad", "--reason", "r", "--no-event"], 1, "did you mean 'fraud'?"),
        (["verify", "fruad"], 1, "did you mean 'fraud'?"),
        (["export", "fruad", "out"], 1, "did you mean 'fraud'?"),
        (["export", "fraud", "/dev/null/x"], 1, "can't be written"),
    ],
    ids=str,
)
def test_slips(models: Models, arguments: list[object], code: int, words: str) -> None:
    result = models(*arguments)
    assert result.exit_code == code, result.stderr
    assert words in result.stderr and len(result.stderr.splitlines()) == 1


def test_verify_finds_what_somebody_changed(models: Models, redis_url: str) -> None:
    whole = models("verify")
    assert whole.exit_code == 0 and "all 4 verified" in whole.stderr, whole.stderr
    with Redis.from_url(redis_url) as redis:
        # Given an artefact with a flipped bit, one that lies in another's place, one that is gone
        data: Any = redis.get(model_key("fraud", "artefact:1"))
        redis.set(model_key("fraud", "artefact:1"), data[:-1] + bytes((data[-1] ^ 1,)))
        redis.set(model_key("fraud", "artefact:2"), data)
        redis.delete(model_key("fraud", "artefact:3"))
    found = models("verify", "fraud", "-o", "json")
    assert found.exit_code == 4 and "3 of 4 are refused" in found.stderr
    assert [row["result"] for row in json.loads(found.stdout)] == [
        "ok",
        "signature",
        "mismatch",
        "missing",
    ]
    refused = models("promote", "fraud", 3, "--reason", "r", "--no-event")
    assert refused.exit_code == 4 and "see `streamgauge models verify`" in refused.stderr
    other = models("verify", STREAMGAUGE_STATE__KEY="another")
    assert other.exit_code == 4 and "signed with" in other.stdout


def test_export_writes_what_can_be_loaded_elsewhere(models: Models, tmp_path: Path) -> None:
    result = models("export", "fraud", tmp_path / "audit" / "march")
    assert result.exit_code == 0, result.stderr
    directory = tmp_path / "audit" / "march"
    assert sorted(path.name for path in directory.iterdir()) == ["fraud-1.json", "fraud-1.sgm"]
    artefact = unseal((directory / "fraud-1.sgm").read_bytes(), key=KEY, model="fraud", version=1)
    document = json.loads((directory / "fraud-1.json").read_text())
    assert document["record"]["sha256"] == artefact.header.payload_sha256
    assert [line["action"] for line in document["history"]] == ["registered", "promoted"]
    assert models("export", "fraud", tmp_path, "--version", 3).exit_code == 0
    assert (tmp_path / "fraud-3.sgm").exists()


def test_an_empty_registry_says_what_comes(run: Run, redis_url: str) -> None:
    result = run("--redis", redis_url, "models", "list")
    assert result.exit_code == 0 and "no model is registered" in result.stderr
    assert json.loads(run("--redis", redis_url, "models", "list", "-o", "json").stdout) == []


def test_an_archive_on_s3_without_boto3(models: Models) -> None:
    result = models("list", STREAMGAUGE_REGISTRY__ARCHIVE="s3://bucket/models")
    assert result.exit_code == 3 and "pip install 'streamgauge[s3]'" in result.stderr


def test_an_archive_in_a_directory(models: Models, redis_url: str, tmp_path: Path) -> None:
    from streamgauge.registry.directory_store import DirectoryArtefacts

    with Redis.from_url(redis_url) as redis:
        kept: Any = redis.get(model_key("fraud", "artefact:3"))
        redis.delete(model_key("fraud", "artefact:3"))
    DirectoryArtefacts(tmp_path / "a").put("fraud", 3, kept)
    assert models("verify").exit_code == 4
    found = models("verify", STREAMGAUGE_REGISTRY__ARCHIVE=str(tmp_path / "a"))
    assert found.exit_code == 0, found.stderr
