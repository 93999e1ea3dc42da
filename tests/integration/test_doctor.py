"""``streamgauge doctor`` against a broker that can be asked everything, and one that can't."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from typer.testing import CliRunner

from services.stack.topics import prepare
from streamgauge.cli.app import app
from streamgauge.settings import KafkaSettings
from streamgauge_client import Publisher
from tests.integration.conftest import REAL, Kafka

CHECKS = ("kafka", "listeners", "topics", "partitions", "retention", "keys", "clocks")


def doctor(kafka: Kafka, prefix: str, *, config: Path) -> tuple[int, dict[str, dict[str, str]]]:
    config.write_text(
        f"kafka: {{bootstrap_servers: '{kafka.bootstrap_servers}', topic_prefix: '{prefix}'}}\n"
    )
    chosen = [part for name in CHECKS for part in ("--check", name)]
    result = CliRunner().invoke(app, ["--config", str(config), "doctor", "-o", "json", *chosen])
    return result.exit_code, {each["check"]: each for each in json.loads(result.stdout)}


def create(kafka: Kafka, prefix: str) -> None:
    """The topics as the contract has them, where the broker knows of settings at all."""
    if kafka.kind == "real":
        prepare(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix))
    else:
        kafka.create_topics(prefix)


def test_fresh_topics_are_in_order(kafka: Kafka, prefix: str, tmp_path: Path) -> None:
    create(kafka, prefix)
    code, found = doctor(kafka, prefix, config=tmp_path / "streamgauge.yaml")
    assert code == 0, [each for each in found.values() if each["state"] != "ok"]
    assert {name: found[name]["state"] for name in CHECKS[:4]} == dict.fromkeys(CHECKS[:4], "ok")
    retention = found["retention"]
    assert retention["state"] == ("ok" if kafka.kind == "real" else "skipped"), retention


@REAL
def test_what_is_wrong_is_found(real_kafka: Kafka, prefix: str, tmp_path: Path) -> None:
    # Given topics with unequal partitions, of which one is compacted
    names = [f"{prefix}.{name}" for name in ("models", "predictions", "labels", "feedback")]
    real_kafka.create_topics(prefix, partitions=dict(zip(names, (4, 4, 2, 4), strict=True)))
    admin = AdminClient({"bootstrap.servers": real_kafka.bootstrap_servers})
    compact = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(
        ConfigResource.Type.TOPIC, f"{prefix}.predictions", incremental_configs=[compact]
    )
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(timeout=20)
    # When brokers have told each other of it
    deadline = time.monotonic() + 20
    code, found = doctor(real_kafka, prefix, config=tmp_path / "streamgauge.yaml")
    while found["retention"]["state"] != "problem" and time.monotonic() < deadline:
        code, found = doctor(real_kafka, prefix, config=tmp_path / "streamgauge.yaml")
    # Then each has its line and its remedy, and the exit code says that checks failed
    assert code == 4
    assert found["partitions"]["state"] == "problem"
    assert f"{prefix}.labels 2" in found["partitions"]["finding"]
    assert "predictions is compacted" in found["retention"]["finding"]
    assert found["topics"]["state"] == "warning"
    assert all(found[name]["remedy"] for name in ("partitions", "retention", "topics"))


@pytest.mark.parametrize("shards", [1, 2])
def test_our_own_publisher_puts_records_where_they_belong(
    kafka: Kafka, prefix: str, tmp_path: Path, shards: int
) -> None:
    create(kafka, prefix)
    with Publisher(
        model="fraud",
        version="1",
        bootstrap_servers=kafka.bootstrap_servers,
        topic_prefix=prefix,
        shards=shards,
    ) as publisher:
        for n in range(50):
            publisher.log(features={"x": float(n)}, output=0.5)
    code, found = doctor(kafka, prefix, config=tmp_path / "streamgauge.yaml")
    assert found["keys"]["state"] == "ok" and "records lie where" in found["keys"]["finding"], found
    assert found["clocks"]["state"] == "ok"
    assert code == 0, [each for each in found.values() if each["state"] != "ok"]
