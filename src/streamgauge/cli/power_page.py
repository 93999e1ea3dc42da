"""The tables of ``check --rate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from streamgauge.cli.output import print_rows, show_number
from streamgauge.specs.scalars import show_duration

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec


def print_plan(spec: ModelSpec, plan: dict[str, Any]) -> None:
    """The plan as tables."""
    typer.echo(f"at {plan['load']}:")
    typer.echo("")
    seconds, windows = plan["window_seconds"], plan["within_windows"]
    rows = [
        (
            "judgement window",
            f"{show_duration(seconds)}, {plan['window_events']:,} events",
            "long enough for min_duration and min_events"
            if plan["judged"]
            else f"TOO FEW: {spec.defaults.min_events} are needed, nothing is compared",
        ),
        (
            "tests a window",
            plan["tests_per_window"],
            f"{plan['features']} features, score, class, latency",
        ),
        ("chance of each to err", f"{plan['alpha']:.2g}", "the budget ÷ the tests of 30 days"),
        (
            "false alarms a month",
            f"at most {plan['false_alarms_per_month']:g}",
            "false_alarms_per_month",
        ),
        (
            "distance that fires",
            show_number(plan["threshold"]),
            f"against {plan['reference_events']:,} events of reference",
        ),
    ]
    if plan["judged"]:
        rows.append(
            (
                "smallest shift found",
                _sigmas(plan["smallest_shift"]),
                f"in {plan['sure']:.0%} of cases within {windows} windows",
            )
        )
    if "positives" in plan:
        rows += _positive_rows(plan["positives"])
    rows += [
        ("Prometheus series", plan["prometheus_series"], "about, for each version that predicts"),
        ("Redis", _bytes(plan["redis_bytes"]), "about, once a week was seen"),
    ]
    print_rows(
        [dict(zip(("what", "value", "why"), row, strict=True)) for row in rows],
        columns=("what", "value", "why"),
    )
    if plan["shifts"]:
        typer.echo("")
        print_rows(
            [
                {
                    "mean_shift": _sigmas(shift["size"]),
                    "distance": shift["distance"],
                    f"found_in_{windows}_windows": f"{shift['within']:.0%}",
                    "surely_after": _after(shift["seconds"]),
                }
                for shift in plan["shifts"]
            ],
            columns=("mean_shift", "distance", f"found_in_{windows}_windows", "surely_after"),
        )
        typer.echo("")
        typer.echo("for independent events; what yours differ by themselves, `explain` shows")
    typer.echo("")


def _positive_rows(plan: dict[str, Any]) -> list[tuple[str, Any, str]]:
    found = plan["found_from"]
    rows = [
        (
            "positives",
            f"{plan['share']:.3g}, {plan['per_window']:.3g} a window",
            f"a rise is found from {found:.3g} on" if found else "a rise is not found",
        )
    ]
    if "recall_within" in plan:
        after = show_duration(plan["labels_after"])
        rows.append(
            ("recall", f"± {plan['recall_within']:.2g}", f"from a day's labels, {after} later")
        )
    return rows


def _sigmas(size: float | None) -> str:
    return "none" if size is None else f"{size:.2f} σ"


def _after(seconds: float | None) -> str:
    """A time that is easy to read; days tell long ones well enough."""
    if seconds is None:
        return "not found"
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.0f}d"
    return show_duration(float(round(seconds)))


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
