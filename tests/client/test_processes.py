"""The publisher over the life of processes: forks, and ends of every kind."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from streamgauge_client.producing import KafkaOutlet

ReadTopic = Callable[[str, int], list[Any]]

_HEAD = """
import json, os, sys, time
from streamgauge_client import Publisher
publisher = Publisher({servers!r}, model="m", version="1", topic_prefix={prefix!r})
"""

AT_EXIT = """
for number in range(50):
    publisher.log(output=1.0, prediction_id=f"exit-{number}")
"""

IDLE = ""

FORK = """
for number in range(20):
    publisher.log(output=1.0, prediction_id=f"parent-{number}")
child = os.fork()
if child == 0:
    before = publisher.stats()
    for number in range(30):
        publisher.log(output=1.0, prediction_id=f"child-{number}")
    left = publisher.flush(10)
    after = publisher.stats()
    print(json.dumps([before.sent, before.queued, left, after.sent, after.delivered]), flush=True)
    # An ordinary end: the interpreter clears its modules, and must not destroy what it inherited.
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert publisher.flush(10) == 0
print(json.dumps(publisher.stats().delivered), flush=True)
"""

MULTIPROCESSING = """
import multiprocessing
def work(number):
    publisher.log(output=1.0, prediction_id=f"worker-{number}")
publisher.log(output=1.0, prediction_id="parent")
workers = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join(20)
assert [worker.exitcode for worker in workers] == [0, 0, 0]
"""


def run(body: str, servers: str, prefix: str) -> tuple[list[Any], float]:
    """What the process printed, and the seconds it took."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _HEAD.format(servers=servers, prefix=prefix) + body],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], time.monotonic() - started


def ids(messages: list[Any]) -> set[str]:
    return {json.loads(message.value())["prediction_id"] for message in messages}


def test_what_is_queued_at_the_end_of_a_process_is_drained(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    run(AT_EXIT, broker, unused_prefix)
    messages = read_topic(f"{unused_prefix}.predictions", 50)
    assert ids(messages) == {f"exit-{number}" for number in range(50)}


def test_without_a_broker_a_process_still_ends_soon() -> None:
    _, elapsed = run(AT_EXIT, "127.0.0.1:1", "unused")
    assert elapsed < 6.0


def test_a_publisher_that_was_never_used_costs_nothing() -> None:
    run(IDLE, "127.0.0.1:1", "unused")


@pytest.mark.skipif(not hasattr(sys, "getdlopenflags"), reason="needs fork")
def test_a_forked_child_has_a_producer_and_counters_of_its_own(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    # Given a parent that has published, when it forks
    (in_child, in_parent), _ = run(FORK, broker, unused_prefix)
    # Then the child began at nothing, and delivered its own
    assert in_child == [0, 0, 0, 30, 30]
    # And the parent delivered its own, each event once
    assert in_parent == 20
    messages = read_topic(f"{unused_prefix}.predictions", 50)
    assert len(messages) == 50
    assert ids(messages) == {f"parent-{n}" for n in range(20)} | {f"child-{n}" for n in range(30)}


def test_children_of_multiprocessing_drain_too(
    broker: str, unused_prefix: str, read_topic: ReadTopic
) -> None:
    run(MULTIPROCESSING, broker, unused_prefix)
    messages = read_topic(f"{unused_prefix}.predictions", 4)
    assert ids(messages) == {"parent", "worker-0", "worker-1", "worker-2"}


def test_an_inherited_producer_is_never_destroyed() -> None:
    # Given the handle that a fork left behind. (That the dead poll thread's frame refers to it
    # too is an accident of CPython; destroying it would wait for ever.)
    class Handle:
        destroyed = False

        def __del__(self) -> None:
            Handle.destroyed = True

    outlet = KafkaOutlet.__new__(KafkaOutlet)
    outlet._producer = Handle()
    # When it is let go of
    outlet.abandon()
    del outlet
    gc.collect()
    # Then it stays
    assert not Handle.destroyed
