"""What every command is given: where the settings are, and the settings themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from streamgauge.cli.failures import WrongUsage

if TYPE_CHECKING:
    from streamgauge.settings import Settings

Format = Literal["table", "json", "yaml"]
FormatOption = Annotated[
    Format, typer.Option("--output", "-o", help="How to print: for people, or for programs.")
]


@dataclass(frozen=True, slots=True)
class Options:
    """The options before the verb."""

    config: Path | None = None
    kafka: str | None = None
    redis: str | None = None
    debug: bool = False


def settings_of(ctx: typer.Context) -> Settings:
    """The settings, read now: command line > environment > ``.env`` > file > defaults."""
    from streamgauge.settings import SettingsError, load_settings

    options = ctx.ensure_object(Options)
    try:
        return load_settings(
            config=options.config,
            kafka__bootstrap_servers=options.kafka,
            redis__url=options.redis,
        )
    except SettingsError as error:
        raise WrongUsage(str(error)) from error


def process_overrides(settings: Settings) -> dict[str, Any]:
    """The process-wide defaults of specs, as these settings have them."""
    from streamgauge.specs import process_defaults

    return process_defaults(**settings.monitoring.model_dump())
