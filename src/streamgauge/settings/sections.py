"""The sections of the settings, with their defaults and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Base of a part of the settings: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(Section):
    """Where the log is, and what our topics' names begin with."""

    bootstrap_servers: Annotated[str, Field(min_length=1)] = "localhost:9092"
    topic_prefix: Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")] = "streamgauge"


class RedisSettings(Section):
    """Where state lives. The URL may hold a password, so it is a secret as a whole."""

    url: SecretStr = SecretStr("redis://localhost:6379/0")
    #: Refuse to start on a Redis that evicts, or that has no AOF. Off, it is only said.
    require_durable: bool = True


class StateSettings(Section):
    """``key`` authenticates the state that is not plain numbers. Without one there is none."""

    key: SecretStr | None = None


class RegistrySettings(Section):
    """Where models are kept besides Redis: a directory, or ``s3://bucket/prefix``; none: nowhere.

    They are signed with ``state.key``.
    """

    archive: Annotated[str, Field(min_length=1)] | None = None


class CheckpointSettings(Section):
    """How often state is written: dirty bytes ÷ rate, within the bounds of the interval.

    And how often a copy of it goes to the snapshots topic, for the loss of Redis.
    """

    bytes_per_second: Positive = 2.0 * 1024 * 1024
    min_seconds: Positive = 0.5
    max_seconds: Positive = 5.0
    snapshot_seconds: Positive = 300.0

    @model_validator(mode="after")
    def _ordered(self) -> CheckpointSettings:
        if self.min_seconds > self.max_seconds:
            raise ValueError("min_seconds is above max_seconds")
        return self


class ProcessSettings(Section):
    """One service's own HTTP listener (metrics and health) and its name among its like.

    Port 0 takes a free one. ``instance`` defaults to the host's name and the process's number.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 0
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] | None = None


class MonitorSettings(ProcessSettings):
    """The monitor: the consumer group, which also names its checkpoints and views."""

    port: Port = 9809
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = "streamgauge-monitor"
    #: Above this share of refused records in a minute, or so many in a row, an alarm is raised.
    max_invalid_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    max_consecutive_invalid: Count = 1_000
    #: Then stand still instead of going on, until a person has decided.
    stop_on_invalid: bool = False


class LearnerSettings(ProcessSettings):
    """The learner: the consumer group, which also names its checkpoints and views."""

    port: Port = 9812
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = "streamgauge-learner"


class ExporterSettings(ProcessSettings):
    """The exporter: how often it reads views, and the most series that it shows."""

    port: Port = 9808
    refresh_seconds: Positive = 1.0
    max_series: Count = 20_000
    #: A view older than this is said to be stale.
    stale_seconds: Positive = 30.0


class IngestSettings(ProcessSettings):
    """The ingest service: who may post, and how much at once.

    ``token`` may hold several, parted by spaces or lines, so that one can be rotated out. Without
    one it listens on this machine alone.
    """

    port: Port = 9810
    token: SecretStr | None = None
    max_body_bytes: Count = 4 * 1024 * 1024
    max_events: Count = 10_000
    max_connections: Count = 256
    max_inflight_events: Count = 20_000
    max_inflight_bytes: Count = 64 * 1024 * 1024
    #: For the whole body of a request, and for its head.
    read_seconds: Positive = 10.0
    #: How long Kafka has for an acknowledgement.
    ack_seconds: Positive = 5.0
    #: How long a model server's request waits for its response, and a response for its request.
    join_seconds: Positive = 30.0
    max_held_halves: Count = 10_000
    max_held_bytes: Count = 32 * 1024 * 1024


class PrivacySettings(Section):
    """``key`` is what fields are hashed with whose privacy policy says so."""

    key: SecretStr | None = None


class MonitoringSettings(Section):
    """How a model is judged whose spec does not say otherwise (times in seconds)."""

    pane_seconds: Positive = 10.0
    min_duration_seconds: Positive = 60.0
    min_events: Count = 500
    max_duration_seconds: Positive = 86_400.0
    grace_seconds: NotNegative = 30.0
    reference_min_events: Count = 1_000
    reference_min_seconds: NotNegative = 86_400.0

    @model_validator(mode="after")
    def _ordered(self) -> MonitoringSettings:
        if self.pane_seconds > self.min_duration_seconds:
            raise ValueError("pane_seconds is above min_duration_seconds: no window would have one")
        if self.min_duration_seconds > self.max_duration_seconds:
            raise ValueError("min_duration_seconds is above max_duration_seconds")
        return self


class LogSettings(Section):
    """What a process says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
