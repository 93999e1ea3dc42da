"""The root of the commands: turns every failure into one line and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from streamgauge.cli.failures import FAILED, USAGE, CommandFailed


class Commands(TyperGroup):
    """A group whose errors are one line on standard error; tracebacks only with ``--debug``."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(
                args,
                prog_name,
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            code = _usage(error, prog_name or self.name or "streamgauge")
        except typer.Abort:
            code = FAILED
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit, typer.Abort):
            raise
        except CommandFailed as error:
            _explain(ctx, error.line())
            raise typer.Exit(error.code) from error
        except BrokenPipeError:
            raise
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            _explain(ctx, f"error: {text}; run `streamgauge --debug …` and report what it prints")
            raise typer.Exit(FAILED) from error


def _explain(ctx: typer.Context, line: str) -> None:
    if ctx.params.get("debug"):
        traceback.print_exc()
    typer.echo(line, err=True)


def _usage(error: Any, program: str) -> int:
    ctx = getattr(error, "ctx", None)
    if ctx is not None and type(error).__name__ == "NoArgsIsHelpError":
        # A group without a verb: the help is the answer, and the error's making has printed it.
        return USAGE
    path = ctx.command_path if ctx is not None else program
    message = " ".join(error.format_message().split()).rstrip(".")
    typer.echo(f"error: {message}; see `{path} --help`", err=True)
    return int(getattr(error, "exit_code", USAGE))
