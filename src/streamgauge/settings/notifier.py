"""The settings of the notifier: where alarms go, and how long they are tried."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from streamgauge.settings.section import Section
from streamgauge.settings.sections import Count, Port, Positive, ProcessSettings

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

    type: Annotated[str, Field(min_length=1)] = Field(
        description="The sink's type: `webhook`, `log`."
    )
    url: SecretStr | None = Field(None, description="Where a webhook posts.")
    secret: SecretStr | None = Field(
        None, description="The key of the signature, 16 characters or more."
    )
    format: str | None = Field(None, description="Of a webhook: `streamgauge`, `alertmanager`.")
    severity: Literal["info", "warning", "critical"] = Field(
        "info", description="The least severity that goes there."
    )
    models: Words = Field(
        (), description="Names, or patterns such as `credit-*`; none means every model."
    )
    allow_private: bool = Field(
        False, description="Loopback and private addresses too, and plain http to loopback."
    )


class NotifierSettings(ProcessSettings):
    """The notifier: its sinks by name, its consumer groups, its patience (times in seconds).

    Each sink reads the alarms in a group of its own, ``<group>.<sink>``: none waits for another.
    """

    port: Port = 9811
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = Field(
        "streamgauge-notifier",
        description="Each sink reads the alarms in a group of its own, `<group>.<sink>`.",
    )
    since: Literal["latest", "beginning"] = Field(
        "latest", description="Where a sink begins that has never read an alarm."
    )
    sinks: Annotated[dict[str, SinkSettings], NoDecode] = Field(
        {}, description="The sinks by name. Without any, alarms go to the notifier's log."
    )
    allowed_hosts: Words = Field(
        (),
        description="When given, sinks are at these hosts alone, like `*.example.com`.",
    )
    max_attempts: Count = Field(20, description="An alarm is given up after so many attempts.")
    max_age_seconds: Positive = Field(
        3_600.0, description="It is given up so long after it was read."
    )
    first_retry_seconds: Positive = Field(
        1.0, description="The first wait between attempts; waits double, each is random within."
    )
    longest_retry_seconds: Positive = Field(300.0, description="The longest wait.")
    remember_seconds: Positive = Field(
        7 * 86_400.0, description="How long a delivery is remembered."
    )

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
