"""All verbs of the ``streamgauge`` command, and the options before them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamgauge.cli import (
    alarms,
    apply,
    check,
    explain,
    models,
    reference,
    schema,
    state,
    tail,
    version,
)
from streamgauge.cli.doctor import command as doctor
from streamgauge.cli.group import Commands
from streamgauge.cli.options import Options

app = typer.Typer(
    name="streamgauge",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="The settings' file; else $STREAMGAUGE_CONFIG.")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option(help="Kafka; else $STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS.")
    ] = None,
    redis: Annotated[
        str | None, typer.Option(help="Redis' URL; else $STREAMGAUGE_REDIS__URL.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks.")] = False,
) -> None:
    """Watch machine-learning models over the stream of their predictions.

    A model needs no configuration: its first event is enough. These commands refine and look.

    Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 Kafka or Redis not reachable, 4 check failed.

    Example: `streamgauge explain fraud.amount`
    """
    ctx.obj = Options(config=config, kafka=kafka, redis=redis, debug=debug)


app.command()(apply.apply)
app.command()(check.check)
app.command()(explain.explain)
app.command()(doctor.doctor)
app.command()(tail.tail)
app.add_typer(reference.app, name="reference")
app.add_typer(models.app, name="models")
app.add_typer(alarms.app, name="alarms")
app.add_typer(state.app, name="state")
app.command()(schema.schema)
app.command()(version.version)
