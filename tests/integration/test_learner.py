"""The learner's process on Kafka and Redis: each example is learned once, come what may."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.integration.conftest import REAL, Kafka
from tests.integration.first_light import wait
from tests.integration.learning_log import Learner, publish, single_pass, story

#: How often it is killed: `LEARNER_KILLS=100` takes six minutes.
KILLS = int(os.environ.get("LEARNER_KILLS", "10"))


@pytest.fixture(params=["embedded", pytest.param("real", marks=REAL)])
def place(request: pytest.FixtureRequest) -> tuple[Kafka, str]:
    """A broker and the address of a Redis: both embedded, or both real."""
    kind, store = request.param, "fake" if request.param == "embedded" else "real"
    return request.getfixturevalue(f"{kind}_kafka"), request.getfixturevalue(f"{store}_redis")


@pytest.fixture
def learner(place: tuple[Kafka, str], prefix: str) -> Iterator[Learner]:
    kafka, url = place
    kafka.create_topics(prefix)
    made = Learner(kafka, url, prefix)
    yield made
    made.stop()


def learned_alone(learner: Learner, kafka: Kafka) -> None:
    """The checkpoint holds what one pass over the log holds, byte for byte."""
    expected, made, _ = single_pass(kafka, learner.prefix)
    pipelines = {name for name in expected if name.partition(".")[2][:1] in ("m", "t")}
    assert len(pipelines) == 3
    assert made.dirty().gauges == {"models": 1.0}

    def the_same() -> bool:
        # (the last rows settle by the clock, after the last record)
        found = learner.blobs()
        return found.keys() == expected.keys() and all(
            found[name] == expected[name] for name in pipelines
        )

    try:
        wait(the_same, 60, "the models differ from those of a single pass")
    except AssertionError:
        found = learner.blobs()
        names = found.keys() | expected.keys()
        print("DIFFERENT", sorted(n[32:] for n in names if found.get(n) != expected.get(n)))
        print("ONE-SIDED", sorted(n[32:] for n in found.keys() ^ expected.keys()))
        raise


def test_the_process_learns_what_one_pass_over_the_log_learns(
    learner: Learner, place: tuple[Kafka, str]
) -> None:
    # Given predictions, late labels, an alarm on the inputs, another model and rubbish
    kafka, _ = place
    messages = story(3_000, begin=time.time() - 60)
    sent = publish(kafka, learner.prefix, messages)
    # When the learner reads them
    process = learner.start()
    wait(lambda: learner.taken() == sent, 60, "the log was not read")
    # Then its models are, byte for byte, those of a pass without it
    learned_alone(learner, kafka)
    # And every record is counted: the other model's, and what is no event, as skipped
    counts: dict[str, int] = {}
    for view in learner.partition_views():
        assert view["lost"] == view["holes"] == 0 and not view["dead"]
        for name, n in view["counts"].items():
            counts[name] = counts.get(name, 0) + n
    others = sum(b"another" in (value or b"") for _, _, value in messages)
    rubbish = sum(value in (None, b"{", b"[]") for _, _, value in messages)
    # (among them what it said itself of its candidates)
    assert sum(counts.values()) - counts.get("model/ok", 0) == sent
    assert counts["prediction/ok"] == 3_000 and counts["prediction/skipped"] == others
    assert counts["other/skipped"] == rubbish and counts["alarm/ok"] == 2
    # And a stop is a stop
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=15) == 0


@pytest.mark.integration
def test_kill_9_at_any_moment_changes_nothing_of_what_is_learned(
    real_kafka: Kafka, real_redis: str, prefix: str
) -> None:
    # Given a log that takes some seconds to learn
    real_kafka.create_topics(prefix)
    learner = Learner(real_kafka, real_redis, prefix)
    rng = random.Random(17)
    try:
        rows = 500 * (10 + KILLS)
        sent = publish(real_kafka, prefix, story(rows, begin=time.time() - rows / 500 - 30))
        # When it is killed at random moments, every second time while it learns
        for number in range(KILLS):
            process, before = learner.start(), learner.taken()
            if number % 2:
                wait(lambda b=before: learner.taken() > b, 30, "no progress")  # type: ignore[misc]
                time.sleep(rng.uniform(0.0, 0.1))
            else:
                time.sleep(rng.uniform(0.5, 2.0))
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert learner.taken() < sent, "too little was left to learn for the last ones"
        learner.start()
        wait(lambda: learner.taken() == sent, 120 + KILLS, "the log was not read")
        # Then its models are, byte for byte, those of an undisturbed pass
        learned_alone(learner, real_kafka)
        views = learner.partition_views()
        assert all(view["lost"] == view["holes"] == 0 for view in views)
        counts = [n for v in views for name, n in v["counts"].items() if name != "model/ok"]
        assert sum(counts) == sent
    finally:
        learner.stop()


def test_without_a_key_it_says_what_to_set(
    embedded_kafka: Kafka, fake_redis: str, prefix: str
) -> None:
    learner = Learner(embedded_kafka, fake_redis, prefix, more={"STREAMGAUGE_STATE__KEY": ""})
    process = learner.start()
    try:
        _, said = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        learner.stop()
        raise
    learner.stop()
    assert process.returncode == 1
    assert said.startswith("learner: set STREAMGAUGE_STATE__KEY (any long secret")
    assert "openssl rand -hex 32" in said and "STREAMGAUGE_STATE__KEY_FILE" in said
