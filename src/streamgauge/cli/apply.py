"""``streamgauge apply``: make specs take effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.check import refuse_mistakes
from streamgauge.cli.connections import open_redis
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_rows, say, show_time

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec, SpecVersion
    from streamgauge.state.spec_store import SpecStore


def apply(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="YAML files, one model each.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    output: FormatOption = "table",
) -> None:
    """Validate specs and make them take effect, each as a new immutable version.

    All files are checked before the first is stored. A version holds from 2 s after this moment,
    at the same record for every replay. The same spec again is no new version.

    Example: `streamgauge apply fraud.yaml --dry-run`
    """
    from streamgauge.cli.spec_files import read_specs
    from streamgauge.state.spec_store import SpecConflict, SpecStore

    found = read_specs(files)
    refuse_mistakes(found)
    specs = [each.spec for each in found if each.spec is not None]
    with open_redis(settings_of(ctx)) as redis:
        store = SpecStore(redis)
        for spec in specs:
            refuse_unknown_reference(store, spec)
        rows: list[dict[str, object]] = []
        for spec in specs:
            latest = store.latest(spec.model)
            spec, kept = keep_accepted(latest, spec)
            changes = list(differences(latest, spec))
            if dry_run:
                state = "would change" if changes else "unchanged"
                rows.append({**_row(spec, latest, state, changes), "kept": kept})
                continue
            try:
                applied = store.apply(spec, now=now(), by=author())
            except SpecConflict as error:
                raise CommandFailed(str(error)) from error
            state = "applied" if applied.changed else "unchanged"
            changes = changes if applied.changed else []
            rows.append({**_row(spec, applied.version, state, changes), "kept": kept})
    print_rows(rows, columns=("model", "version", "state", "effective_at"), output=output)
    if output == "table":
        for row in rows:
            for change in row["changes"] if isinstance(row["changes"], list) else []:
                say(f"  {row['model']}: {change}")
            if row["kept"]:
                say(f"  {row['model']}: = {row['kept']}")


def now() -> float:
    """The clock of the person who applies."""
    from streamgauge.clock import system_clock

    return system_clock()


def author() -> str:
    """Who applies: the user's name on this machine."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def refuse_unknown_reference(store: SpecStore, spec: ModelSpec) -> None:
    """A spec that names a profile which is not stored would judge nothing."""
    wanted = spec.reference.id
    if wanted is None or store.get_reference(spec.model, wanted) is not None:
        return
    there = ", ".join(store.references(spec.model)) or "none"
    raise CommandFailed(
        f"model {spec.model!r} has no reference {wanted!r} (stored: {there})",
        f"build it: streamgauge reference build {spec.model} FILE --id {wanted}",
    )


def keep_accepted(latest: SpecVersion | None, spec: ModelSpec) -> tuple[ModelSpec, str]:
    """The spec with what was accepted of the present, unless it speaks of its reference itself.

    Files know nothing of ``streamgauge reference accept``; applying one must not undo it by
    silence. The text says what was kept, or is empty.
    """
    from streamgauge.specs import ModelSpec

    accepted = latest.spec.reference.accepted if latest else None
    document = spec.document()
    if accepted is None or "reference" in document:
        return spec, ""
    kept = {"kind": "learned", "accepted": accepted.model_dump(mode="json", exclude_none=True)}
    return (
        ModelSpec.from_document({**document, "reference": kept}),
        f"reference.accepted is kept ({accepted.words()}); the file says nothing of `reference`",
    )


def differences(latest: SpecVersion | None, spec: ModelSpec) -> Iterator[str]:
    """What a spec changes, in words, one line a setting."""
    before = dict(_flat(latest.spec.document())) if latest else {}
    after = dict(_flat(spec.document()))
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"+ {name}: {after[name]}"
        elif name not in after:
            yield f"- {name}: {before[name]}"
        elif before[name] != after[name]:
            yield f"~ {name}: {before[name]} → {after[name]}"


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _row(
    spec: ModelSpec, version: SpecVersion | None, state: str, changes: list[str]
) -> dict[str, object]:
    return {
        "model": spec.model,
        "version": version.number if version else None,
        "state": state,
        "effective_at": show_time(version.effective_at) if version else None,
        "changes": changes,
    }
