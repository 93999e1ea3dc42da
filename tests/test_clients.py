"""No client of Kafka or Redis is made past the security of the settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("src/streamgauge", "services", "schemas/src/streamgauge_client")
#: Library clients of Kafka, and our own parts that make one and would do without security. A call
#: must unpack or pass on what says who we are.
KAFKA = {"AIOKafkaConsumer", "AIOKafkaProducer", "Consumer", "Producer", "AdminClient"}
OURS = {
    *("KafkaPublisher", "LogProbe", "KafkaSnapshotLog", "AlarmLog", "Appender", "RedisStore"),
    *("WorkerConfig", "kafka_topics", "create_topics", "Publisher", "alarms"),
}
#: Keywords by which it is passed, names of what holds it, and words in what is unpacked.
KEYWORDS, NAMES = {"security", "kafka", "options"}, {"options"}
UNPACKED = ("security", "kafka_address", "options")
#: Clients of Redis are made there alone.
REDIS = {
    "src/streamgauge/access/redis.py",
    # Takes the keywords that ``access`` makes.
    "src/streamgauge/state/redis.py",
    # A service's owner gives it a client, or a URL of its own.
    "src/streamgauge/serving/served_model.py",
}
#: What needs none: by file and name, with the reason.
FREE = {
    ("services/stack/broker.py", "Producer"): "is the embedded broker itself",
    ("src/streamgauge/ingest/appender.py", "Producer"): "is given what __init__ put together",
    ("schemas/src/streamgauge_client/alarm_handlers.py", "alarms"): "passes kafka on",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """File, name of what is called, and the call."""
    for part in CODE:
        for path in sorted((ROOT / part).rglob("*.py")):
            text = path.read_text()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    name = ast.unparse(node.func)
                    yield str(path.relative_to(ROOT)), name, node


def is_secured(call: ast.Call) -> bool:
    """Whether what says who we are is unpacked in it, or passed to it."""
    unpacked = [each.value for each in call.keywords if each.arg is None]
    for given in call.args:
        if isinstance(given, ast.Name) and given.id in NAMES:
            return True
        if isinstance(given, ast.Dict):
            pairs = zip(given.keys, given.values, strict=True)
            unpacked += [value for key, value in pairs if key is None]
    if any(each.arg in KEYWORDS for each in call.keywords):
        return True
    return any(word in ast.unparse(each) for each in unpacked for word in UNPACKED)


def past_security() -> list[str]:
    return [
        f"{path}:{call.lineno}: {name}"
        for path, name, call in calls()
        if name in KAFKA | OURS and (path, name) not in FREE and not is_secured(call)
    ]


def test_every_client_of_kafka_is_told_who_we_are() -> None:
    assert past_security() == []


def test_clients_of_redis_are_made_in_one_place() -> None:
    makers = {
        path
        for path, name, _ in calls()
        if name.endswith(("Redis.from_url", "ConnectionPool"))
        or name in ("Redis", "aioredis.Redis")
    }
    assert makers == REDIS


def test_the_search_finds_all_that_there_are() -> None:
    found = {(path, name) for path, name, _ in calls() if name in KAFKA | OURS}
    assert len(found) > 20
    assert set(FREE) <= found, "what is exempt must exist"


@pytest.mark.parametrize(
    ("source", "secured"),
    [
        ('Consumer({"bootstrap.servers": servers, "group.id": "g"})', False),
        ('Consumer({"bootstrap.servers": servers, **security})', True),
        ("Consumer({**kafka_address(settings)})", True),
        ("AIOKafkaProducer(bootstrap_servers=servers, acks='all')", False),
        ("AIOKafkaProducer(bootstrap_servers=servers, **self._security)", True),
        ("KafkaPublisher(settings.kafka.bootstrap_servers, 'out')", False),
        ("KafkaPublisher(settings.kafka.bootstrap_servers, 'out', security=it)", True),
    ],
)
def test_a_client_that_forgets_it_is_found(source: str, secured: bool) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert is_secured(call) is secured
