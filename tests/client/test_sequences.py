"""Sequence numbers and sampling: what is lost and what was left out can be counted."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamgauge_client import LabelEvent, PredictionEvent, Publisher, murmur2
from streamgauge_client.recording import recorders
from streamgauge_client.sampling import Sampling
from streamgauge_client.testing import capture

ReadTopic = Callable[[str, int], list[Any]]
NOWHERE = "127.0.0.1:1"


class Records:
    def __init__(self) -> None:
        self.all: list[tuple[str, bytes, list[tuple[str, bytes]]]] = []

    def record(self, topic: str, key: bytes, value: bytes, headers: Any) -> None:
        self.all.append((topic, key, headers))

    def numbers(self) -> dict[tuple[str, bytes], list[int]]:
        found = defaultdict(list)
        for topic, key, headers in self.all:
            found[topic, key].append(sequence(headers)[1])
        return dict(found)


def sequence(headers: Any) -> tuple[str, int]:
    match = re.fullmatch(r"([0-9a-f]{16})-(\d+)", dict(headers)["ce_sequence"].decode())
    assert match is not None
    return match[1], int(match[2])


@pytest.fixture
def records() -> Iterator[Records]:
    recorder = Records()
    recorders.append(recorder)
    yield recorder
    recorders.remove(recorder)


class TestSequences:
    def test_each_topic_and_key_counts_from_nought(self, records: Records) -> None:
        publisher = Publisher(model="hot", version="1", shards=2)
        for number in range(20):
            publisher.log(output=1.0, prediction_id=f"p-{number}")
            publisher.label(f"p-{number}", 1.0)
        publisher.model_event("promoted")
        numbers = records.numbers()
        assert len(numbers) == 5
        for found in numbers.values():
            assert found == list(range(len(found)))
        producers = {sequence(headers)[0] for _, _, headers in records.all}
        assert len(producers) == 1
        # And the sender tells the last one, for the heartbeat.
        topic, key = "streamgauge.predictions", b"hot/0"
        assert publisher._sender.last_sequence(topic, key) == len(numbers[topic, key]) - 1
        assert publisher._sender.last_sequence(topic, b"hot") is None

    def test_the_number_comes_right_after_the_type(self, records: Records) -> None:
        publisher = Publisher(model="m", version="1")
        publisher.log(output=1.0)
        (_, _, headers), *_ = records.all
        assert [name for name, _ in headers[:4]] == [
            "ce_specversion",
            "ce_id",
            "ce_type",
            "ce_sequence",
        ]

    def test_two_publishers_are_two_producers(self, records: Records) -> None:
        for _ in range(2):
            Publisher(model="m", version="1").log(output=1.0)
        (first, second) = (sequence(headers) for _, _, headers in records.all)
        assert first[0] != second[0] and first[1] == second[1] == 0

    def test_what_is_refused_takes_no_number(self, records: Records) -> None:
        publisher = Publisher(model="m", version="1")
        publisher.log(output=1.0)
        publisher.log(output=object())
        publisher.log(output=2.0)
        assert list(records.numbers().values()) == [[0, 1]]

    def test_what_found_no_place_in_the_queue_leaves_a_gap(
        self, broker: str, unused_prefix: str, read_topic: ReadTopic
    ) -> None:
        # Given a queue with room for three, that is full while nothing leaves it
        publisher = Publisher(
            broker,
            model="m",
            version="1",
            topic_prefix=unused_prefix,
            kafka={"queue.buffering.max.messages": 3, "linger.ms": 1000},
        )
        for number in range(5):
            publisher.log(output=1.0, prediction_id=f"p-{number}")
        assert publisher.stats().dropped == {"full": 2}
        # When there is room again
        assert publisher.flush(10) == 0
        publisher.log(output=1.0, prediction_id="p-5")
        publisher.close(10)
        # Then the next number tells that two are missing
        messages = read_topic(f"{unused_prefix}.predictions", 4)
        assert [sequence(message.headers())[1] for message in messages] == [0, 1, 2, 5]

    def test_threads_number_in_the_order_of_the_log(
        self, broker: str, unused_prefix: str, read_topic: ReadTopic
    ) -> None:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        publisher = Publisher(broker, model="m", version="1", topic_prefix=unused_prefix)
        try:
            threads = [
                threading.Thread(target=lambda: [publisher.log(output=1.0) for _ in range(250)])
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        publisher.close(10)
        messages = read_topic(f"{unused_prefix}.predictions", 2000)
        assert [sequence(message.headers())[1] for message in messages] == list(range(2000))

    def test_logging_within_logging_neither_waits_nor_repeats_a_number(self) -> None:
        """As a finalizer or a signal handler does that runs in the middle of it."""
        publisher = Publisher(model="m", version="1")

        class Nested(Records):
            def record(self, *arguments: Any) -> None:
                super().record(*arguments)
                if len(self.all) == 1:
                    publisher.log(output=2.0)

        recorder = Nested()
        recorders.append(recorder)
        publisher.log(output=1.0)
        recorders.remove(recorder)
        assert list(recorder.numbers().values()) == [[0, 1]]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_is_a_producer_of_its_own(self, records: Records) -> None:
        publisher = Publisher(model="m", version="1")
        publisher.log(output=1.0)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                publisher.log(output=1.0)
                os.write(writing, json.dumps(sequence(records.all[-1][2])).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        producer, number = json.loads(os.read(reading, 1000))
        assert producer != sequence(records.all[0][2])[0] and number == 0


class TestSampling:
    @pytest.mark.parametrize("rate", [1, 1.0, 0.5, 0.25, 0.2, 0.1, 0.01, 1 / 3, 1 / 7, 1e-6])
    def test_one_in_a_whole_number(self, rate: float) -> None:
        sampling = Sampling.of(rate)
        assert (1 if sampling is None else sampling.every) == round(1 / rate)

    @pytest.mark.parametrize(
        "rate", [0, -0.5, 1.5, 0.3, 0.7, 0.99, float("nan"), float("inf"), True, "0.5", None]
    )
    def test_anything_else_is_a_mistake_at_once(self, rate: Any) -> None:
        with pytest.raises(ValueError, match=r"sample_rate=.*(0\.01|1/k)"):
            Publisher(model="m", version="1", sample_rate=rate)

    def test_one_in_k_is_kept_and_says_so(self, records: Records) -> None:
        # Given a publisher that keeps one in four
        publisher = Publisher(model="m", version="1", sample_rate=0.25)
        ids = [f"p-{number}" for number in range(2000)]
        assert [publisher.log(output=1.0, prediction_id=one) for one in ids] == ids
        # Then those are kept that everybody would keep
        kept = [one for one in ids if (murmur2(b"sample:" + one.encode()) & 0x7FFFFFFF) % 4 == 0]
        assert [dict(headers)["ce_id"].decode() for _, _, headers in records.all] == kept
        assert 400 < len(kept) < 600
        # And each tells that it stands for four, next to a number without gaps
        for _, _, headers in records.all:
            assert headers[4] == ("ce_sampledrate", b"4")
        assert list(records.numbers().values()) == [list(range(len(kept)))]
        stats = publisher.stats()
        assert (stats.sent, stats.sampled_out, stats.dropped) == (len(kept), 2000 - len(kept), {})

    def test_errors_labels_and_feedback_are_always_sent(self, records: Records) -> None:
        publisher = Publisher(model="m", version="1", sample_rate=1e-6)
        publisher.log(output=1.0, status="error")
        publisher.log(output=1.0, status="fallback")
        publisher.label("p-1", 1.0)
        publisher.feedback("p-1", "redo")
        publisher.log(output=1.0)
        assert len(records.all) == 4 and publisher.stats().sampled_out == 1
        assert all("ce_sampledrate" not in dict(headers) for _, _, headers in records.all)

    def test_a_bad_publisher_drops_what_it_would_have_left_out(self) -> None:
        publisher = Publisher(model="", version="1", sample_rate=1e-6)
        publisher.log(output=1.0)
        stats = publisher.stats()
        assert (stats.sampled_out, stats.dropped) == (0, {"invalid": 1})

    def test_shards_and_samples_are_independent(self) -> None:
        publisher = Publisher(model="m", version="1", shards=4, sample_rate=0.25)
        shards = set()
        with capture() as events:
            for number in range(400):
                publisher.log(output=1.0, prediction_id=f"p-{number}")
        for event in events.of(PredictionEvent):
            shards.add((murmur2(event.prediction_id.encode()) & 0x7FFFFFFF) % 4)
        assert shards == {0, 1, 2, 3} and not events.of(LabelEvent)
