"""Settings of a client: arguments first, then STREAMGAUGE_* variables, then defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamgauge_client.topics import DEFAULT_PREFIX

DEFAULT_BOOTSTRAP_SERVERS = "localhost:9092"
PRIVACY_KEY = "STREAMGAUGE_PRIVACY__KEY"
PRIVACY_KEY_FILE = "STREAMGAUGE_PRIVACY__KEY_FILE"
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What the environment says to a client."""

    bootstrap_servers: str = DEFAULT_BOOTSTRAP_SERVERS
    topic_prefix: str = DEFAULT_PREFIX
    disabled: bool = False
    strict: bool = False


def client_settings(
    *,
    bootstrap_servers: str | None = None,
    topic_prefix: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> ClientSettings:
    """Read the environment now. Clients call this at their first use, never at import."""
    found = os.environ if environment is None else environment
    return ClientSettings(
        bootstrap_servers=(
            bootstrap_servers
            or found.get("STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS")
            or DEFAULT_BOOTSTRAP_SERVERS
        ),
        topic_prefix=(
            topic_prefix or found.get("STREAMGAUGE_KAFKA__TOPIC_PREFIX") or DEFAULT_PREFIX
        ),
        disabled=found.get("STREAMGAUGE_DISABLED", "").lower() in _TRUE,
        strict=found.get("STREAMGAUGE_STRICT", "").lower() in _TRUE,
    )


def privacy_key(environment: Mapping[str, str] | None = None) -> bytes | None:
    """What fields are hashed with: the variable, else the file that the other variable names.

    Raises ``ValueError`` where the file can't be read.
    """
    found = os.environ if environment is None else environment
    if key := found.get(PRIVACY_KEY):
        return key.encode()
    if path := found.get(PRIVACY_KEY_FILE):
        try:
            # An editor's line break is no part of the key.
            return Path(path).read_bytes().strip() or None
        except OSError as error:
            raise ValueError(f"{PRIVACY_KEY_FILE} names {path!r}: {error.strerror}") from error
    return None
