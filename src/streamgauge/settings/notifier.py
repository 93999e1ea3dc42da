"""The settings of the notifier: where alarms go, and how long they are tried."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from streamgauge.settings.sections import Count, Port, Positive, ProcessSettings, Section

_NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
_LONGEST_NAME = 64


def _split(given: object) -> object:
    # A variable of the environment holds text.
    if not isinstance(given, str):
        return given
    return tuple(part.strip() for part in given.split(",") if part.strip())


#: A list; in the environment with commas: ``fraud,credit-*``. ``NoDecode``: it is no JSON there.
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class SinkSettings(Section):
    """One sink. Which options a type takes is the sink's own; the notifier checks it.

    ``url`` and ``secret`` are secrets, so each may stand in a file: ``url_file``, ``secret_file``.
    """

    type: Annotated[str, Field(min_length=1)]
    url: SecretStr | None = None
    #: The key of the signature.
    secret: SecretStr | None = None
    format: str | None = None
    #: The least severity that goes there.
    severity: Literal["info", "warning", "critical"] = "info"
    #: Names, or patterns such as ``credit-*``; none means every model.
    models: Words = ()
    #: Loopback and private addresses too, and plain http to loopback.
    allow_private: bool = False


class NotifierSettings(ProcessSettings):
    """The notifier: its sinks by name, its consumer groups, its patience (times in seconds).

    Each sink reads the alarms in a group of its own, ``<group>.<sink>``: none waits for another.
    """

    port: Port = 9811
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = "streamgauge-notifier"
    #: Where a sink begins that has never read an alarm.
    since: Literal["latest", "beginning"] = "latest"
    #: By name. Without any, alarms go to the notifier's log.
    sinks: Annotated[dict[str, SinkSettings], NoDecode] = {}
    #: When given, sinks are at these hosts alone: ``hooks.example.com``, ``*.example.com``.
    allowed_hosts: Words = ()
    #: An alarm is given up after so many attempts, or so long after it was read.
    max_attempts: Count = 20
    max_age_seconds: Positive = 3_600.0
    #: The waits between attempts double from the first to the longest; each is random within.
    first_retry_seconds: Positive = 1.0
    longest_retry_seconds: Positive = 300.0
    #: How long a delivery is remembered.
    remember_seconds: Positive = 7 * 86_400.0

    @field_validator("sinks")
    @classmethod
    def _plain_names(cls, sinks: dict[str, SinkSettings]) -> dict[str, SinkSettings]:
        # A name becomes part of Redis keys, groups, labels and environment variables.
        for name in sinks:
            if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
                raise ValueError(
                    f"{name[:80]!r} is no name of a sink; give small letters and digits, "
                    "with single - or _ within"
                )
        return sinks
