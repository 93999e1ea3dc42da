"""Severity, which is alike for all detectors: as a map over time, and as bars of now."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, heatmap
from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.builders.heatmap import (
    CellValues,
    FilterValueRange,
    HeatmapColorOptions,
    YAxisConfig,
)
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from deploy.grafana.asking import Query, asked, over_time
from deploy.grafana.colours import FIRES, turning
from deploy.grafana.panels import Panel
from deploy.grafana.variables import SOURCE

#: Of a severity: how often it is its threshold.
TIMES = "suffix: ×"
HEIGHT = 10


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
        .height(HEIGHT)
        .max_data_points(200)
        .thresholds(turning(FIRES, "green"))
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
        .with_target(over_time(query))
    )


def bars(
    title: str,
    description: str,
    query: Query,
    *,
    span: int = 8,
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """How series stand now, one bar each, in the query's order."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(TIMES)
        .span(span)
        .height(HEIGHT)
        .min(0)
        .thresholds(turning(FIRES, "green"))
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .data_links(list(links))
        .with_target(asked(query).instant())
    )
