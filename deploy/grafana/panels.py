"""The kinds of panel that all dashboards are made of. Each has a title, a unit, a description."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    ScaleDistributionConfig,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import (
    CellValues,
    FilterValueRange,
    HeatmapColorOptions,
    YAxisConfig,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from deploy.grafana import ladders
from deploy.grafana.ladders import Ladder
from deploy.grafana.variables import SOURCE

Panel: TypeAlias = Builder[dashboard.Panel]
#: An expression and the legend of its series.
Query: TypeAlias = tuple[str, str]

#: Of a severity: how often it is its threshold.
TIMES = "suffix: ×"
NEUTRAL: dict[float, str] = {}
#: Good below 1.
FIRES = {1.0: "red"}
STAT_HEIGHT, GRAPH_HEIGHT, MAP_HEIGHT = 4, 8, 10


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: str,
    turns: dict[float, str] = NEUTRAL,
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
        .thresholds(_steps(turns, base) if ladder is None else _ladder_steps(ladder))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(
            common.BigValueGraphMode.AREA if ladder is None else common.BigValueGraphMode.NONE
        )
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .links(list(links))
        .with_target(_range((expr, ""), 0))
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
        .targets([_range(query, place) for place, query in enumerate(queries)])
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
        made.thresholds(_steps({limit: "red"}, "transparent")).thresholds_style(
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
        .thresholds(_ladder_steps(ladder))
        .show_value(common.VisibilityMode.NEVER)
        .merge_values(True)
        .legend(VizLegendOptions().show_legend(False))
        .with_target(_range(query, 0))
    )


def severities(
    title: str,
    description: str,
    query: Query,
    *,
    span: int = 24,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """Severity as a heatmap, a row for each series: green below the threshold, red from it on.

    The scale is cut at 2, with the threshold in its middle and an even number of colours, so that
    none of them lies on both sides of 1.
    """
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(TIMES)
        .span(span)
        .height(MAP_HEIGHT)
        .max_data_points(200)
        .thresholds(_steps(FIRES, "green"))
        .calculate(False)
        .color(
            HeatmapColorOptions()
            .mode(HeatmapColorMode.SCHEME)
            .scheme("RdYlGn")
            .scale(HeatmapColorScale.LINEAR)
            .reverse(False)
            .steps(8)
            .min(0)
            .max(2)
        )
        # Grafana's own limit would leave 0 blank, which is the best there is.
        .filter_values(FilterValueRange().le(-1))
        .cell_values(CellValues().unit(TIMES).decimals(2))
        .cell_gap(1)
        .y_axis(YAxisConfig().axis_placement(common.AxisPlacement.LEFT))
        .show_legend()
        .data_links(list(links))
        .with_target(_range(query, 0))
    )


def bars(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str,
    span: int = 8,
    turns: dict[float, str] = FIRES,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """How series stand now, one bar each, in the query's order."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(MAP_HEIGHT)
        .min(0)
        .thresholds(_steps(turns, "green"))
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .data_links(list(links))
        .with_target(_query(query, 0).instant())
    )


def _range(query: Query, place: int) -> prometheus.Dataquery:
    return _query(query, place).range()


def _query(query: Query, place: int) -> prometheus.Dataquery:
    expr, legend = query
    return (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(expr)
        .legend_format(legend or "__auto")
        .ref_id(ascii_uppercase[place])
    )


def _steps(turns: dict[float, str], base: str) -> ThresholdsConfig:
    first = dashboard.Threshold(value=None, color=base)
    others = [dashboard.Threshold(value=value, color=colour) for value, colour in turns.items()]
    return ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps([first, *others])


def _ladder_steps(ladder: Ladder) -> ThresholdsConfig:
    return ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(ladders.steps(ladder))
