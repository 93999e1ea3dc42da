"""What a process is told at its start: where Kafka and Redis are, under which names, how much."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streamgauge.settings.kafka_security import KafkaSecurity
from streamgauge.settings.notifier import NotifierSettings, SinkSettings
from streamgauge.settings.redis_security import RedisSecurity
from streamgauge.settings.sections import (
    CheckpointSettings,
    ExporterSettings,
    IngestSettings,
    KafkaSettings,
    LearnerSettings,
    LogSettings,
    MonitoringSettings,
    MonitorSettings,
    PrivacySettings,
    ProcessSettings,
    RedisSettings,
    RegistrySettings,
    StateSettings,
)
from streamgauge.settings.sources import SettingsError, Source, explain, merged, read_sources

__all__ = [
    "CheckpointSettings",
    "ExporterSettings",
    "IngestSettings",
    "KafkaSecurity",
    "KafkaSettings",
    "LearnerSettings",
    "LogSettings",
    "MonitorSettings",
    "MonitoringSettings",
    "NotifierSettings",
    "PrivacySettings",
    "ProcessSettings",
    "RedisSecurity",
    "RedisSettings",
    "RegistrySettings",
    "Settings",
    "SettingsError",
    "SinkSettings",
    "StateSettings",
    "load_settings",
]


class Settings(BaseSettings):
    """All settings of all processes. Frozen, and secrets print as asterisks.

    Built directly it reads nothing: ``Settings()`` is the defaults. ``load_settings`` reads the
    environment and the files.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="STREAMGAUGE_",
        env_nested_delimiter="__",
        env_file=".env",
        env_file_encoding="utf-8",
        dotenv_filtering="only_existing",
    )

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    state: StateSettings = StateSettings()
    registry: RegistrySettings = RegistrySettings()
    checkpoint: CheckpointSettings = CheckpointSettings()
    monitor: MonitorSettings = MonitorSettings()
    learner: LearnerSettings = LearnerSettings()
    exporter: ExporterSettings = ExporterSettings()
    ingest: IngestSettings = IngestSettings()
    privacy: PrivacySettings = PrivacySettings()
    notifier: NotifierSettings = NotifierSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(*, config: str | Path | None = None, **overrides: Any) -> Settings:
    """Read the settings: overrides (the command line) > environment > ``.env`` > file > defaults.

    Overrides are sections (``kafka={"topic_prefix": "lab"}``) or single values
    (``kafka__topic_prefix="lab"``); those that are None are left out. ``config`` is the file to
    read; else ``STREAMGAUGE_CONFIG``, ``streamgauge.yaml`` here, then in ``/etc/streamgauge``. A
    secret may stand in a file of its own: ``redis.url_file``, ``STREAMGAUGE_REDIS__URL_FILE``.

    Raises ``SettingsError``, which says of each mistake where it stands and what would be right.
    """
    sources = read_sources(Settings, config=config, overrides=_nested(overrides))
    try:
        return Settings(**merged(sources))
    except ValidationError as error:
        raise SettingsError(explain(error, Settings, sources)) from None


def _nested(overrides: Mapping[str, Any]) -> Source:
    data: dict[str, Any] = {}
    for name, value in overrides.items():
        section, _, key = name.partition("__")
        if value is None:
            continue
        if not key:
            values = value.model_dump(exclude_unset=True) if hasattr(value, "model_dump") else value
            data.setdefault(section, {}).update(values)
        else:
            data.setdefault(section, {})[key] = value
    return Source("the command line", data)
