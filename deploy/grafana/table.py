"""A table of one row for each value of a label, a query for each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana import ladders
from deploy.grafana.ladders import Ladder
from deploy.grafana.panels import Panel
from deploy.grafana.variables import SOURCE

HEIGHT = 10


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in a column: an instant query that has one sample for each row.

    From ``red`` on a value is red.
    """

    name: str
    expr: str
    unit: str
    red: float | None = None
    ladder: Ladder | None = None


def table(
    title: str,
    description: str,
    *,
    label: str,
    columns: Sequence[Column],
    links: Sequence[DashboardLink] = (),
) -> Panel:
    """Rows by ``label``; a column that knows nothing of a row leaves its cell empty."""
    made = (
        tables.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit("none")
        .span(24)
        .height(HEIGHT)
        .filterable(True)
        .override_by_name(label, [DynamicConfigValue("links", [link.build() for link in links])])
    )
    lettered = dict(zip(ascii_uppercase, columns, strict=False))
    for letter, column in lettered.items():
        made.with_target(
            prometheus.Dataquery()
            .datasource(SOURCE)
            .expr(column.expr)
            .format(PromQueryFormat.TABLE)
            .instant()
            .ref_id(letter)
        ).override_by_name(column.name, _look(column))
    names = {f"Value #{letter}": column.name for letter, column in lettered.items()}
    return made.transformations(
        [
            DataTransformerConfig("joinByField", options={"byField": label, "mode": "outer"}),
            # Each query brings a column of times, too.
            DataTransformerConfig(
                "filterFieldsByName", options={"include": {"pattern": f"^({label}|Value #.*)$"}}
            ),
            DataTransformerConfig("organize", options={"renameByName": names}),
        ]
    )


def _look(column: Column) -> list[DynamicConfigValue]:
    found = [DynamicConfigValue("unit", column.unit)]
    if column.ladder is not None:
        found.append(DynamicConfigValue("mappings", [ladders.mapping(column.ladder)]))
        found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    if column.red is not None:
        steps = [{"color": "text", "value": None}, {"color": "red", "value": column.red}]
        found.append(DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps}))
        found.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return found
