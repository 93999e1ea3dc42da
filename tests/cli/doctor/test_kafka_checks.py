"""The checks of Kafka: listeners, topics, partitions, retention, keys, clocks."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streamgauge.cli.doctor.site import Sample
from streamgauge.cli.tail_lines import Seen
from streamgauge.settings import KafkaSettings, Settings
from streamgauge_client.keys import murmur2
from streamgauge_client.topics import TOPICS
from tests.cli.doctor.conftest import NOW, Look, cluster


def test_kafka_says_how_many_brokers(look: Look) -> None:
    two = cluster(brokers={1: ("a", 1), 2: ("b", 2)})
    assert look("kafka", metadata=two).finding == "localhost:9092: answers; 2 brokers"
    embedded = look("kafka", metadata=cluster(cluster_id="mockClusterff"))
    assert "embedded broker" in embedded.finding


def test_listeners_that_answer(look: Look) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        metadata = cluster(brokers={1: server.getsockname()[:2]})
        assert look("listeners", metadata=metadata).state == "ok"
        # From another machine, this broker would be looked for at home
        away = Settings(kafka=KafkaSettings(bootstrap_servers="kafka.example:9092"))
        found = look("listeners", metadata=metadata, settings=away)
    assert found.state == "problem" and not found.unreachable
    assert "clients on other machines would look for them at home" in found.finding


def test_listeners_that_nobody_is_behind(look: Look) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_at, closed = server.getsockname()[:2], ("127.0.0.1", _closed_port())
        brokers = {1: open_at, 2: closed, 3: ("broker.invalid", 9092)}
        found = look("listeners", metadata=cluster(brokers=brokers))
    assert found.state == "problem" and found.unreachable
    assert "2 of 3 brokers advertise what can't be reached" in found.finding
    assert f"127.0.0.1:{closed[1]} (Connection refused)" in found.finding
    assert "broker.invalid:9092" in found.finding and "advertised.listeners" in found.remedy


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("options", "state", "words"),
    [
        ({}, "ok", "all 7 are there"),
        ({"without": ("labels", "alarms")}, "problem", "there is no streamgauge.labels"),
        ({"without": ("snapshots",)}, "warning", "there is no streamgauge.snapshots yet"),
        ({"headless": "labels"}, "problem", "1 partitions have no leader: streamgauge.labels/0"),
        ({"brokers": {n: ("h", n) for n in (1, 2, 3)}}, "warning", "have a single replica"),
        ({"brokers": {n: ("h", n) for n in (1, 2, 3)}, "replicas": 3}, "ok", "all 7"),
    ],
)
def test_topics(look: Look, options: dict[str, Any], state: str, words: str) -> None:
    found = look("topics", metadata=cluster(**options))
    assert found.state == state and words in found.finding
    assert bool(found.remedy) is (state != "ok")


def test_another_prefix_is_thought_of(look: Look) -> None:
    settings = Settings(kafka=KafkaSettings(topic_prefix="lab"))
    found = look("topics", metadata=cluster(), settings=settings)
    assert "is the prefix another one (streamgauge.predictions)?" in found.remedy


def test_partitions(look: Look) -> None:
    assert look("partitions", metadata=cluster()).finding == "4 in each of 4 input topics"
    found = look("partitions", metadata=cluster(partitions={"labels": 2, "alarms": 9}))
    assert found.state == "problem"
    assert "streamgauge.labels 2" in found.finding and "alarms" not in found.finding
    assert "--topic streamgauge.labels --partitions 4" in found.remedy
    nothing = cluster(without=tuple(topic.name for topic in TOPICS))
    assert look("partitions", metadata=nothing).state == "skipped"


class Admin:
    """Answers describe_configs with the contract's settings, and these changes."""

    def __init__(self, **changes: dict[str, str]) -> None:
        self.changes = changes

    def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, Any]:
        assert request_timeout <= 10
        answers = {}
        for resource in resources:
            topic = next(each for each in TOPICS if each.under() == resource.name)
            days = topic.retention_days
            config = {
                "cleanup.policy": "compact" if topic.compacted else "delete",
                "retention.ms": "-1" if days is None else str(days * 86_400_000),
                "max.message.bytes": str(topic.max_message_bytes),
            } | self.changes.get(topic.name, {})
            entries = {key: SimpleNamespace(value=value) for key, value in config.items()}
            answers[resource] = SimpleNamespace(result=lambda timeout, entries=entries: entries)
        return answers


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "ok", "in 7 topics"),
        ({"labels": {"cleanup.policy": "compact"}}, "problem", "labels is compacted"),
        ({"snapshots": {"cleanup.policy": "delete"}}, "problem", "snapshots is not compacted"),
        ({"predictions": {"retention.ms": "3600000"}}, "problem", "predictions is kept for 1 h"),
        ({"labels": {"retention.ms": "604800000"}}, "warning", "labels is kept for 7 days, not 14"),
        ({"models": {"retention.ms": "604800000"}}, "warning", "should be for ever"),
        ({"labels": {"retention.ms": "-1"}}, "ok", "or longer"),
        (
            {"dead-letters": {"max.message.bytes": "1048588"}},
            "problem",
            "takes messages of 1048588",
        ),
    ],
)
def test_retention(look: Look, changes: dict[str, Any], state: str, words: str) -> None:
    found = look("retention", metadata=cluster(), admin=Admin(**changes))
    assert found.state == state and words in found.finding, found


