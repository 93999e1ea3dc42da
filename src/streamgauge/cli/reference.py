"""``streamgauge reference``: what a model's present is compared with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.accept import accept
from streamgauge.cli.apply import author, now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.failures import CommandFailed, WrongUsage
from streamgauge.cli.options import Format, FormatOption, settings_of
from streamgauge.cli.output import print_data, print_rows, printable, say, show_time

if TYPE_CHECKING:
    from streamgauge.references import ReferenceProfile
    from streamgauge.specs import SpecVersion
    from streamgauge.specs.accepted import AcceptedSpec
    from streamgauge.state.spec_store import SpecStore

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What a model's present is compared with: a profile of training data, or what you accept.",
)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUMMARY = ("target", "type", "n", "missing_ratio", "mean", "std", "bins", "blocks")
Model = Annotated[str, typer.Argument(help="The model's name, as its events have it.")]


@app.command()
def build(
    ctx: typer.Context,
    model: Model,
    file: Annotated[
        Path,
        typer.Argument(help="A .csv with a header, a .jsonl, a .parquet, or a directory of such."),
    ],
    output_column: Annotated[
        list[str] | None,
        typer.Option(help="The column with the model's output: numbers a score, words a class."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A column to leave out: an id, the truth.")
    ] = None,
    categorical: Annotated[
        list[str] | None,
        typer.Option(help="A column whose numbers are categories; the spec's are known."),
    ] = None,
    id: Annotated[str | None, typer.Option(help="The profile's id; else from its content.")] = None,
    step: Annotated[str, typer.Option(help="The pipeline step that it describes.")] = "",
    version: Annotated[
        str | None, typer.Option(help="The model's version whose outputs the file has.")
    ] = None,
    ordered: Annotated[
        bool,
        typer.Option("--ordered", help="The rows stand in order of time: learn how windows vary."),
    ] = False,
    activate: Annotated[
        bool, typer.Option(help="Make the model be compared with it from now on.")
    ] = True,
    output: FormatOption = "table",
) -> None:
    """Turn training data into a reference profile, store it, and make the model use it.

    The profile holds histograms, never rows. JSON Lines may be flat objects or prediction events;
    Parquet needs `pip install 'streamgauge[parquet]'`, and is read a few columns at a time.

    Example: `streamgauge reference build fraud train.csv --output-column score --ignore label`
    """
    from streamgauge.cli.training_file import profile_of
    from streamgauge.state.spec_store import SpecConflict, SpecStore

    if id is not None and not _ID.fullmatch(id):
        raise WrongUsage(f"{id!r} can't be an id", "use letters, digits, dots, hyphens")
    settings = settings_of(ctx)
    # Before the file is read, so that nobody waits for minutes to hear that Redis is away.
    with open_redis(settings) as redis:
        latest = SpecStore(redis).latest(model)
    features = latest.spec.features if latest else {}
    declared = {n for n, feature in features.items() if feature.declared_type == "categorical"}
    profile, left_out = profile_of(
        file,
        model=model,
        outputs=output_column or [],
        ignored=ignore or [],
        categorical=categorical or [],
        declared=declared,
        step=step,
        version=version,
        ordered=ordered,
    )
    reference_id = id or profile.id
    with open_redis(settings) as redis:
        store = SpecStore(redis)
        try:
            new = store.put_reference(model, reference_id, profile.to_bytes())
            applied = _activate(store, model, reference_id) if activate else None
        except (SpecConflict, ValueError) as error:
            raise CommandFailed(str(error)) from error
    if output != "table":
        print_data(_plain(profile, reference_id, active=activate), output=output)
        return
    print_rows(profile.summary(), columns=_SUMMARY)
    say(f"reference {reference_id} of {model}: {profile.n} rows, {'stored' if new else 'known'}")
    if left_out:
        why = "no values, or words that hardly repeat"
        say(f"left out ({why}): {', '.join(printable(name) for name in left_out)}")
    if applied is None:
        use = f"reference: {{kind: profile, id: {reference_id}}}"
        say(f"not in use; to use it put `{use}` into the model's spec")
    else:
        say(f"in use from {show_time(applied.effective_at)} UTC on (spec version {applied.number})")


@app.command()
def show(
    ctx: typer.Context,
    model: Model,
    id: Annotated[str | None, typer.Option(help="A profile's id; else the one in use.")] = None,
    output: FormatOption = "table",
) -> None:
    """Show what a model is compared with: a profile's features, or who accepted the present.

    Example: `streamgauge reference show fraud`
    """
    from streamgauge.references import ReferenceProfile
    from streamgauge.state.spec_store import SpecStore

    with open_redis(settings_of(ctx)) as redis:
        store = SpecStore(redis)
        stored = store.references(model)
        latest = store.latest(model)
        active = latest.spec.reference.id if latest else None
        chosen = id or active
        data = store.get_reference(model, chosen) if chosen else None
    accepted = latest.spec.reference.accepted if latest else None
    if latest is not None and accepted is not None and chosen is None:
        _show_accepted(latest, accepted, stored, output=output)
        return
    there = ", ".join(stored)
    if not stored:
        raise CommandFailed(
            f"model {model!r} has no stored reference; it learns one from its stream",
            f"build one: streamgauge reference build {model} FILE",
        )
    if chosen is None:
        raise CommandFailed(f"none of the references of {model!r} is in use ({there})", "give --id")
    if data is None:
        raise CommandFailed(f"model {model!r} has no reference {chosen!r}", f"there are: {there}")
    try:
        profile = ReferenceProfile.from_bytes(data)
    except ValueError as error:
        raise CommandFailed(f"reference {chosen!r} of {model!r} is damaged: {error}") from error
    if output != "table":
        print_data(_plain(profile, chosen, active=chosen == active), output=output)
        return
    print_rows(profile.summary(), columns=_SUMMARY)
    use = "in use" if chosen == active else "not in use"
    say(f"reference {chosen} of {model}: {profile.n} rows, {use}")
    if others := [each for each in stored if each != chosen]:
        say(f"others: {', '.join(others)}")


app.command()(accept)


def _show_accepted(
    latest: SpecVersion, accepted: AcceptedSpec, stored: list[str], *, output: Format
) -> None:
    row: dict[str, object] = {
        "model": latest.spec.model,
        "id": None,
        "accepted_at": show_time(accepted.at),
        "by": accepted.by,
        "step": accepted.step,
        "features": ", ".join(accepted.features or ("all",)),
        "reason": accepted.reason,
        "spec_version": latest.number,
    }
    if output != "table":
        print_data({**row, "accepted": accepted.model_dump(), "stored": stored}, output=output)
        return
    print_rows([row], columns=("accepted_at", "by", "step", "features", "reason"))
    say(
        f"the present was accepted as the reference of {latest.spec.model}, learned from its stream"
    )
    if stored:
        say(f"stored and not in use: {', '.join(stored)}")


def _activate(store: SpecStore, model: str, reference_id: str) -> SpecVersion:
    from streamgauge.specs import ModelSpec

    latest = store.latest(model)
    document: dict[str, Any] = latest.spec.document() if latest else {"model": model}
    document["reference"] = {"kind": "profile", "id": reference_id}
    return store.apply(
        ModelSpec.from_document(document),
        now=now(),
        by=author(),
        based_on=latest.number if latest else 0,
    ).version


def _plain(profile: ReferenceProfile, reference_id: str, *, active: bool) -> dict[str, object]:
    return {
        "model": profile.model,
        "id": reference_id,
        "rows": profile.n,
        "step": profile.step,
        "version": profile.version,
        "source": profile.source,
        "in_use": active,
        "targets": profile.summary(),
    }
