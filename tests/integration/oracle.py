"""A single pass over the topics that shares no code with the worker, and a load to pass over."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition


@dataclass
class Outcome:
    """What must come out. ``states`` by (partition, model)."""

    states: dict[tuple[int, str], dict[str, int]] = field(default_factory=dict)
    alarms: set[str] = field(default_factory=set)
    dead: set[tuple[str, int, int]] = field(default_factory=set)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    records: int = 0


def read(bootstrap_servers: str, topic: str) -> Iterator[Message]:
    """All committed records of a topic, in offset order within each partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "oracle",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "log_level": 3,
        }
    )
    numbers = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
    open_ones = set(numbers)
    while open_ones:
        message = consumer.poll(10)
        assert message is not None, f"{topic} {open_ones} gave nothing for 10 s"
        if message.error():
            open_ones.discard(message.partition())  # its end
        else:
            yield message
    consumer.close()


def single_pass(bootstrap_servers: str, prefix: str, every: int) -> Outcome:
    """Count and fold what is in the topics now, as the counting processor should."""
    out = Outcome()
    for name in ("predictions", "labels", "feedback", "models"):
        for message in read(bootstrap_servers, f"{prefix}.{name}"):
            number, offset = message.partition(), message.offset()
            value = message.value()
            assert number is not None and offset is not None
            out.records += 1
            out.ends[name, number] = offset + 1
            if value is None or value.startswith(b"bad"):
                out.dead.add((f"{prefix}.{name}", number, offset))
                continue
            model = (message.key() or b"?").decode()
            state = out.states.setdefault((number, model), {})
            state[name] = state.get(name, 0) + 1
            state[f"{name}.fold"] = (state.get(f"{name}.fold", 0) * 31 + offset) % (2**31)
            if name == "predictions" and state[name] % every == 0:
                text = f"{number}/{model}/{state[name]}"
                out.alarms.add(hashlib.blake2b(text.encode(), digest_size=16).hexdigest())
    return out


def load(bootstrap_servers: str, prefix: str, records: int, *, seed: int) -> Iterator[int]:
    """Produce predictions, labels and a few bad ones; yields after each, for pacing."""
    rng = random.Random(seed)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap_servers,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "log_level": 3,
        }
    )
    for number in range(records):
        model = f"model-{rng.randrange(9)}"
        topic = rng.choices(("predictions", "labels", "feedback"), (8, 2, 1))[0]
        value = rng.choice((None, b"bad")) if rng.random() < 0.01 else b"%d" % number
        producer.produce(f"{prefix}.{topic}", key=model, value=value)
        producer.poll(0)
        yield number
    assert producer.flush(20) == 0


def published(bootstrap_servers: str, prefix: str) -> tuple[list[str], list[tuple[str, int, int]]]:
    """Ids of the alarms, and positions of the dead letters, as they lie in their topics."""
    alarms = [
        json.loads(message.value() or b"")["alarm_id"]
        for message in read(bootstrap_servers, f"{prefix}.alarms")
    ]
    dead = []
    for message in read(bootstrap_servers, f"{prefix}.dead-letters"):
        said = {name: value for name, value in message.headers() or [] if isinstance(value, bytes)}
        dead.append(
            (
                said["streamgauge_topic"].decode(),
                int(said["streamgauge_partition"]),
                int(said["streamgauge_offset"]),
            )
        )
    return alarms, dead
