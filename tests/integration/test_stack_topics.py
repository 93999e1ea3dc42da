"""The stack prepares the topics of a real Kafka."""

from __future__ import annotations

import time
from typing import Protocol

import pytest

from services.stack.reach import Unreachable, kafka_topics
from services.stack.topics import prepare
from streamgauge.settings import KafkaSettings
from streamgauge_client.topics import FEEDBACK, LABELS, PREDICTIONS, TOPICS

pytestmark = pytest.mark.integration


class Kafka(Protocol):
    """What the fixture gives."""

    bootstrap_servers: str

    def create_topics(self, prefix: str, *, partitions: dict[str, int]) -> None: ...


def create(kafka: Kafka, prefix: str, partitions: dict[str, int]) -> None:
    """Create topics, and wait until the broker tells of them, which is a moment later."""
    kafka.create_topics(prefix, partitions=partitions)
    deadline = time.monotonic() + 10
    while not set(partitions) <= set(kafka_topics(kafka.bootstrap_servers)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def settings(kafka: Kafka, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix)


def test_all_topics_are_created_once(real_kafka: Kafka, prefix: str) -> None:
    names = {topic.under(prefix) for topic in TOPICS}
    assert set(prepare(settings(real_kafka, prefix))) == names
    existing = kafka_topics(real_kafka.bootstrap_servers)
    assert {existing[name] for name in names} == {4}
    assert prepare(settings(real_kafka, prefix)) == []


def test_new_topics_take_the_partitions_of_those_that_are_there(
    real_kafka: Kafka, prefix: str
) -> None:
    create(real_kafka, prefix, {PREDICTIONS.under(prefix): 7})
    prepare(settings(real_kafka, prefix))
    existing = kafka_topics(real_kafka.bootstrap_servers)
    assert existing[LABELS.under(prefix)] == existing[FEEDBACK.under(prefix)] == 7


def test_inputs_with_unequal_partitions_are_refused(real_kafka: Kafka, prefix: str) -> None:
    counts = {PREDICTIONS.under(prefix): 4, LABELS.under(prefix): 2}
    create(real_kafka, prefix, counts)
    with pytest.raises(Unreachable, match=rf"{LABELS.under(prefix)}: 2"):
        prepare(settings(real_kafka, prefix))
