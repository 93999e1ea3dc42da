"""``streamgauge state save`` and ``restore``: a copy of what the log does not bring back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from streamgauge.cli.connections import open_redis
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.open_registry import key_of
from streamgauge.cli.options import settings_of
from streamgauge.cli.output import say

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Save and restore what Redis alone holds: specs, references, models, words on alarms.",
)


@app.command()
def save(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; replaced where it is there.")],
) -> None:
    """Write specs, references, models and what was said of alarms into one file.

    Windows, counts and open alarms are not in it: workers bring them back from Kafka. The file is
    sealed with STREAMGAUGE_STATE__KEY where one is set, and readable by you alone.

    Example: `streamgauge state save streamgauge.backup`
    """
    from streamgauge.state import backup

    settings = settings_of(ctx)
    with open_redis(settings) as redis:
        content, kinds = backup.save(redis, key=key_of(settings))
    try:
        _replace(file, content)
    except OSError as error:
        raise CommandFailed(f"{file} can't be written: {error.strerror}") from error
    say(f"saved {_told(kinds)}: {len(content):,} bytes in {file}")


@app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `save` wrote.")],
    over: Annotated[
        bool, typer.Option("--over", help="Replace what is in Redis under the same keys.")
    ] = False,
) -> None:
    """Write such a file back into Redis. Nothing is written where something is there already.

    It goes key by key: one that broke off half way is done again with `--over`. Restart monitors
    and learners afterwards: they read specs and models when they start.

    Example: `streamgauge state restore streamgauge.backup`
    """
    from streamgauge.processing import StateError
    from streamgauge.state import backup

    settings = settings_of(ctx)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from error
    with open_redis(settings) as redis:
        try:
            kinds = backup.restore(redis, content, key=key_of(settings), over=over)
        except backup.InUse as error:
            raise CommandFailed(str(error), "nothing was written; --over replaces them") from error
        except StateError as error:
            raise CommandFailed(
                f"{file}: {error}", "set the STREAMGAUGE_STATE__KEY that it was saved with"
            ) from error
    say(f"restored {_told(kinds)}; restart monitors and learners")


def _replace(file: Path, content: bytes) -> None:
    """Whole or not at all, and nobody else's to read."""
    handle, made = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        Path(made).replace(file)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _told(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {kind}" for kind, n in sorted(kinds.items())) or "nothing"
