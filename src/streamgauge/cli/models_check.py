"""``streamgauge models verify`` and ``export``: is every artefact what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamgauge.cli.failures import CheckFailed, CommandFailed
from streamgauge.cli.open_registry import key_of, open_registry
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_rows, say

if TYPE_CHECKING:
    from streamgauge.registry.record import ModelRecord
    from streamgauge.registry.registry import ModelRegistry


def verify(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="One model; else all of them.")] = None,
    output: FormatOption = "table",
) -> None:
    """Check every stored artefact: signature, name, version, content, and its own self-test.

    Each is loaded and must answer as the model that learned did. Nothing is changed. Exit code 4
    where one is refused; then `rollback` and `promote` would refuse it too.

    Example: `streamgauge models verify fraud`
    """
    from streamgauge.registry.rejected import require_key

    settings = settings_of(ctx)
    rows: list[dict[str, object]] = []
    with open_registry(settings) as registry:
        require_key(key_of(settings))
        if model is not None and not registry.records(model):
            registry.record(model, 1)
        for name in [model] if model is not None else registry.models():
            rows += [_pointer(registry, name)]
            rows += [_checked(registry, record) for record in registry.records(name)]
    columns = ("model", "version", "status", "result", "trials", "finding")
    print_rows(rows, columns=columns, output=output)
    bad = [row for row in rows if row["result"] != "ok"]
    if bad:
        first = f"{bad[0]['model']} {bad[0]['version']}: {bad[0]['result']}"
        raise CheckFailed(
            f"{len(bad)} of {len(rows)} are refused ({first})",
            "whoever serves goes on with what it has; promote a version that verifies",
        )
    if output == "table":
        say(f"all {len(rows)} verified")


def export(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="The model's name, as its events have it.")],
    directory: Annotated[Path, typer.Argument(help="Where to; made where it is not there.")],
    version: Annotated[int | None, typer.Option(help="Which; else the champion.")] = None,
    output: FormatOption = "table",
) -> None:
    """Write a signed artefact and its record into a directory, for an audit or another place.

    The artefact is verified first and stays signed: it can only be loaded with the same key.

    Example: `streamgauge models export fraud ./audit --version 12`
    """
    import orjson

    from streamgauge.registry.envelope import unseal

    settings = settings_of(ctx)
    with open_registry(settings) as registry:
        if version is None:
            if not registry.records(model):
                registry.record(model, 1)
            champion = registry.champion(model)
            if champion is None:
                raise CommandFailed(f"{model} has no champion", "say which: --version N")
            version = champion.version
        record = registry.record(model, version)
        envelope = registry.envelope(model, version)
        unseal(envelope, key=key_of(settings), model=model, version=version)
        history = [line for line in registry.history(model) if line.version == version]
    document = {
        "record": record.model_dump(mode="json"),
        "history": [line.model_dump(mode="json") for line in history],
    }
    name = f"{_file_name(model)}-{version}"
    paths = directory / f"{name}.sgm", directory / f"{name}.json"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        paths[0].write_bytes(envelope)
        paths[1].write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise CommandFailed(f"{directory} can't be written: {error.strerror}") from error
    row: dict[str, object] = {
        "model": model,
        "version": version,
        "artefact": str(paths[0]),
        "record": str(paths[1]),
        "bytes": len(envelope),
    }
    print_rows([row], columns=tuple(row), output=output)


def _pointer(registry: ModelRegistry, model: str) -> dict[str, object]:
    from streamgauge.registry.rejected import Rejected

    row: dict[str, object] = {"model": model, "version": None, "status": "pointer", "trials": None}
    try:
        found = registry.champion(model)
    except Rejected as error:
        return {**row, "result": error.reason, "finding": str(error)}
    said = "nobody is champion" if found is None else f"version {found.version} is champion"
    return {**row, "result": "ok", "finding": said}


def _checked(registry: ModelRegistry, record: ModelRecord) -> dict[str, object]:
    from streamgauge.registry.publish import revived
    from streamgauge.registry.rejected import Rejected

    row: dict[str, object] = {
        "model": record.model,
        "version": record.version,
        "status": record.status,
        "trials": None,
    }
    try:
        artefact = registry.fetch(record.model, record.version)
        row["trials"] = len(artefact.header.trials)
        if artefact.header.payload_sha256 != record.sha256:
            raise Rejected("mismatch", "the artefact is not the one that was registered")
        revived(artefact)
    except Rejected as error:
        return {**row, "result": error.reason, "finding": str(error)}
    return {**row, "result": "ok", "finding": ""}


def _file_name(model: str) -> str:
    """A name from an event becomes a file's only with its letters, digits, ``_`` and ``-``."""
    from streamgauge.state.keys import model_id

    plain = "".join(
        char if char.isascii() and char.isalnum() or char in "_-" else "-" for char in model
    )
    return plain if plain == model else f"{plain[:64]}-{model_id(model)[:8]}"
