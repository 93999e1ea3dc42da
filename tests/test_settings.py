from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from streamgauge.settings import Settings, SettingsError, SinkSettings, load_settings

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


SINKS = """
notifier:
  sinks:
    - name: pager
      type: webhook
      url: https://hooks.example.com/canary-5f2c
      severity: warning
      models: [fraud, "credit-*"]
    - {name: book, type: log}
"""


def test_sinks_are_a_list_in_the_file_and_are_known_by_name(empty_place: Path) -> None:
    (empty_place / "streamgauge.yaml").write_text(SINKS)
    sinks = load_settings().notifier.sinks
    assert list(sinks) == ["pager", "book"]
    assert sinks["pager"].models == ("fraud", "credit-*")
    assert sinks["book"] == SinkSettings(type="log")
    assert CANARY not in repr(sinks), "the path of a webhook's URL is a secret"


@pytest.mark.parametrize(
    "variables",
    [
        {
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__TYPE": "webhook",
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__URL": "https://h/x",
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__MODELS": "fraud, credit-*",
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__ALLOW_PRIVATE": "true",
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__SECRET_FILE": "secret",
        },
        {
            "STREAMGAUGE_NOTIFIER__SINKS": '[{"name": "pager", "type": "webhook", "url":'
            ' "https://h/x", "models": ["fraud", "credit-*"], "allow_private": true,'
            ' "secret_file": "secret"}]'
        },
        {
            "STREAMGAUGE_NOTIFIER__SINKS": '{"pager": {"type": "webhook", "url": "https://h/x",'
            ' "models": "fraud,credit-*", "allow_private": true, "secret": "canary-5f2c"}}'
        },
    ],
    ids=["key by key", "a list", "by name"],
)
def test_sinks_may_stand_in_the_environment(
    variables: dict[str, str], empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_place / "secret").write_text(f"{CANARY}\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load_settings().notifier.sinks == {
        "pager": SinkSettings(
            type="webhook",
            url=SecretStr("https://h/x"),
            models=("fraud", "credit-*"),
            allow_private=True,
            secret=SecretStr(CANARY),
        )
    }


def test_the_environment_adds_a_secret_to_a_sink_of_the_file(
    empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_place / "streamgauge.yaml").write_text(SINKS)
    monkeypatch.setenv("STREAMGAUGE_NOTIFIER__SINKS__PAGER__SECRET", CANARY)
    sinks = load_settings().notifier.sinks
    assert list(sinks) == ["pager", "book"]
    secret, url = sinks["pager"].secret, sinks["pager"].url
    assert secret is not None and secret.get_secret_value() == CANARY
    assert url is not None and url.get_secret_value().startswith("https://hooks.example.com")


def test_hosts_are_words_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_NOTIFIER__ALLOWED_HOSTS", "a.example, *.b.example")
    assert load_settings().notifier.allowed_hosts == ("a.example", "*.b.example")


@pytest.mark.parametrize(
    ("sinks", "said"),
    [
        ("[{name: a, type: log, seccret: x}]", "notifier.sinks.a.seccret in streamgauge.yaml: is "),
        ("[{name: a, type: log, seccret: x}]", "did you mean 'secret'?"),
        ("[{name: a}]", "notifier.sinks.a.type in streamgauge.yaml: field required"),
        ("[{type: log}]", "notifier.sinks in streamgauge.yaml: entry 1 has no name"),
        ("[{name: a, type: log}, {name: a, type: log}]", "two entries are called 'a'; rename one"),
        ("[log]", "entry 1 has no keys"),
        ("3", "notifier.sinks in streamgauge.yaml: give a list of entries"),
        ("[{name: 'a b', type: log}]", "'a b' is no name of a sink; give small letters"),
        ("[{name: 'a:b', type: log}]", "is no name of a sink"),
        ("[{name: a, type: log, severity: loud}]", "notifier.sinks.a.severity in streamgauge.yaml"),
        ("[{name: a, type: log, url_file: /nowhere}]", "notifier.sinks.a.url_file in streamgauge"),
        ("{a: 3}", "notifier.sinks.a in streamgauge.yaml: input should be"),
    ],
)
def test_a_mistake_in_a_sink_is_explained(sinks: str, said: str, empty_place: Path) -> None:
    (empty_place / "streamgauge.yaml").write_text(f"notifier: {{sinks: {sinks}}}")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__URLL",
            CANARY,
            "STREAMGAUGE_NOTIFIER__SINKS__PAGER__URLL in the environment: is no setting; did you "
            "mean 'url'?",
        ),
        ("STREAMGAUGE_NOTIFIER__SINKS", f'[{{"{CANARY}', "SINKS in the environment: is not JSON"),
        ("STREAMGAUGE_NOTIFIER__SINKS", f'"{CANARY}"', "give a list of entries"),
    ],
)
def test_a_mistake_in_a_sink_of_the_environment_is_explained(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value) and CANARY not in str(caught.value)
