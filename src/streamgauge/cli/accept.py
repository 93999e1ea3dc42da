"""``streamgauge reference accept``: the present becomes the new normal, on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.apply import author, differences, now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.explain_target import refuse_unknown_feature, split_target
from streamgauge.cli.failures import CommandFailed, WrongUsage
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_rows, printable, say, show_time

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec, SpecVersion
    from streamgauge.specs.accepted import AcceptedSpec
    from streamgauge.state.spec_store import SpecStore
    from streamgauge.state.views import ModelView


def accept(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="The model's name, as its events have it.")],
    step: Annotated[str | None, typer.Option(help="Only this pipeline step.")] = None,
    feature: Annotated[
        list[str] | None, typer.Option(help="Only this feature; may be given several times.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why this is how it should be, for whoever asks later.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    output: FormatOption = "table",
) -> None:
    """Take what the model's stream shows now as its new normal, signed with your name.

    The last windows become the reference; alarms about what they differ in end with the next ones.
    A profile in use gives way. Nothing is deleted: the spec's earlier versions stand.

    Example: `streamgauge reference accept fraud --feature amount --reason "new tariff in March"`
    """
    from pydantic import ValidationError

    from streamgauge.specs.accepted import AcceptedSpec
    from streamgauge.state.reader import ViewReader
    from streamgauge.state.spec_store import SpecConflict, SpecStore

    with open_redis(settings_of(ctx)) as redis:
        store = SpecStore(redis)
        snapshot = ViewReader(redis).read()
        latest = store.latest(model)
        views = [view for view in snapshot.models if view.model == model]
        known = {view.model for view in snapshot.models} | snapshot.specs.keys()
        refuse_unknown(model, step, feature or [], views, latest, known)
        refuse_to_part_a_profile(store, latest, step=step, features=feature or [])
        at = now()
        try:
            accepted = AcceptedSpec(
                at=at,
                by=author(),
                reason=reason,
                step=step,
                features=tuple(dict.fromkeys(feature)) if feature else None,
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise WrongUsage(f"--{first['loc'][0]}: {first['msg']}") from error
        spec = with_accepted(model, latest, accepted)
        changes = list(differences(latest, spec))
        version = latest
        if not dry_run:
            try:
                version = store.apply(
                    spec, now=at, by=accepted.by, based_on=latest.number if latest else 0
                ).version
            except SpecConflict as error:
                raise CommandFailed(str(error)) from error
    row: dict[str, object] = {
        "model": model,
        "version": version.number if version else None,
        "state": "would accept" if dry_run else "accepted",
        "effective_at": show_time(version.effective_at) if version and not dry_run else None,
        "accepted": accepted.model_dump(mode="json", exclude_none=True),
        "changes": changes,
    }
    print_rows([row], columns=("model", "version", "state", "effective_at"), output=output)
    if output == "table":
        for change in changes:
            say(f"  {model}: {change}")
        for line in _open_alarms(views):
            say(line)


def refuse_unknown(
    model: str,
    step: str | None,
    features: Sequence[str],
    views: Sequence[ModelView],
    latest: SpecVersion | None,
    known: set[str],
) -> None:
    """What nobody has seen has no present. Raises ``CommandFailed``."""
    if model not in known:
        found, rest = split_target(model, known)
        raise CommandFailed(
            f"no model {model!r} was seen yet", f"did you mean {found} --feature {rest}?"
        )
    steps = {series.step for view in views for series in view.series}
    if not steps:
        raise CommandFailed(
            f"nothing was seen of model {model!r} yet, so there is no present to accept",
            f"see `streamgauge explain {model}`",
        )
    if step is not None and step not in steps:
        there = ", ".join(repr(each) for each in sorted(steps))
        raise CommandFailed(f"model {model!r} has no step {step!r}", f"there are: {there}")
    for feature in features:
        refuse_unknown_feature(model, feature, views, [latest] if latest else [])


def refuse_to_part_a_profile(
    store: SpecStore, latest: SpecVersion | None, *, step: str | None, features: Sequence[str]
) -> None:
    """A profile gives way as a whole: whatever is not accepted with it would stand without one."""
    from streamgauge.references import ReferenceProfile

    if latest is None or latest.spec.reference.id is None:
        return
    reference_id, model = latest.spec.reference.id, latest.spec.model
    if features:
        raise CommandFailed(
            f"model {model!r} is compared with profile {reference_id!r}, and accepting only"
            f" {', '.join(features)} would take it from all other features",
            "leave --feature out, or build a profile of recent data"
            f" (streamgauge reference build {model} FILE)",
        )
    data = store.get_reference(model, reference_id)
    try:
        theirs = ReferenceProfile.from_bytes(data).step if data is not None else step
    except ValueError:
        # A damaged profile judges nothing, so nothing is lost with it.
        theirs = step
    if step is not None and step != theirs:
        raise CommandFailed(
            f"profile {reference_id!r} of {model!r} describes step {theirs!r}, and accepting step"
            f" {step!r} would take it away",
            "leave --step out to accept all steps",
        )


def with_accepted(model: str, latest: SpecVersion | None, accepted: AcceptedSpec) -> ModelSpec:
    """The newest spec with the decision in it; of a profile nothing stays."""
    from streamgauge.specs import ModelSpec

    document: dict[str, Any] = latest.spec.document() if latest else {"model": model}
    reference = document.get("reference", {})
    if reference.get("kind") == "profile":
        reference = {}
    document["reference"] = {
        **reference,
        "kind": "learned",
        "accepted": accepted.model_dump(mode="json", exclude_none=True),
    }
    return ModelSpec.from_document(document)


def _open_alarms(views: Sequence[ModelView]) -> list[str]:
    firing = [alarm for view in views for alarm in view.alarms if alarm.status == "firing"]
    return [
        f"  open now: {printable(alarm.summary)} (since {show_time(alarm.starts_at)} UTC)"
        for alarm in firing[:10]
    ]
