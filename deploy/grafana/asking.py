"""One query of a panel."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TypeAlias

from grafana_foundation_sdk.builders import prometheus

from deploy.grafana.variables import SOURCE

#: An expression and the legend of its series.
Query: TypeAlias = tuple[str, str]


def over_time(query: Query, place: int = 0) -> prometheus.Dataquery:
    """Asked over the time that the dashboard shows."""
    return asked(query, place).range()


def asked(query: Query, place: int = 0) -> prometheus.Dataquery:
    """The query at a place among those of its panel."""
    expr, legend = query
    return (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(expr)
        .legend_format(legend or "__auto")
        .ref_id(ascii_uppercase[place])
    )
