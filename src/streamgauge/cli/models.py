"""``streamgauge models``: what is registered, who is champion, and how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.models_check import export, verify
from streamgauge.cli.models_decide import promote, rollback
from streamgauge.cli.models_retrain import retrain
from streamgauge.cli.open_registry import key_of, open_registry
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_data, print_rows, printable, say, show_time

if TYPE_CHECKING:
    from streamgauge.registry.record import Decision, ModelRecord
    from streamgauge.registry.registry import ModelRegistry
    from streamgauge.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Models that learn: their versions, who is champion, and going back.",
)
_SHOWN_DECISIONS = 10


@app.command("list")
def list_models(ctx: typer.Context, output: FormatOption = "table") -> None:
    """List the registered models: how many versions, which is champion, since when.

    Example: `streamgauge models list -o json`
    """
    with open_registry(settings_of(ctx)) as registry:
        found = {name: registry.records(name) for name in registry.models()}
    rows = [_summary(name, records) for name, records in found.items()]
    columns = ("model", "champion", "since", "versions", "challengers", "failed", "newest")
    if output == "table" and not rows:
        say("no model is registered; a learner registers the first snapshot of what it learned")
        return
    print_rows(rows, columns=columns, output=output)


@app.command()
def show(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="The model's name, as its events have it.")],
    version: Annotated[int | None, typer.Option(help="Only this version, with all of it.")] = None,
    output: FormatOption = "table",
) -> None:
    """Show a model's versions and the decisions about them: who, when, why.

    With `--version`: what it learned from, under which libraries, its metrics, its parent.

    Example: `streamgauge models show fraud --version 12`
    """
    with open_registry(settings_of(ctx)) as registry:
        records = registry.records(model)
        chosen = registry.record(model, version or (records[-1].version if records else 1))
        history = registry.history(model)
        pinned = _pinned(registry, model, settings_of(ctx))
    if version is not None:
        records = [chosen]
        history = [line for line in history if version in (line.version, line.previous_version)]
    if output != "table":
        print_data(
            {
                "model": model,
                "versions": [record.model_dump(mode="json") for record in records],
                "history": [line.model_dump(mode="json") for line in history],
            },
            output=output,
        )
        return
    print_rows(
        [_row(record) for record in records],
        columns=(
            "version",
            "status",
            "changed_at",
            "pipeline",
            "estimator",
            "examples",
            "metrics",
            "reason",
        ),
    )
    if version is not None:
        _print_lineage(chosen)
    for line in history[-_SHOWN_DECISIONS:]:
        say(_sentence(line))
    if pinned:
        say(pinned)


app.command()(promote)
app.command()(rollback)
app.command()(retrain)
app.command()(verify)
app.command()(export)


def _summary(name: str, records: list[ModelRecord]) -> dict[str, object]:
    champion = next((each for each in records if each.status == "champion"), None)
    count = [record.status for record in records].count
    return {
        "model": name,
        "champion": champion.version if champion else None,
        "since": show_time(champion.changed_at) if champion else None,
        "versions": len(records),
        "challengers": count("challenger"),
        "failed": count("failed"),
        "newest": records[-1].version if records else None,
    }


def _row(record: ModelRecord) -> dict[str, object]:
    metrics: dict[str, Any] = record.lineage.get("metrics", {})
    return {
        "version": record.version,
        "status": record.status,
        "changed_at": show_time(record.changed_at),
        "pipeline": record.lineage.get("pipeline"),
        "estimator": record.lineage.get("estimator"),
        "examples": record.lineage.get("examples"),
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items())),
        "reason": record.reason,
    }


def _print_lineage(record: ModelRecord) -> None:
    facts = {
        **record.lineage,
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "succeeded": record.succeeded,
    }
    for name, value in sorted(facts.items()):
        if value not in (None, {}, ""):
            say(f"  {name}: {printable(value)}")


def _pinned(registry: ModelRegistry, model: str, settings: Settings) -> str:
    """That a person's choice holds snapshots back; the pointer says it, which needs the key."""
    from streamgauge.registry.rejected import Rejected

    if not key_of(settings):
        return ""
    try:
        found = registry.champion(model)
    except Rejected as error:
        return f"the pointer to the champion is refused: {error}"
    if found is None or not found.pinned or found.chosen_at is None:
        return ""
    return (
        f"version {found.version} is pinned since {show_time(found.chosen_at)} UTC, until the"
        f" learner decides anew; `streamgauge models promote {printable(model)} {found.version}"
        " --follow …` ends it"
    )


def _sentence(line: Decision) -> str:
    instead = f" instead of {line.previous_version}" if line.previous_version else ""
    return (
        f"{show_time(line.at)} UTC  {line.version} {line.action.replace('_', ' ')}{instead}"
        f" by {printable(line.actor)}: {printable(line.reason) or '-'}"
    )
