"""Keys and their hash: the same as Java's, aiokafka's and librdkafka's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka

from streamgauge_client import murmur2, partition_key

SEED = 20261121


def signed(value: int) -> int:
    return value - 2**32 if value >= 2**31 else value


def keys() -> list[bytes]:
    draw = random.Random(SEED)
    return [draw.randbytes(length) for length in range(70) for _ in range(5)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_gives_the_values_of_kafkas_own_tests(data: bytes, expected: int) -> None:
    assert signed(murmur2(data)) == expected


def test_the_hash_agrees_with_aiokafka() -> None:
    for key in keys():
        assert murmur2(key) == murmur2_of_aiokafka(key), key


def test_one_shard_is_keyed_by_the_model_alone() -> None:
    assert partition_key("fraud", "anything") == b"fraud"
    assert partition_key("fraud", "anything", 1) == b"fraud"


@pytest.mark.parametrize(
    ("prediction_id", "expected"), [("p-1", b"fraud/4"), ("p-2", b"fraud/0"), ("p-3", b"fraud/3")]
)
def test_a_shard_follows_from_the_predictions_id(prediction_id: str, expected: bytes) -> None:
    assert partition_key("fraud", prediction_id, 8) == expected


def test_shards_take_the_positive_part_of_the_hash() -> None:
    # Given an id whose hash is negative in Java
    prediction_id = "foobar"
    assert signed(murmur2(prediction_id.encode())) < 0
    # Then the shard is that of (hash & 0x7fffffff), as Java takes it
    assert partition_key("m", prediction_id, 7) == f"m/{(-790332482 & 0x7FFFFFFF) % 7}".encode()


def test_shards_are_used_evenly() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[int(partition_key("m", f"prediction-{number}", 4)[2:])] += 1
    assert min(counts) > 900


def test_librdkafka_sends_a_key_where_aiokafka_would(producer: Any, unused_prefix: str) -> None:
    # Given a topic and keys of models and shards
    topic = f"{unused_prefix}.predictions"
    partitions = sorted(producer.list_topics(topic, timeout=10).topics[topic].partitions)
    assert len(partitions) > 1
    chosen: dict[bytes, int] = {}
    names = [partition_key(f"model-{number}", f"p-{number}", number % 3) for number in range(60)]
    # When librdkafka's murmur2_random takes them
    for name in names:
        producer.produce(
            topic,
            value=b"{}",
            key=name,
            on_delivery=lambda error, message: chosen.update({message.key(): message.partition()}),
        )
    assert producer.flush(10) == 0
    # Then each lies where Java and aiokafka would have put it
    assert set(chosen.values()) == set(partitions)
    for name in names:
        assert chosen[name] == DefaultPartitioner()(name, partitions, partitions), name
