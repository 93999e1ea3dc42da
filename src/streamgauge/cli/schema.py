"""``streamgauge schema``: the JSON Schemas of events and of the spec."""

from __future__ import annotations

from typing import Annotated

import typer

from streamgauge.cli.failures import WrongUsage
from streamgauge.cli.output import print_data


def schema(
    name: Annotated[
        str | None, typer.Argument(help="An event (prediction, label, …) or `spec`.")
    ] = None,
) -> None:
    """Print the JSON Schema of an event or of the spec; without a name, list them.

    Example: `streamgauge schema spec > spec.schema.json`
    """
    import difflib

    from streamgauge.specs.json_schema import spec_schema
    from streamgauge_client.events import EVENTS
    from streamgauge_client.schema import generate

    names = [*EVENTS, "spec"]
    if name is None:
        for each in names:
            typer.echo(each)
    elif name == "spec":
        print_data(spec_schema(), output="json")
    elif name in EVENTS:
        # The very text that the contract's folder has.
        typer.echo(generate()[f"{name}.v1.schema.json"], nl=False)
    else:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise WrongUsage(f"there is no schema {name!r}", f"{hint}there are: {', '.join(names)}")
