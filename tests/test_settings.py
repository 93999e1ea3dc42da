from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from streamgauge.settings import Settings, SettingsError, load_settings

CANARY = "canary-5f2c"


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without files and an environment without ours."""
    for name in list(os.environ):
        if name.upper().startswith("STREAMGAUGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert settings.redis.url.get_secret_value() == "redis://localhost:6379/0"
    assert settings.monitoring.pane_seconds == 10
    assert settings.monitoring.min_events == 500
    assert settings.exporter.host == "127.0.0.1"


def test_each_place_beats_the_next(empty_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the same key in all four places, and a key of its own in each
    (empty_place / "streamgauge.yaml").write_text(
        "kafka: {topic_prefix: file, bootstrap_servers: file:1}\nexporter: {port: 1}\n"
        "monitoring: {min_events: 7}\n"
    )
    (empty_place / ".env").write_text(
        "STREAMGAUGE_KAFKA__TOPIC_PREFIX=dotenv\nSTREAMGAUGE_EXPORTER__PORT=2\n"
        "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS=dotenv:1\nOTHERS=1\n"
    )
    monkeypatch.setenv("STREAMGAUGE_KAFKA__TOPIC_PREFIX", "environment")
    monkeypatch.setenv("STREAMGAUGE_EXPORTER__PORT", "3")

    # When they are read, Then the strongest wins, key by key
    settings = load_settings(exporter__port=4, monitor__port=None)
    assert settings.exporter.port == 4
    assert settings.kafka.topic_prefix == "environment"
    assert settings.kafka.bootstrap_servers == "dotenv:1"
    assert settings.monitoring.min_events == 7
    assert settings.monitor.port == Settings().monitor.port


def test_overrides_are_sections_or_single_values() -> None:
    settings = load_settings(kafka={"topic_prefix": "lab"}, kafka__bootstrap_servers="b:1")
    assert settings.kafka.topic_prefix == "lab"
    assert settings.kafka.bootstrap_servers == "b:1"


def test_the_file_is_the_named_one_then_the_variables(
    empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("argument", "variable", "streamgauge"):
        (empty_place / f"{name}.yaml").write_text(f"kafka: {{topic_prefix: {name}}}\n")
    assert load_settings().kafka.topic_prefix == "streamgauge"
    monkeypatch.setenv("STREAMGAUGE_CONFIG", "variable.yaml")
    assert load_settings().kafka.topic_prefix == "variable"
    assert load_settings(config="argument.yaml").kafka.topic_prefix == "argument"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().kafka.topic_prefix = "other"  # type: ignore[misc]


@pytest.mark.parametrize("place", ["environment", "file", "override"])
def test_a_secret_may_stand_in_a_file_of_its_own(
    place: str, empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a weaker place that names the secret itself
    secret = empty_place / "secret"
    secret.write_text(f"redis://:{CANARY}@host:1/0\n")
    (empty_place / ".env").write_text("")
    overrides: dict[str, Any] = {}
    if place == "environment":
        (empty_place / "streamgauge.yaml").write_text("redis: {url: 'redis://weaker'}")
        monkeypatch.setenv("STREAMGAUGE_REDIS__URL_FILE", str(secret))
    elif place == "file":
        (empty_place / "streamgauge.yaml").write_text(f"redis: {{url_file: {secret}}}")
    else:
        monkeypatch.setenv("STREAMGAUGE_REDIS__URL", "redis://weaker")
        overrides = {"redis__url_file": secret}

    # When it is read, Then the file's content wins and prints as asterisks
    settings = load_settings(**overrides)
    assert settings.redis.url.get_secret_value() == f"redis://:{CANARY}@host:1/0"
    for printed in (repr(settings), str(settings), settings.model_dump_json()):
        assert CANARY not in printed
        assert "***" in printed


def test_the_state_key_is_a_secret_too(empty_place: Path) -> None:
    (empty_place / "key").write_text(CANARY)
    key = load_settings(state__key_file=empty_place / "key").state.key
    assert key is not None
    assert key.get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVER",
            "b:1",
            "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVER in the environment: is no setting; "
            "did you mean 'bootstrap_servers'?",
        ),
        (
            "STREAMGAUGE_KAFAK__TOPIC_PREFIX",
            "x",
            "STREAMGAUGE_KAFAK in the environment: is no setting; did you mean 'kafka'?",
        ),
        (
            "STREAMGAUGE_EXPORTER__PORT",
            "ninety",
            "STREAMGAUGE_EXPORTER__PORT in the environment: input should be a valid integer",
        ),
        ("STREAMGAUGE_EXPORTER__PORT", "65536", "less than or equal to 65535"),
        ("STREAMGAUGE_REDIS__URL_FILE", "/nowhere", "/nowhere can't be read: No such file"),
        ("STREAMGAUGE_CONFIG", "nowhere.yaml", "nowhere.yaml: can't be read"),
        ("STREAMGAUGE_MONITORING__PANE_SECONDS", "nan", "PANE_SECONDS in the environment"),
        ("STREAMGAUGE_KAFKA", "b:1", "give its keys one by one"),
        ("STREAMGAUGE_KAFKA__TOPIC_PREFIX", "Bad_Prefix", "should match pattern"),
    ],
)
def test_a_mistake_in_the_environment_is_explained(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka: {topic_prefx: a}", "kafka.topic_prefx in streamgauge.yaml: is no setting; did"),
        ("kafka: [", "streamgauge.yaml:1:9: is not YAML"),
        ("- kafka", "streamgauge.yaml: holds no sections"),
        ("kafka: 3", "kafka in streamgauge.yaml: input should be"),
        ("redis: {url: a, url_file: b}", "redis.url_file in streamgauge.yaml: stands beside url"),
        (
            "monitoring: {pane_seconds: 90}",
            "monitoring in streamgauge.yaml: pane_seconds is above",
        ),
        ("checkpoint: {min_seconds: 9}", "min_seconds is above max_seconds"),
    ],
)
def test_a_mistake_in_the_file_is_explained(text: str, said: str, empty_place: Path) -> None:
    (empty_place / "streamgauge.yaml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)


def test_an_empty_file_or_section_changes_nothing(empty_place: Path) -> None:
    (empty_place / "streamgauge.yaml").write_text("kafka:\n")
    assert load_settings() == Settings()
    (empty_place / "streamgauge.yaml").write_text("# nothing yet\n")
    assert load_settings() == Settings()


def test_no_error_repeats_a_secret(empty_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_REDIS__URL", f"redis://:{CANARY}@h")
    monkeypatch.setenv("STREAMGAUGE_STATE__KEYS", CANARY)
    monkeypatch.setenv("STREAMGAUGE_EXPORTER__PORT", CANARY)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "STREAMGAUGE_STATE__KEYS" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_one_underscore_is_warned_of_but_kubernetes_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STREAMGAUGE_REDIS_URL", "redis://h")
    monkeypatch.setenv("STREAMGAUGE_EXPORTER_PORT", "tcp://10.0.0.1:9808")
    monkeypatch.setenv("STREAMGAUGE_STRICT", "1")
    with caplog.at_level(logging.WARNING):
        assert load_settings() == Settings()
    assert [r.getMessage() for r in caplog.records] == [
        "STREAMGAUGE_REDIS_URL is not read: between section and key stand two underscores"
    ]
