"""The kinds of panel that all dashboards are made of. Each has a title, a unit, a description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders import stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    ScaleDistributionConfig,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard

from deploy.grafana import ladders
from deploy.grafana.asking import Query, over_time
from deploy.grafana.colours import NEUTRAL, Turns, climbing, turning
from deploy.grafana.ladders import Ladder
from deploy.grafana.variables import SOURCE

Panel: TypeAlias = Builder[dashboard.Panel]

STAT_HEIGHT, GRAPH_HEIGHT = 4, 8


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str,
    turns: Turns = NEUTRAL,
    ladder: Ladder | None = None,
    below: str | None = None,
    decimals: float | None = None,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """One figure of now, four columns wide.

    ``turns`` says from which value on it has another colour; ``below`` is the colour before the
    first of them (green; none where nothing turns). ``ladder`` makes a state of it.
    """
    base = below or ("green" if turns else "text")
    made = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(4)
        .height(STAT_HEIGHT)
        .no_value("–")
        .thresholds(turning(turns, base) if ladder is None else climbing(ladder))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(
            common.BigValueGraphMode.AREA if ladder is None else common.BigValueGraphMode.NONE
        )
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .links(list(links))
        .with_target(over_time((expr, "")))
    )
    if ladder is not None:
        made.mappings([ladders.mapping(ladder)])
    return made if decimals is None else made.decimals(decimals)


def graph(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    span: int = 8,
    limit: float | None = None,
    stacked: bool = False,
    log: bool = False,
    least: float | None = 0.0,
    most: float | None = None,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """Lines over time; ``limit`` draws a threshold. ``least`` and ``most`` bound the axis."""
    made = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(GRAPH_HEIGHT)
        .line_width(1)
        .fill_opacity(25 if stacked else 5)
        .show_points(common.VisibilityMode.NEVER)
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .tooltip(
            VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
        .data_links(list(links))
        .targets([over_time(query, place) for place, query in enumerate(queries)])
    )
    if stacked:
        made.stacking(StackingConfig().mode(common.StackingMode.NORMAL))
    if log:
        made.scale_distribution(
            ScaleDistributionConfig().type(common.ScaleDistribution.LOG).log(10)
        )
    elif least is not None:
        made.axis_soft_min(least)
    if most is not None:
        made.axis_soft_max(most)
    if limit is not None:
        made.thresholds(turning({limit: "red"}, "transparent")).thresholds_style(
            GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    return made


def states(title: str, description: str, query: Query, *, ladder: Ladder, span: int = 12) -> Panel:
    """Which state held when, one line for each series. Ask with ``ladders.ranked``."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit("none")
        .span(span)
        .height(GRAPH_HEIGHT)
        .mappings([ladders.mapping(ladder)])
        .color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
        .thresholds(climbing(ladder))
        .show_value(common.VisibilityMode.NEVER)
        .merge_values(True)
        .legend(VizLegendOptions().show_legend(False))
        .with_target(over_time(query))
    )
