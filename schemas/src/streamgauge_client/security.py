"""How a client proves to Kafka who it is, and Kafka to the client: librdkafka's options for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREFIX = "STREAMGAUGE_KAFKA__SECURITY__"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


def librdkafka_security(
    *,
    protocol: str = "PLAINTEXT",
    mechanism: str = "SCRAM-SHA-512",
    username: str = "",
    password: str = "",
    ca_file: str = "",
    certificate_file: str = "",
    key_file: str = "",
    key_password: str = "",
) -> dict[str, str]:
    """The options of confluent-kafka; empty for PLAINTEXT. Names of brokers are always checked."""
    if protocol == "PLAINTEXT":
        return {}
    options = {"security.protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl.endpoint.identification.algorithm"] = "https"
        options["enable.ssl.certificate.verification"] = "true"
        # Without one librdkafka takes the machine's authorities.
        options["ssl.ca.location"] = ca_file
        options["ssl.certificate.location"] = certificate_file
        options["ssl.key.location"] = key_file
        options["ssl.key.password"] = key_password
    if protocol.startswith("SASL"):
        options["sasl.mechanism"] = mechanism
        options["sasl.username"] = username
        options["sasl.password"] = password
    return {name: value for name, value in options.items() if value}


def with_security(
    options: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A client's own options over what ``STREAMGAUGE_KAFKA__SECURITY__*`` say.

    Options that name ``security.protocol`` say all of it: nothing of the environment is mixed in.
    Raises ``ValueError`` for variables that can't be used; the text holds no secret.
    """
    if "security.protocol" in options:
        return dict(options)
    return {**_of_environment(os.environ if environment is None else environment), **options}


def _of_environment(found: Mapping[str, str]) -> dict[str, str]:
    protocol = found.get(f"{PREFIX}PROTOCOL", "PLAINTEXT").upper()
    mechanism = found.get(f"{PREFIX}MECHANISM", MECHANISMS[0]).upper()
    for name, value, known in (
        ("PROTOCOL", protocol, PROTOCOLS),
        ("MECHANISM", mechanism, MECHANISMS),
    ):
        if value not in known:
            raise ValueError(f"{PREFIX}{name} is none of {', '.join(known)}")
    username, password = found.get(f"{PREFIX}USERNAME", ""), _secret(found, "PASSWORD")
    if protocol.startswith("SASL") and not (username and password):
        raise ValueError(
            f"{PREFIX}PROTOCOL is {protocol}, which needs {PREFIX}USERNAME, and {PREFIX}PASSWORD"
            " or …PASSWORD_FILE"
        )
    files = {name: _file(found, name) for name in ("CA_FILE", "CERTIFICATE_FILE", "KEY_FILE")}
    if protocol == "PLAINTEXT" and (username or password or any(files.values())):
        raise ValueError(
            f"{PREFIX}* name a user or certificates, but {PREFIX}PROTOCOL does not say how they"
            " are used; set it to SASL_SSL or SSL"
        )
    return librdkafka_security(
        protocol=protocol,
        mechanism=mechanism,
        username=username,
        password=password,
        ca_file=files["CA_FILE"],
        certificate_file=files["CERTIFICATE_FILE"],
        key_file=files["KEY_FILE"],
        key_password=_secret(found, "KEY_PASSWORD"),
    )


def _file(found: Mapping[str, str], name: str) -> str:
    path = found.get(f"{PREFIX}{name}", "")
    if path:
        _read(path, f"{PREFIX}{name}")
    return path


def _secret(found: Mapping[str, str], name: str) -> str:
    if path := found.get(f"{PREFIX}{name}_FILE"):
        # An editor's line break is no part of it.
        return _read(path, f"{PREFIX}{name}_FILE").strip()
    return found.get(f"{PREFIX}{name}", "")


def _read(path: str, variable: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(f"{variable} names {path!r}: {reason}") from None
