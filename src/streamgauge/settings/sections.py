"""The sections of the settings, with their defaults and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from streamgauge.settings.kafka_security import KafkaSecurity, check_reach
from streamgauge.settings.redis_security import RedisSecurity, check_url
from streamgauge.settings.section import Section

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class KafkaSettings(Section):
    """Where the log is, and what our topics' names begin with."""

    bootstrap_servers: Annotated[str, Field(min_length=1)] = Field(
        "localhost:9092", description="Brokers to begin with, with commas between them."
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")] = Field(
        "streamgauge", description="What the names of all topics begin with; one for each tenant."
    )
    security: KafkaSecurity = KafkaSecurity()

    @model_validator(mode="after")
    def _passwords_stay_here(self) -> KafkaSettings:
        check_reach(self.bootstrap_servers, self.security)
        return self


class RedisSettings(Section):
    """Where state lives. The URL may hold a password, so it is a secret as a whole."""

    url: SecretStr = Field(SecretStr("redis://localhost:6379/0"), description="Where Redis is.")
    require_durable: bool = Field(
        True,
        description="Refuse to start on a Redis that evicts or has no AOF; else it is only said.",
    )
    security: RedisSecurity = RedisSecurity()

    @model_validator(mode="after")
    def _agree(self) -> RedisSettings:
        check_url(self.url.get_secret_value(), self.security)
        return self


class StateSettings(Section):
    """``key`` authenticates the state that is not plain numbers. Without one there is none."""

    key: SecretStr | None = Field(
        None,
        description="What learned models are signed with; whoever loads one needs the same.",
    )


class RegistrySettings(Section):
    """Where models are kept besides Redis: a directory, or ``s3://bucket/prefix``; none: nowhere.

    They are signed with ``state.key``.
    """

    archive: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="A directory, or `s3://bucket/prefix`; without it models are in Redis alone.",
    )


class CheckpointSettings(Section):
    """How often state is written: dirty bytes ÷ rate, within the bounds of the interval.

    And how often a copy of it goes to the snapshots topic, for the loss of Redis.
    """

    bytes_per_second: Positive = Field(
        2.0 * 1024 * 1024,
        description="Dirty bytes divided by it are the seconds to the next write.",
    )
    min_seconds: Positive = Field(0.5, description="The shortest time between two writes.")
    max_seconds: Positive = Field(5.0, description="The longest.")
    snapshot_seconds: Positive = Field(
        300.0, description="Time between two copies on the snapshots topic."
    )

    @model_validator(mode="after")
    def _ordered(self) -> CheckpointSettings:
        if self.min_seconds > self.max_seconds:
            raise ValueError("min_seconds is above max_seconds")
        return self


class ProcessSettings(Section):
    """One service's own HTTP listener (metrics and health) and its name among its like.

    Port 0 takes a free one. ``instance`` defaults to the host's name and the process's number.
    """

    host: Annotated[str, Field(min_length=1)] = Field(
        "127.0.0.1",
        description="The address to listen at; 0.0.0.0 in a container alone.",
    )
    port: Port = Field(0, description="The port to listen at; 0 takes a free one.")
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] | None = Field(
        None, description="Its name among its like; else the host's name and the process's number."
    )


class MonitorSettings(ProcessSettings):
    """The monitor: the consumer group, which also names its checkpoints and views."""

    port: Port = 9809
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = Field(
        "streamgauge-monitor",
        description="The consumer group, which also names its checkpoints and views.",
    )
    max_invalid_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Share of refused records in a minute above which an alarm is raised."
    )
    max_consecutive_invalid: Count = Field(
        1_000, description="So many refused records in a row raise it, too."
    )
    stop_on_invalid: bool = Field(
        False, description="Then stand still instead of going on, until a person has decided."
    )


class LearnerSettings(ProcessSettings):
    """The learner: the consumer group, which also names its checkpoints and views."""

    port: Port = 9812
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] = Field(
        "streamgauge-learner",
        description="The consumer group, which also names its checkpoints and views.",
    )


class ExporterSettings(ProcessSettings):
    """The exporter: how often it reads views, the most series that it shows, and who may do what.

    Each token setting may hold several, parted by spaces or lines, so that one can be rotated out;
    none stands in two of them. Without any it listens on this machine alone, where everybody may do
    all.
    """

    port: Port = 9808
    token: SecretStr | None = Field(
        None, description="Viewers of the console: they see every screen. 32 bytes or more."
    )
    operator_token: SecretStr | None = Field(
        None,
        description="Who may also acknowledge alarms, silence them for a week, lift and judge.",
    )
    admin_token: SecretStr | None = Field(
        None, description="Who may also silence for longer, up to 90 days."
    )
    refresh_seconds: Positive = Field(1.0, description="How often views are read.")
    max_series: Count = Field(
        20_000, description="The most series that are shown; what is beyond is counted."
    )
    stale_seconds: Positive = Field(30.0, description="A view older than this is said to be stale.")


class IngestSettings(ProcessSettings):
    """The ingest service: who may post, and how much at once.

    ``token`` may hold several, parted by spaces or lines, so that one can be rotated out. Without
    one it listens on this machine alone.
    """

    port: Port = 9810
    token: SecretStr | None = Field(
        None,
        description="What a caller must show, 32 bytes or more. Without one: this machine alone.",
    )
    max_body_bytes: Count = Field(4 * 1024 * 1024, description="Of one request.")
    max_events: Count = Field(10_000, description="Of one request.")
    max_connections: Count = Field(256, description="Open at once; more are closed.")
    max_inflight_events: Count = Field(20_000, description="Of all requests under way.")
    max_inflight_bytes: Count = Field(64 * 1024 * 1024, description="Of all requests under way.")
    read_seconds: Positive = Field(
        10.0, description="For the head of a request, and for its whole body."
    )
    ack_seconds: Positive = Field(5.0, description="How long Kafka has for an acknowledgement.")
    join_seconds: Positive = Field(
        30.0,
        description="How long a model server's request and response wait for each other.",
    )
    max_held_halves: Count = Field(10_000, description="Halves that wait so, at most.")
    max_held_bytes: Count = Field(32 * 1024 * 1024, description="Their bytes, at most.")


class PrivacySettings(Section):
    """``key`` is what fields are hashed with whose privacy policy says so."""

    key: SecretStr | None = Field(
        None, description="What fields are hashed with whose privacy policy says so."
    )


class MonitoringSettings(Section):
    """How a model is judged whose spec does not say otherwise (times in seconds)."""

    pane_seconds: Positive = Field(
        10.0, description="The grain of time: panes are merged into windows."
    )
    min_duration_seconds: Positive = Field(60.0, description="A window is at least so long.")
    min_events: Count = Field(500, description="A window holds at least so many events.")
    max_duration_seconds: Positive = Field(
        86_400.0, description="After so long a window closes, even with too few events."
    )
    grace_seconds: NotNegative = Field(
        30.0, description="How far behind the newest event a pane closes; what comes later is late."
    )
    reference_min_events: Count = Field(
        1_000, description="Events that a learned reference needs before it judges."
    )
    reference_min_seconds: NotNegative = Field(
        86_400.0, description="Time that a learned reference needs before it judges."
    )

    @model_validator(mode="after")
    def _ordered(self) -> MonitoringSettings:
        if self.pane_seconds > self.min_duration_seconds:
            raise ValueError("pane_seconds is above min_duration_seconds: no window would have one")
        if self.min_duration_seconds > self.max_duration_seconds:
            raise ValueError("min_duration_seconds is above max_duration_seconds")
        return self


class LogSettings(Section):
    """What a process says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is said on standard error."
    )
