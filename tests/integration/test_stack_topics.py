"""The stack prepares the topics of a real Kafka."""

from __future__ import annotations

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
    real_kafka.create_topics(prefix, partitions={PREDICTIONS.under(prefix): 7})
    prepare(settings(real_kafka, prefix))
    existing = kafka_topics(real_kafka.bootstrap_servers)
    assert existing[LABELS.under(prefix)] == existing[FEEDBACK.under(prefix)] == 7


def test_inputs_with_unequal_partitions_are_refused(real_kafka: Kafka, prefix: str) -> None:
    counts = {PREDICTIONS.under(prefix): 4, LABELS.under(prefix): 2}
    real_kafka.create_topics(prefix, partitions=counts)
    with pytest.raises(Unreachable, match=rf"{LABELS.under(prefix)}: 2"):
        prepare(settings(real_kafka, prefix))
