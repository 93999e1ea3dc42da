"""How Kafka is spoken to: in the clear or by TLS, and who we are."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from streamgauge.settings.certificates import Certificates


def _upper(given: object) -> object:
    return given.upper() if isinstance(given, str) else given


class KafkaSecurity(Certificates):
    """What every client of Kafka goes by. Certificates are files in PEM format.

    ``password`` and ``key_password`` are secrets, so each may stand in a file: ``password_file``,
    ``key_password_file``.
    """

    protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"], BeforeValidator(_upper)
    ] = Field(
        "PLAINTEXT",
        description="How brokers are spoken to; `SASL_PLAINTEXT` on this machine alone.",
    )
    mechanism: Annotated[
        Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"], BeforeValidator(_upper)
    ] = Field("SCRAM-SHA-512", description="How the user proves who it is, by SASL.")
    username: Annotated[str, Field(min_length=1)] | None = Field(None, description="The SASL user.")
    password: SecretStr | None = Field(None, description="The user's password.")

    @property
    def encrypted(self) -> bool:
        return self.protocol.endswith("SSL")

    @property
    def sasl(self) -> bool:
        return self.protocol.startswith("SASL")

    @model_validator(mode="after")
    def _consistent(self) -> KafkaSecurity:
        given = self.model_fields_set
        if not self.encrypted and (
            unused := sorted(given & {"ca_file", "certificate_file", "key_file", "key_password"})
        ):
            raise ValueError(
                f"{', '.join(unused)}: given, but protocol is {self.protocol}, which encrypts"
                f" nothing; set protocol to {'SASL_SSL' if self.sasl else 'SSL'}, or leave it out"
            )
        if not self.sasl and (unused := sorted(given & {"username", "password", "mechanism"})):
            raise ValueError(
                f"{', '.join(unused)}: given, but protocol is {self.protocol}, which knows no"
                " users; set protocol to SASL_SSL, or leave it out"
            )
        if self.sasl and (lacking := [n for n in ("username", "password") if not self._has(n)]):
            raise ValueError(
                f"{', '.join(lacking)}: missing, and protocol {self.protocol} needs it; a password"
                " may stand in a file: password_file"
            )
        if self.encrypted:
            self.tls()
        return self

    def _has(self, name: str) -> bool:
        value = getattr(self, name)
        return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def check_reach(servers: str, security: KafkaSecurity) -> None:
    """Raise ``ValueError`` where a password would leave this machine in the clear.

    >>> check_reach("kafka:9092", KafkaSecurity())
    """
    away = [server.strip() for server in servers.split(",") if not _is_loopback(server.strip())]
    if security.protocol == "SASL_PLAINTEXT" and away:
        raise ValueError(
            f"security.protocol SASL_PLAINTEXT would send passwords and events in the clear to"
            f" {', '.join(away)}; it is for loopback alone, so set it to SASL_SSL"
        )


def _is_loopback(server: str) -> bool:
    host = server.rpartition(":")[0].strip("[]") or server
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