def test_retention_that_nobody_tells(look: Look) -> None:
    class Refusing:
        def describe_configs(self, resources: list[Any], request_timeout: float) -> None:
            raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    assert "can't tell" in look("retention", metadata=cluster(), admin=Refusing()).finding
    embedded = cluster(cluster_id="mockCluster1")
    found = look("retention", metadata=embedded, admin=Admin())
    assert found.state == "skipped" and "embedded broker: not checked" in found.finding


def record(
    key: str = "fraud",
    *,
    partition: int | None = None,
    model: str | None = "fraud",
    timestamp: float | None = NOW,
    event_time: object = NOW,
    offset: int = 7,
) -> Seen:
    place = (murmur2(key.encode()) & 0x7FFFFFFF) % 4 if partition is None else partition
    event = None if model is None else {"model": model, "timestamp": event_time}
    return Seen("streamgauge.predictions", place, offset, timestamp, key, b"{}", event=event)


def test_keys_in_their_place(look: Look) -> None:
    records = (record(), record("fraud/3"), record("a/b", model="a/b"), record(model=None))
    found = look("keys", metadata=cluster(), sample=Sample(records, {}))
    assert found.state == "ok" and "newest 4 records" in found.finding
    assert look("keys", metadata=cluster(), sample=Sample((), {})).state == "skipped"


@pytest.mark.parametrize(
    ("odd", "words", "remedy"),
    [
        (record("", partition=2), "(no key), as streamgauge.predictions/2 offset 7", "as the key"),
        (record("user-17"), "(the key of another model)", "name/shard"),
        (record("fraud/x"), "(the key of another model)", "name/shard"),
        (
            record(partition=((murmur2(b"fraud") & 0x7FFFFFFF) + 1) % 4),
            "(another partition)",
            "murmur2",
        ),
    ],
)
def test_misplaced_keys(look: Look, odd: Seen, words: str, remedy: str) -> None:
    found = look("keys", metadata=cluster(), sample=Sample((record(), odd), {}))
    assert found.state == "problem"
    assert "1 of the newest 2 records are misplaced" in found.finding and words in found.finding
    assert remedy in found.remedy
    # One in two hundred is one careless script
    many = Sample((*[record()] * 199, odd), {})
    assert look("keys", metadata=cluster(), sample=many).state == "warning"


@pytest.mark.parametrize(
    ("odd", "state", "words"),
    [
        (record(), "ok", "none of the newest 2"),
        (record(timestamp=NOW - 1e6, event_time=NOW - 1e6), "ok", "none"),
        (record(event_time="2023-11-14T22:13:20Z"), "ok", "none"),
        (record(event_time="soon"), "ok", "none"),
        (
            record(timestamp=NOW + 30, event_time=NOW + 30),
            "warning",
            "30 s ahead of the clock here",
        ),
        (record(timestamp=NOW + 900, event_time=0), "problem", "900 s ahead of the clock here"),
        (record(event_time=NOW + 60), "warning", "up to 60 s ahead of their record"),
        (record(event_time=NOW + 301), "problem", "become dead letters (`future`)"),
    ],
)
def test_clocks(look: Look, odd: Seen, state: str, words: str) -> None:
    found = look("clocks", sample=Sample((record(), odd), {}))
    assert found.state == state and words in found.finding


def test_clocks_of_nothing(look: Look) -> None:
    assert look("clocks", sample=Sample((record(timestamp=None),), {})).state == "skipped"
