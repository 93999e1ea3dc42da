"""One authority, one Kafka and one Redis for all tests of transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.stack.topics import prepare
from tests.integration.secured.certificates import Authority
from tests.integration.secured.kafka import SecureKafka, secure_kafka
from tests.integration.secured.redis import SecureRedis, secure_redis


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def authority(certificates: Path) -> Authority:
    return Authority(certificates)


@pytest.fixture(scope="session")
def stranger(certificates: Path) -> Authority:
    """An authority that nobody trusts."""
    return Authority(certificates, "stranger")


@pytest.fixture(scope="session")
def kafka_by_tls(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureKafka]:
    with secure_kafka(tmp_path_factory.mktemp("secure-kafka"), authority) as kafka:
        # By the one who may, and in the way that a person does it.
        prepare(kafka.settings("deploy"))
        yield kafka


@pytest.fixture(scope="session")
def redis_by_tls(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecureRedis]:
    with secure_redis(tmp_path_factory.mktemp("secure-redis"), authority) as redis:
        yield redis
