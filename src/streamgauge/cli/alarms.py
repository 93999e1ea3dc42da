"""``streamgauge alarms``: what fires, who looks after it, and what is to be quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamgauge.cli.alarms_handle import acknowledge, judge, lift, silence
from streamgauge.cli.apply import now
from streamgauge.cli.connections import open_redis
from streamgauge.cli.options import FormatOption, settings_of
from streamgauge.cli.output import print_rows, printable, say, show_time

if TYPE_CHECKING:
    from streamgauge.state.handlings import Handling
    from streamgauge.state.views import AlarmView

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Alarms: look after them, silence them for a while, say whether they were right.",
)
#: Characters of an id that are shown, and enough to name it.
SHORT = 12


@app.command("list")
def list_alarms(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Only this model's.")] = None,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Those that ended a short while ago, too.")
    ] = False,
    output: FormatOption = "table",
) -> None:
    """List open alarms, the worst first, and who looks after which.

    Example: `streamgauge alarms list --model fraud`
    """
    from streamgauge.state.handlings import Handlings
    from streamgauge.state.reader import ViewReader

    with open_redis(settings_of(ctx)) as redis:
        views = ViewReader(redis).read().models
        handled = Handlings(redis).all()
    rows = [
        _row(view.model, alarm, handled.get(alarm.fingerprint))
        for view in views
        for alarm in view.alarms
        if (resolved or alarm.status == "firing") and model in (None, view.model)
    ]
    rows.sort(key=lambda row: (row["status"] == "resolved", -row["severity_ratio"]))
    if output == "table" and not rows:
        say("no alarm is open")
        return
    columns = ("alarm", "status", "severity", "model", "kind", "since", "handled", "summary")
    print_rows(rows, columns=columns, output=output)


def _row(model: str, alarm: AlarmView, handling: Handling | None) -> dict[str, Any]:
    held = handling if handling and handling.holds(alarm.alarm_id, now()) else None
    status = held.status if held and alarm.status == "firing" else alarm.status
    told = "-"
    if held is not None:
        until = f", until {show_time(held.until)}" if held.until is not None else ""
        told = f"{held.by}{until}{f': {held.reason}' if held.reason else ''}"
    return {
        "alarm": printable(alarm.alarm_id[:SHORT]),
        "status": status,
        "severity": alarm.severity,
        "model": printable(model),
        "kind": alarm.kind,
        "since": show_time(alarm.starts_at),
        "handled": printable(told),
        "summary": printable(alarm.summary),
        "alarm_id": alarm.alarm_id,
        "fingerprint": alarm.fingerprint,
        "severity_ratio": alarm.severity_ratio,
        "ends_at": alarm.ends_at,
    }


app.command()(acknowledge)
app.command()(silence)
app.command()(lift)
app.command()(judge)
