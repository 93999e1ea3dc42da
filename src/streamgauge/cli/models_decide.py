"""``streamgauge models promote`` and ``rollback``: a person decides who serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streamgauge.cli.apply import author, now
from streamgauge.cli.event_log import ModelEventOption, open_events
from streamgauge.cli.failures import CommandFailed
from streamgauge.cli.model_event import decided
from streamgauge.cli.open_registry import open_registry
from streamgauge.cli.options import Format, FormatOption, settings_of
from streamgauge.cli.output import print_rows, say

if TYPE_CHECKING:
    from streamgauge.access.event_log import EventLog
    from streamgauge.registry.record import Champion

Model = Annotated[str, typer.Argument(help="The model's name, as its events have it.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Verify and say what would change, and change nothing.")
]


def promote(
    ctx: typer.Context,
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that shall serve.")],
    reason: Reason,
    follow: Annotated[
        bool, typer.Option("--follow", help="Newer snapshots of its pipeline take its place.")
    ] = False,
    dry_run: DryRun = False,
    event: ModelEventOption = True,
    output: FormatOption = "table",
) -> None:
    """Make a version champion: it serves within seconds, everywhere, without a missed request.

    Its artefact is verified and tested first. The version that was champion is retired, and can be
    gone back to. Doing it twice is harmless: only the event is told again.

    The version is pinned: it serves until the learner decides anew, on what it learns from now on.
    With `--follow` its pipeline serves instead, each newer snapshot of it; said of the champion, it
    only ends the pinning.

    Example: `streamgauge models promote fraud 12 --reason "won the trial"`
    """
    settings = settings_of(ctx)
    with open_registry(settings) as registry, open_events(settings, wanted=event) as events:
        from streamgauge.registry.publish import revived

        registry.record(model, version)
        revived(registry.fetch(model, version))
        before = registry.champion(model)
        standing = before.version if before else None
        if dry_run:
            _print(model, version, standing, "would be promoted", output)
            return
        found = registry.promote(
            model,
            version,
            expected=standing,
            at=now(),
            actor=author(),
            reason=reason,
            follow=follow,
        )
        if standing != version:
            state = "promoted"
        else:
            state = "unchanged" if before == found else "following" if follow else "pinned"
        previous = standing if standing != version else None
        pipeline = registry.record(model, version).pipeline
        _tell(events, found, "promoted", pipeline, previous=previous, reason=reason)
    _print(model, version, previous, state, output)


def rollback(
    ctx: typer.Context,
    model: Model,
    reason: Reason,
    to: Annotated[
        int | None, typer.Option(help="An older champion; else the one before the present.")
    ] = None,
    dry_run: DryRun = False,
    event: ModelEventOption = True,
    output: FormatOption = "table",
) -> None:
    """Go back to a version that was champion before: it serves within two seconds.

    Its artefact is verified and tested first. Only what served once can be gone back to; a second
    rollback leads to the champion before that one. It is pinned, as by `promote`.

    Example: `streamgauge models rollback fraud --reason "complaints since noon"`
    """
    settings = settings_of(ctx)
    with open_registry(settings) as registry, open_events(settings, wanted=event) as events:
        from streamgauge.registry.publish import revived

        target = registry.rollback_target(model, to=to)
        revived(registry.fetch(model, target))
        before = registry.champion(model)
        standing = before.version if before else None
        if dry_run:
            _print(model, target, standing, "would be gone back to", output)
            return
        found = registry.rollback(
            model, to=target, expected=standing, at=now(), actor=author(), reason=reason
        )
        pipeline = registry.record(model, target).pipeline
        _tell(events, found, "rolled_back", pipeline, previous=standing, reason=reason)
    _print(model, found.version, standing, "rolled_back", output)


def _tell(
    events: EventLog | None,
    champion: Champion,
    action: str,
    pipeline: str,
    *,
    previous: int | None,
    reason: str,
) -> None:
    if events is None:
        return
    from streamgauge.access.event_log import NotTold

    event = decided(
        champion, action, pipeline=pipeline, previous=previous, actor=author(), reason=reason
    )
    try:
        events.tell(event, time=champion.at)
    except NotTold as error:
        raise CommandFailed(
            f"version {champion.version} of {champion.model} is champion now, but the event was not"
            f" told: {error}",
            f"tell it with `streamgauge models promote {champion.model} {champion.version} …`",
        ) from error


def _print(model: str, version: int, previous: int | None, state: str, output: Format) -> None:
    row: dict[str, object] = {
        "model": model,
        "version": version,
        "state": state,
        "previous_version": previous,
    }
    print_rows([row], columns=tuple(row), output=output)
    if output == "table" and state in ("promoted", "rolled_back"):
        say(f"whoever serves {model} takes it within seconds; `streamgauge models show {model}`")
