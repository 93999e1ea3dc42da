"""A real broker that asks for TLS and for users, and grants what ``deploy/security`` says."""

from __future__ import annotations

import argparse
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pydantic import SecretStr

from streamgauge.settings import KafkaSecurity, KafkaSettings
from tests.integration.conftest import START
from tests.integration.secured.certificates import Authority, Pair
from tests.missing import missing

GRANTS = START.parents[1] / "security" / "kafka-acls"
USERS = (
    *("deploy", "monitor", "learner", "exporter", "ingest", "notifier"),
    *("client", "subscriber", "operator"),
    # It may log in, and nothing else.
    "nobody",
)
_LISTENERS = ("MTLS:SSL:0", "SASL:SASL_SSL:0", "EXPIRED:SASL_SSL:0", "ELSEWHERE:SASL_SSL:0")
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN = (
    'org.apache.kafka.common.security.plain.PlainLoginModule required user_monitor="{password}";'
)


@dataclass(frozen=True)
class SecureKafka:
    """Addresses by listener, and the users' passwords. ``plain`` asks for nothing: a test's own."""

    plain: str
    listeners: dict[str, str]
    ca: Path
    passwords: dict[str, str] = field(repr=False)
    authority: Authority

    def security(self, user: str, **changes: object) -> KafkaSecurity:
        """How a user speaks to the listener ``SASL``."""
        return KafkaSecurity(
            **{
                "protocol": "SASL_SSL",
                "username": user,
                "password": SecretStr(self.passwords[user]),
                "ca_file": self.ca,
                **changes,
            }
        )

    def settings(self, user: str, listener: str = "SASL", **changes: object) -> KafkaSettings:
        security = self.security(user, **changes)
        return KafkaSettings(bootstrap_servers=self.listeners[listener], security=security)


@contextmanager
def secure_kafka(directory: Path, authority: Authority) -> Iterator[SecureKafka]:
    """Run it, with users and grants."""
    if shutil.which("java") is None:
        missing("no java on PATH for a real Kafka")
    passwords = {user: f"canary-kafka-{user}-{secrets.token_hex(8)}" for user in USERS}
    properties = directory / "broker.properties"
    properties.write_text(_properties(authority, passwords))
    state, output = directory / "addresses", directory / "output"
    command = [str(START), "--port", "0", "--state-file", str(state), "--with-parent"]
    command += ["--properties", str(properties)]
    for listener in _LISTENERS:
        command += ["--listener", listener]
    with output.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180  # the first time, Maven fetches the broker
        while not state.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                missing(f"Kafka did not start: {output.read_text()[-2000:]}")
            time.sleep(0.05)
        plain, *others = state.read_text().split("\n")
        listeners = dict(line.split() for line in others if line)
        _admit(AdminClient({"bootstrap.servers": plain}), passwords)
        yield SecureKafka(plain, listeners, authority.ca, passwords, authority)
    finally:
        process.terminate()
        process.wait(timeout=15)


def _properties(authority: Authority, passwords: dict[str, str]) -> str:
    here = authority.sign("broker")
    certificates: dict[str, Pair] = {
        "expired": authority.sign("expired", days=-1),
        "elsewhere": authority.sign("elsewhere", names="DNS:elsewhere.example"),
    }
    lines = [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The listener of the test itself, and the broker's own: loopback, and without users.
        "super.users=User:ANONYMOUS",
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={here.both}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={authority.ca}",
        "ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/",
        "listener.name.mtls.ssl.client.auth=required",
    ]
    for name in ("sasl", "expired", "elsewhere"):
        lines += [
            f"listener.name.{name}.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            f"listener.name.{name}.scram-sha-512.sasl.jaas.config={_SCRAM}",
            f"listener.name.{name}.scram-sha-256.sasl.jaas.config={_SCRAM}",
            f"listener.name.{name}.plain.sasl.jaas.config="
            + _PLAIN.format(password=passwords["monitor"]),
        ]
    for name, pair in certificates.items():
        lines += [
            f"listener.name.{name}.ssl.keystore.type=PEM",
            f"listener.name.{name}.ssl.keystore.location={pair.both}",
        ]
    return "\n".join(lines) + "\n"


def _admit(admin: AdminClient, passwords: dict[str, str]) -> None:
    """Make the users, and grant them what the file says."""
    mechanisms = (ScramMechanism.SCRAM_SHA_512, ScramMechanism.SCRAM_SHA_256)
    for mechanism in mechanisms:
        users = [
            UserScramCredentialUpsertion(
                user, ScramCredentialInfo(mechanism, 4096), password.encode()
            )
            for user, password in passwords.items()
        ]
        for future in admin.alter_user_scram_credentials(users).values():
            future.result(timeout=20)
    for future in admin.create_acls(list(granted())).values():
        future.result(timeout=20)


def granted() -> Iterator[AclBinding]:
    """The grants of the file."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--topic")
    parser.add_argument("--group")
    parser.add_argument("--resource-pattern-type", default="literal")
    for line in GRANTS.read_text().splitlines():
        if not line.startswith("--"):
            continue
        said = parser.parse_args(shlex.split(line))
        for operation in said.operation:
            yield AclBinding(
                ResourceType.TOPIC if said.topic else ResourceType.GROUP,
                said.topic or said.group,
                ResourcePatternType[said.resource_pattern_type.upper()],
                said.allow_principal,
                "*",
                AclOperation["DESCRIBE_CONFIGS" if "Configs" in operation else operation.upper()],
                AclPermissionType.ALLOW,
            )
