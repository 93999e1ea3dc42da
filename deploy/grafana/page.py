"""What all dashboards have in common: range, refresh, crosshair, links among each other, ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    DashboardLink,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.builders.dashboard import Dashboard as DashboardBuilder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
)

from deploy.grafana import variables as chosen
from deploy.grafana.panels import Panel

TAG = "streamgauge"


def page(
    uid: str,
    title: str,
    description: str,
    *,
    rows: Iterable[tuple[str, Sequence[Panel]]],
    variables: Sequence[QueryVariable] = (),
    annotations: Sequence[AnnotationQuery] = (),
) -> Dashboard:
    """A dashboard of rows, each a question and the panels that answer it, 24 columns wide.

    Panels have the ids 1, 2, … in their order: an id is part of a panel's address.
    """
    made = (
        DashboardBuilder(f"Streamgauge / {title}")
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_others())
        .with_variable(chosen.source())
    )
    for variable in variables:
        made.with_variable(variable)
    made.annotations(list(annotations))
    for question, panels in rows:
        made.with_row(Row(question))
        for panel in panels:
            made.with_panel(panel)
    dashboard = made.build()
    for number, each in enumerate(dashboard.panels or (), start=1):
        each.id_val = number
    return dashboard


def _others() -> DashboardLink:
    return (
        DashboardLink("Streamgauge")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .tooltip("The other dashboards, on the same model and time")
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
