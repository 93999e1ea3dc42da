"""``streamgauge check``: tell whether specs are right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.failures import CheckFailed, WrongUsage
from streamgauge.cli.options import FormatOption, process_overrides, settings_of
from streamgauge.cli.output import print_data, say

if TYPE_CHECKING:
    from streamgauge.cli.spec_files import SpecFile
    from streamgauge.specs import Mistake, ModelSpec
    from streamgauge.state.views import ModelView

#: Most mistakes that are shown of one file; after those, one has to begin anyway.
MOST_SHOWN = 20


def check(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="YAML files, one model each.")],
    output: FormatOption = "table",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 where anything is remarked on.")
    ] = False,
    rate: Annotated[
        float | None, typer.Option(min=1e-6, max=1e7, help="Events a second: what is found then?")
    ] = None,
    features: Annotated[
        int | None, typer.Option(min=0, max=1000, help="How many features the model has.")
    ] = None,
    positives: Annotated[
        float | None, typer.Option(min=1e-6, max=0.5, help="Share of the rare class.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Take traffic and features from the running monitor.")
    ] = False,
) -> None:
    """Check specs without touching anything: line, column, what is wrong, what would be right.

    Exit code 4 where one has a mistake. What is odd but right is a warning. Needs neither Kafka nor
    Redis (but for `--live`).

    With a traffic it also says what would be found and how soon, and what it costs.

    Example: `streamgauge check specs/*.yaml --rate 50 --features 20`
    """
    from streamgauge.cli.apply import now
    from streamgauge.cli.spec_files import read_specs, remarks_on

    if live and rate is not None:
        raise WrongUsage("give --rate or --live, not both")
    if not live and rate is None and (features is not None or positives is not None):
        raise WrongUsage("--features and --positives need a traffic", "give --rate or --live")
    found = read_specs(files)
    today = now()
    remarks = [remarks_on(each, today=today) for each in found]
    plans = _plans(ctx, found, rate=rate, features=features, positives=positives, live=live)
    if output == "table":
        for each, told, plan in zip(found, remarks, plans, strict=True):
            if each.spec is not None:
                _print(each, each.spec, told, plan)
    else:
        documents = zip(found, remarks, plans, strict=True)
        print_data([_plain(*each) for each in documents], output=output)
    refuse_mistakes(found)
    total = sum(len(each) for each in remarks)
    if strict and total:
        raise CheckFailed(f"{_many(total, 'warning')}, and --strict", "see above")


def _plans(
    ctx: typer.Context,
    files: list[SpecFile],
    *,
    rate: float | None,
    features: int | None,
    positives: float | None,
    live: bool,
) -> list[dict[str, Any] | None]:
    """What each right spec would find; None where nobody asked, or the spec is wrong."""
    if rate is None and not live:
        return [None] * len(files)
    from streamgauge.cli.check_power import planned
    from streamgauge.cli.traffic import live_load, load_of

    settings = settings_of(ctx)
    overrides = process_overrides(settings)
    views: Sequence[ModelView] = ()
    if live:
        from streamgauge.cli.connections import open_redis
        from streamgauge.state.reader import ViewReader

        with open_redis(settings) as redis:
            views = ViewReader(redis).read().models
    plans: list[dict[str, Any] | None] = []
    for each in files:
        if each.spec is None:
            plans.append(None)
            continue
        spec = each.spec.over(overrides)
        if rate is None:
            load = live_load(spec.model, views, features=features)
        else:
            load = load_of(spec, rate=rate, features=features)
        plans.append(planned(spec, load, positives=positives))
    return plans


def _print(
    file: SpecFile, spec: ModelSpec, remarks: Sequence[Mistake], plan: dict[str, Any] | None
) -> None:
    from streamgauge.cli.power_page import print_plan
    from streamgauge.specs.completeness import score

    typer.echo(f"{file.path}: ok (model {spec.model})")
    typer.echo(f"{file.path}: {score(spec).sentence()}")
    if plan is not None:
        print_plan(spec, plan)
    for remark in remarks[:MOST_SHOWN]:
        say(remark.render(label="warning: "))
    if len(remarks) > MOST_SHOWN:
        say(f"{file.path}: and {_many(len(remarks) - MOST_SHOWN, 'warning')} more")


def refuse_mistakes(files: list[SpecFile]) -> None:
    """Show every mistake on standard error. Raises ``CheckFailed`` where there is one."""
    total = sum(len(each.mistakes) for each in files)
    if not total:
        return
    for each in files:
        for mistake in each.mistakes[:MOST_SHOWN]:
            say(mistake.render())
        if len(each.mistakes) > MOST_SHOWN:
            say(f"{each.path}: and {len(each.mistakes) - MOST_SHOWN} more")
    wrong = sum(bool(each.mistakes) for each in files)
    raise CheckFailed(
        f"{_many(total, 'mistake')} in {wrong} of the files given", "nothing was changed"
    )


def _many(n: int, what: str) -> str:
    return f"1 {what}" if n == 1 else f"{n} {what}s"


def _plain(
    file: SpecFile, remarks: Sequence[Mistake], plan: dict[str, Any] | None
) -> dict[str, object]:
    from streamgauge.specs.completeness import score

    return {
        "file": str(file.path),
        "ok": file.spec is not None,
        "model": file.spec.model if file.spec else None,
        "mistakes": [_place(each) for each in file.mistakes],
        "warnings": [_place(each) for each in remarks],
        "score": score(file.spec)._asdict() if file.spec else None,
        "power": plan,
    }


def _place(mistake: Mistake) -> dict[str, object]:
    return {name: getattr(mistake, name) for name in ("line", "column", "message", "hint")}
