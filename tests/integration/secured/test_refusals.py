"""Whatever is wrong between us and Kafka or Redis has its own sentence, and nothing goes on."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from streamgauge.access.kafka import aiokafka_security
from streamgauge.access.kafka_refusal import ask_kafka
from streamgauge.access.redis_refusal import ask_redis
from streamgauge.cli.app import app
from streamgauge.settings import KafkaSecurity, KafkaSettings, RedisSettings
from tests.integration.secured.certificates import Authority
from tests.integration.secured.kafka import SecureKafka
from tests.integration.secured.redis import SecureRedis, secure_redis
from tests.integration.secured.services import Services

pytestmark = pytest.mark.integration
WRONG = "canary-wrong-password"

Kafkas = Callable[[SecureKafka, Authority], KafkaSettings]
#: What is wrong: the settings, and what is said of the cause and of the remedy.
KAFKA: dict[str, tuple[Kafkas, str, str]] = {
    "wrong authority": (
        lambda kafka, stranger: kafka.settings("monitor", ca_file=stranger.ca),
        "signed by nobody we trust",
        "kafka.security.ca_file",
    ),
    "expired certificate": (
        lambda kafka, _: kafka.settings("monitor", "EXPIRED"),
        "certificate has expired",
        "renew it there",
    ),
    "wrong host name": (
        lambda kafka, _: kafka.settings("monitor", "ELSEWHERE"),
        "its certificate is for another host",
        "use the name that the certificate has",
    ),
    "wrong password": (
        lambda kafka, _: kafka.settings("monitor", password=SecretStr(WRONG)),
        "does not know user monitor, or not this password (SCRAM-SHA-512)",
        "password_file",
    ),
    "wrong password, SCRAM-SHA-256": (
        lambda kafka, _: kafka.settings(
            "monitor", password=SecretStr(WRONG), mechanism="SCRAM-SHA-256"
        ),
        "or not this password (SCRAM-SHA-256)",
        "password_file",
    ),
    "wrong password, PLAIN": (
        lambda kafka, _: kafka.settings("monitor", password=SecretStr(WRONG), mechanism="PLAIN"),
        "or not this password (PLAIN)",
        "password_file",
    ),
    "plaintext against TLS": (
        lambda kafka, _: KafkaSettings(bootstrap_servers=kafka.listeners["SASL"]),
        "speaks TLS at this port, and protocol is PLAINTEXT",
        "kafka.security.protocol to SSL or SASL_SSL",
    ),
    "TLS against plaintext": (
        lambda kafka, _: KafkaSettings(
            bootstrap_servers=kafka.plain, security=kafka.security("monitor")
        ),
        "does not speak TLS at this port",
        "use its TLS port in kafka.bootstrap_servers",
    ),
    "TLS without a user": (
        lambda kafka, _: KafkaSettings(
            bootstrap_servers=kafka.listeners["SASL"],
            security=KafkaSecurity(protocol="SSL", ca_file=kafka.ca),
        ),
        "hangs up on who does not say who it is",
        "SASL_SSL, with username",
    ),
    "mTLS without a certificate": (
        lambda kafka, _: KafkaSettings(
            bootstrap_servers=kafka.listeners["MTLS"],
            security=KafkaSecurity(protocol="SSL", ca_file=kafka.ca),
        ),
        "does not take our certificate, or wants one",
        "kafka.security.certificate_file and key_file",
    ),
    "mTLS with a stranger's certificate": (
        lambda kafka, stranger: _mutual(kafka, stranger),
        "does not take our certificate, or wants one",
        "kafka.security.certificate_file and key_file",
    ),
}


def _mutual(kafka: SecureKafka, authority: Authority) -> KafkaSettings:
    pair = authority.sign("monitor", password="canary-key-password")
    return KafkaSettings(
        bootstrap_servers=kafka.listeners["MTLS"],
        security=KafkaSecurity(
            protocol="SSL",
            ca_file=kafka.ca,
            certificate_file=pair.certificate,
            key_file=pair.key,
            key_password=SecretStr("canary-key-password"),
        ),
    )


def refusal_of(settings: KafkaSettings) -> str:
    return str(ask_kafka(settings.bootstrap_servers, aiokafka_security(settings.security)) or "")


@pytest.mark.parametrize("case", KAFKA)
def test_kafka_refuses_and_the_cause_and_the_remedy_are_named(
    case: str, kafka_by_tls: SecureKafka, stranger: Authority
) -> None:
    make, cause, remedy = KAFKA[case]
    said = refusal_of(make(kafka_by_tls, stranger))
    assert cause in said and remedy in said
    assert "canary" not in said
    # And nothing is left open: the warning of that is an error
    gc.collect()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_kafka_takes_whom_it_knows(mechanism: str, kafka_by_tls: SecureKafka) -> None:
    assert not refusal_of(kafka_by_tls.settings("monitor", mechanism=mechanism))


def test_a_password_sent_by_plain_is_in_no_log(
    kafka_by_tls: SecureKafka, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert not refusal_of(kafka_by_tls.settings("monitor", mechanism="PLAIN"))
    assert kafka_by_tls.passwords["monitor"] not in caplog.text


def test_kafka_takes_a_certificate_with_a_locked_key(kafka_by_tls: SecureKafka) -> None:
    assert not refusal_of(_mutual(kafka_by_tls, kafka_by_tls.authority))


Redises = Callable[[SecureRedis, Authority], RedisSettings]
REDIS: dict[str, tuple[Redises, str, str]] = {
    "wrong authority": (
        lambda redis, stranger: redis.settings("monitor", ca_file=stranger.ca),
        "signed by nobody we trust",
        "redis.security.ca_file",
    ),
    "wrong password": (
        lambda redis, _: redis.settings("monitor", password=SecretStr(WRONG)),
        "does not know user monitor, or not this password",
        "redis.security.username and password_file",
    ),
    "no user": (
        lambda redis, _: RedisSettings(url=SecretStr(f"redis://127.0.0.1:{redis.plain_port}/0")),
        "does not know user default",
        "redis.security.username and password_file",
    ),
    "plaintext against TLS": (
        lambda redis, _: RedisSettings(url=SecretStr(f"redis://127.0.0.1:{redis.port}/0")),
        "speaks TLS, and the url begins with redis://",
        "write rediss://",
    ),
    "TLS against plaintext": (
        lambda redis, _: redis.settings("monitor", url=f"rediss://127.0.0.1:{redis.plain_port}/0"),
        "does not speak TLS",
        "use its TLS port",
    ),
}


@pytest.mark.parametrize("case", REDIS)
def test_redis_refuses_and_the_cause_and_the_remedy_are_named(
    case: str, redis_by_tls: SecureRedis, stranger: Authority
) -> None:
    make, cause, remedy = REDIS[case]
    said = str(ask_redis(make(redis_by_tls, stranger)))
    assert cause in said and remedy in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("sign", "cause"),
    [
        (lambda a: a.sign("expired-redis", days=-1), "certificate has expired"),
        (lambda a: a.sign("redis-elsewhere", names="DNS:elsewhere.example"), "for another host"),
    ],
    ids=["expired", "wrong host name"],
)
def test_redis_with_a_certificate_that_does_not_hold(
    authority: Authority, tmp_path: Path, sign: Callable[[Authority], object], cause: str
) -> None:
    with secure_redis(tmp_path, authority, certificate=sign(authority)) as redis:  # type: ignore[arg-type]
        assert cause in str(ask_redis(redis.settings("monitor")))


def test_redis_that_wants_certificates_takes_those_of_its_authority(
    authority: Authority, tmp_path: Path
) -> None:
    with secure_redis(tmp_path, authority, mutual=True) as redis:
        assert "certificate_file and key_file" in str(ask_redis(redis.settings("monitor")))
        pair = authority.sign("monitor", password="canary-key-password")
        ours = redis.settings(
            "monitor",
            certificate_file=pair.certificate,
            key_file=pair.key,
            key_password=SecretStr("canary-key-password"),
        )
        assert ask_redis(ours) is None


@pytest.mark.parametrize(
    ("section", "finding"),
    [("KAFKA", "kafka"), ("REDIS", "redis")],
)
def test_the_doctor_says_it_too(
    section: str,
    finding: str,
    kafka_by_tls: SecureKafka,
    redis_by_tls: SecureRedis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = Services(kafka_by_tls, redis_by_tls, tmp_path)
    wrong = tmp_path / "wrong"
    wrong.write_text(WRONG)
    for name, value in services.environment("operator").items():
        if name.startswith("STREAMGAUGE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv(f"STREAMGAUGE_{section}__SECURITY__PASSWORD_FILE", str(wrong))
    result = CliRunner().invoke(app, ["doctor", "-o", "json", "--check", finding])
    assert result.exit_code == 3
    (each,) = json.loads(result.stdout)
    assert "does not know user operator, or not this password" in each["finding"]
    assert "password_file" in each["remedy"]
    assert "canary" not in result.output
    # And nothing is left open: the warning of that is an error
    gc.collect()
