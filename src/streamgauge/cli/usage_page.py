"""The part of ``explain`` about a model's use: what users do, and the processes that publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from streamgauge.cli.output import print_rows, printable, show_number, show_time
from streamgauge.cli.verdict_rows import percent, words

if TYPE_CHECKING:
    from streamgauge.state.views import ClientView, JudgementView, ModelView

_CLIENTS = ("service", "processes", "cpu", "memory", "requests_a_second", "errors_a_second")


def print_news(views: Sequence[ModelView], *, now: float) -> None:
    """What must be known before anything else: silence, and that the normal was changed."""
    silent: dict[str, float] = {}
    for view in views:
        for step, since in view.silent.items():
            silent[step] = min(since, silent.get(step, since))
    for step, since in sorted(silent.items()):
        of = f" of step {printable(step)}" if step else ""
        typer.echo(f"SILENT: no predictions{of} since {show_time(since)} UTC, {_ago(since, now)}")
    accepted = {(v.accepted_at, v.accepted_by) for v in views if v.accepted_at is not None}
    for at, by in sorted(accepted, key=lambda each: each[0] or 0.0):
        who = printable(by or "somebody")
        typer.echo(f"accepted: what the stream showed at {show_time(at)} UTC is the normal ({who})")


def print_behaviour(views: Sequence[ModelView]) -> None:
    """Rates of what users do, with what they are held to."""
    several = len(views) > 1
    rows = [_act(judgement, str(view.partition)) for view in views for judgement in view.behaviour]
    if not rows:
        return
    interactions = sum(view.interactions for view in views)
    typer.echo(f"\nbehaviour: {interactions:,} interactions in the last window")
    orphans = sum(view.feedback_orphans for view in views)
    if orphans:
        acts = "one act" if orphans == 1 else f"{orphans:,} acts"
        typer.echo(f"{acts} on interactions of which no prediction is known")
    columns = ["users", "state", "rate", "at_most", "severity", "interactions"]
    print_rows(rows, columns=[*(["partition"] if several else []), *columns])


def print_clients(views: Sequence[ModelView], *, now: float) -> None:
    """The processes that publish, by service, and what was lost on the way."""
    from streamgauge.exposition.clients import newest, service_summaries

    clients: Sequence[ClientView] = newest(client for view in views for client in view.clients)
    lost = sum(view.lost_events for view in views)
    if not clients and not lost:
        return
    services = service_summaries(clients, now=now)
    told = []
    if clients:
        alive = sum(service.processes for service in services)
        last = max(client.last_seen for client in clients)
        count = f"{alive} process{'' if alive == 1 else 'es'}" if alive else "none"
        told.append(f"{count} alive, last heard {_ago(last, now)}")
    if lost:
        told.append(f"{lost:,} events LOST on the way to the log")
    typer.echo(f"\nclients: {'; '.join(told)}")
    measured = [each for each in services if each.measurements]
    if measured:
        print_rows(
            [
                {
                    "service": each.service,
                    "processes": each.processes,
                    "cpu": percent(each.measurements.get("cpu_ratio")),
                    "memory": _bytes(each.measurements.get("memory_bytes")),
                    "requests_a_second": each.measurements.get("requests_per_second"),
                    "errors_a_second": each.measurements.get("request_errors_per_second"),
                }
                for each in measured
            ],
            columns=_CLIENTS,
        )


def _act(judgement: JudgementView, partition: str) -> dict[str, object]:
    return {
        "partition": partition,
        "users": judgement.target,
        "state": words(judgement.state),
        "rate": percent(judgement.value),
        "at_most": percent(judgement.threshold),
        "severity": judgement.severity,
        "interactions": f"{judgement.n:,}",
    }


def _ago(moment: float, now: float) -> str:
    from streamgauge.exposition.words import duration

    return f"{duration(max(0.0, now - moment))} ago"


def _bytes(value: float | None) -> str:
    """Memory as people compare it.

    >>> _bytes(2.5e8), _bytes(3.1e9), _bytes(None)
    ('250 MB', '3.1 GB', '-')
    """
    if value is None:
        return "-"
    return f"{show_number(value / 1e9)} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"
