"""A Redis without room: the learner waits and says so, the old champion serves, nothing is lost."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.registry.registry import ModelRegistry
from streamgauge.serving import ServedModel
from tests.integration.conftest import Kafka
from tests.integration.first_light import wait
from tests.integration.learning_log import KEY, MODEL, Learner, publish, single_pass, story
from tests.missing import missing

pytestmark = pytest.mark.integration


@pytest.fixture
def own_redis() -> Iterator[str]:
    """One of its own: others must not be refused meanwhile."""
    if real_server() is None:
        missing("no redis-server on PATH")
    with EmbeddedRedis("real") as server:
        yield server.url


def asked(port: int, path: str) -> tuple[int, str]:
    """Status and text; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_it_waits_for_room_and_has_learned_each_example_once(
    embedded_kafka: Kafka, own_redis: str, prefix: str
) -> None:
    # Given a learner in the middle of its log, that has promoted and registered
    embedded_kafka.create_topics(prefix)
    port = free_port()
    more = {"STREAMGAUGE_LEARNER__PORT": str(port)}
    learner = Learner(embedded_kafka, own_redis, prefix, more=more)
    registry = ModelRegistry(learner.redis, key=KEY.encode())
    try:
        # (all at once: at the end of a log the clock settles what waits, as no single pass does)
        sent = publish(embedded_kafka, prefix, story(8_000, begin=time.time() - 60))
        process = learner.start()
        wait(lambda: registry.champion(MODEL) is not None, 30, "nobody was promoted")
        before = len(registry.records(MODEL))

        # When Redis has no room
        learner.redis.config_set("maxmemory", "1")

        # Then it is not ready, and says why; its metrics count what was refused
        wait(lambda: "raise its maxmemory" in asked(port, "/readyz")[1], 30, "it is ready")
        assert asked(port, "/readyz")[0] == 503
        refused = re.compile(r'streamgauge_checkpoints_total\{result="unavailable"\} [1-9]')
        wait(lambda: bool(refused.search(asked(port, "/metrics")[1])), 30, "nothing was counted")
        assert process.poll() is None and learner.taken() < sent
        # and the old champion answers, also in a service that starts only now
        with ServedModel(MODEL, redis=own_redis, key=KEY.encode()) as served:
            answer = served.ask(dict.fromkeys("abcd", 0.5))
        assert answer.version == served.version is not None

        # When there is room again
        learner.redis.config_set("maxmemory", "0")

        # Then all is learned, once: its models are those of a pass without a fault
        wait(lambda: learner.taken() == sent, 60, "it did not go on")
        wait(lambda: asked(port, "/readyz")[0] == 200, 30, "it is not ready")
        expected, _, _ = single_pass(embedded_kafka, prefix)
        models = {name for name in expected if ".m" in name}
        wait(lambda: all(learner.blobs().get(n) == expected[n] for n in models), 60, "others")
        assert len(models) == 2 and len(registry.records(MODEL)) >= before
    finally:
        learner.stop()
