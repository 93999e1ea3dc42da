"""Settings of a client: arguments first, then STREAMGAUGE_* variables, then defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from streamgauge_client.topics import DEFAULT_PREFIX

DEFAULT_BOOTSTRAP_SERVERS = "localhost:9092"
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
