"""A service that Kafka or Redis refuses ends by itself, and its last line says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.first_light import wait
from tests.integration.secured.kafka import SecureKafka
from tests.integration.secured.redis import SecureRedis
from tests.integration.secured.services import Services

pytestmark = pytest.mark.integration

_UNKNOWN = "does not know user {user}, or not this password"
#: By case: the service, whose rights or password it has instead of its own, and what it says.
CASES: dict[str, tuple[str, dict[str, str], tuple[str, str]]] = {
    "monitor with a wrong password": (
        "monitor",
        {"KAFKA__SECURITY__PASSWORD_FILE": "kafka-nobody.secret"},
        (_UNKNOWN.format(user="monitor"), "kafka.security.username and password_file"),
    ),
    "ingest with a wrong password": (
        "ingest",
        {"KAFKA__SECURITY__PASSWORD_FILE": "kafka-nobody.secret"},
        (_UNKNOWN.format(user="ingest"), "kafka.security.username and password_file"),
    ),
    "exporter with a wrong password": (
        "exporter",
        {"REDIS__SECURITY__PASSWORD_FILE": "kafka-nobody.secret"},
        (_UNKNOWN.format(user="exporter"), "redis.security.username and password_file"),
    ),
    "monitor with the rights of ingest": (
        "monitor",
        {
            "KAFKA__SECURITY__USERNAME": "ingest",
            "KAFKA__SECURITY__PASSWORD_FILE": "kafka-ingest.secret",
        },
        ("we have no right to", "deploy/security/kafka-acls"),
    ),
    "monitor without the right to its group": (
        "monitor",
        {"MONITOR__GROUP": "somebody-elses"},
        (
            "we have no right to join the consumer group somebody-elses",
            "deploy/security/kafka-acls",
        ),
    ),
    "monitor without a right in Redis": (
        "monitor",
        {
            "REDIS__SECURITY__USERNAME": "notifier",
            "REDIS__SECURITY__PASSWORD_FILE": "redis-notifier.secret",
        },
        ("user notifier lacks a right", "deploy/security/users.acl"),
    ),
}


@pytest.fixture(scope="module")
def said(
    kafka_by_tls: SecureKafka, redis_by_tls: SecureRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[int, str]]]:
    """By case: exit code and output. All of them run at once, for the time it takes."""
    made = {}
    for case, (service, changes, _) in CASES.items():
        directory = tmp_path_factory.mktemp("refused")
        services = Services(kafka_by_tls, redis_by_tls, directory)
        for user in ("nobody", "notifier", "ingest"):
            services.environment(user)
        told = {
            name: str(directory / value) if value.endswith(".secret") else value
            for name, value in changes.items()
        }
        made[case] = (services, services.start(service, **told))
    try:
        for case, (services, process) in made.items():
            service = CASES[case][0]
            wait(lambda p=process: p.poll() is not None, 60, f"{case}: {services.said(service)}")  # type: ignore[misc]
        yield {
            case: (process.returncode, services.said(CASES[case][0]))
            for case, (services, process) in made.items()
        }
    finally:
        for services, _ in made.values():
            services.stop()


@pytest.mark.parametrize("case", CASES)
def test_it_ends_and_names_cause_and_remedy(case: str, said: dict[str, tuple[int, str]]) -> None:
    code, output = said[case]
    assert code == 1
    assert "Traceback" not in output and "canary" not in output
    last = output.splitlines()[-1]
    for part in CASES[case][2]:
        assert part in last
