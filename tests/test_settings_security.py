"""Security in the settings: what is meant, and what contradicts itself, said without a secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from streamgauge.access.kafka import aiokafka_security, librdkafka_security
from streamgauge.access.redis import redis_security
from streamgauge.settings import SettingsError, load_settings
from streamgauge_client.security import with_security

CANARY = "canary-91ab"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without ours, and a directory with a secret and what is no certificate."""
    for name in list(os.environ):
        if name.upper().startswith("STREAMGAUGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    (tmp_path / "text.pem").write_text("no certificate\n")
    return tmp_path


def told(monkeypatch: pytest.MonkeyPatch, section: str, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"STREAMGAUGE_{section}__{name.upper()}", value)


def test_a_user_by_file_reaches_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given Kafka and Redis with a user whose password stands in a file
    user = {"security__username": "ann", "security__password_file": "secret"}
    told(monkeypatch, "KAFKA", {"security__protocol": "sasl_ssl", **user})
    told(monkeypatch, "REDIS", {"url": "rediss://db:6380/0", **user})
    # When the options of each library are made
    settings = load_settings()
    of_aiokafka = aiokafka_security(settings.kafka.security)
    of_librdkafka = librdkafka_security(settings.kafka.security)
    of_redis = redis_security(settings.redis)
    # Then each has the user, and checks names and certificates
    assert of_aiokafka["sasl_plain_password"] == CANARY
    assert of_aiokafka["sasl_mechanism"] == "SCRAM-SHA-512"
    assert of_aiokafka["ssl_context"].check_hostname
    assert of_librdkafka["sasl.password"] == CANARY
    assert of_librdkafka["ssl.endpoint.identification.algorithm"] == "https"
    assert (of_redis["username"], of_redis["password"]) == ("ann", CANARY)
    assert of_redis["ssl_check_hostname"] and of_redis["ssl_cert_reqs"] == "required"
    # And the client says the same of the same environment
    assert with_security({}) == of_librdkafka
    # And nothing prints the password
    assert CANARY not in repr(settings) and CANARY not in settings.model_dump_json()


def test_without_a_word_nothing_is_added() -> None:
    settings = load_settings()
    assert aiokafka_security(settings.kafka.security) == {}
    assert librdkafka_security(settings.kafka.security) == {}
    assert redis_security(settings.redis) == {}
    assert with_security({}) == {}


def test_what_a_caller_says_is_not_mixed_with_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(
        monkeypatch,
        "KAFKA__SECURITY",
        {"protocol": "SASL_SSL", "username": "ann", "password_file": "secret"},
    )
    assert with_security({"security.protocol": "PLAINTEXT"}) == {"security.protocol": "PLAINTEXT"}
    assert with_security({"linger.ms": 5})["sasl.username"] == "ann"


MISTAKES: list[tuple[str, dict[str, str], str]] = [
    ("KAFKA", {"security__ca_file": "nowhere.pem"}, "nowhere.pem can't be read: No such file"),
    (
        "KAFKA",
        {"security__protocol": "SSL", "security__ca_file": "text.pem"},
        "text.pem holds no certificate",
    ),
    ("KAFKA", {"security__ca_file": "text.pem"}, "ca_file: given, but protocol is PLAINTEXT"),
    ("KAFKA", {"security__username": "ann"}, "username: given, but protocol is PLAINTEXT"),
    ("KAFKA", {"security__protocol": "SASL_SSL"}, "username, password: missing"),
    (
        "KAFKA",
        {
            "security__protocol": "SASL_PLAINTEXT",
            "security__username": "ann",
            "security__password_file": "secret",
            "bootstrap_servers": "localhost:9092,127.evil.example:9092",
        },
        "in the clear to 127.evil.example:9092",
    ),
    (
        "KAFKA",
        {"security__protocol": "SSL", "security__certificate_file": "text.pem"},
        "certificate_file stands without key_file",
    ),
    (
        "KAFKA",
        {"security__protocol": "SSL", "security__key_file": "text.pem"},
        "key_file stands without certificate_file",
    ),
    ("KAFKA", {"security__password_file": "nowhere"}, "nowhere can't be read"),
    ("KAFKA", {"security__usrname": "ann"}, "did you mean 'username'?"),
    ("KAFKA", {"security__protocol": "TLS"}, "'PLAINTEXT', 'SSL', 'SASL_SSL'"),
    ("REDIS", {"security__ca_file": "text.pem"}, "text.pem holds no certificate"),
    ("REDIS", {"security__username": "ann"}, "username: stands without a password"),
    (
        "REDIS",
        {"url": f"redis://ann:{CANARY}@db/0", "security__password_file": "secret"},
        "the url has a user too",
    ),
    (
        "REDIS",
        {"url": "rediss://db/0?ssl_cert_reqs=none"},
        "ssl_cert_reqs=none would take anybody for Redis",
    ),
    ("REDIS", {"url": f"redis://:{CANARY}/x@db:6379/0"}, "in a password / is written %2F"),
]


@pytest.mark.parametrize(("section", "values", "said"), MISTAKES)
def test_a_mistake_says_where_it_stands_and_what_was_expected(
    section: str, values: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, section, values)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)
    assert f"STREAMGAUGE_{section}" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"protocol": "TLS"},
        {"protocol": "SASL_SSL", "username": "ann"},
        {"protocol": "SSL", "ca_file": "nowhere.pem"},
        {"username": "ann", "password_file": "secret"},
        {"protocol": "SASL_SSL", "mechanism": "GSSAPI"},
    ],
)
def test_a_client_refuses_what_it_cannot_use(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, "KAFKA__SECURITY", values)
    with pytest.raises(ValueError, match="STREAMGAUGE_KAFKA__SECURITY__") as caught:
        with_security({})
    assert CANARY not in str(caught.value)
