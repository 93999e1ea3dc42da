"""What a person chooses at the top of a dashboard."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    VariableOption,
    VariableRefresh,
    VariableSort,
)

#: Every panel asks the source that the variable names, so any Prometheus may hold the numbers.
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


def source() -> DatasourceVariable:
    """Which Prometheus."""
    return (
        DatasourceVariable("datasource")
        .label("Prometheus")
        .description("The Prometheus that scrapes Streamgauge.")
        .type("prometheus")
    )


def one(name: str, description: str, *, metric: str, label: str) -> QueryVariable:
    """One value of a label."""
    return _query(name, description, metric, label)


def several(name: str, description: str, *, metric: str, label: str) -> QueryVariable:
    """Any values of a label, at first all of them. Ask with ``=~``."""
    return (
        _query(name, description, metric, label)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def model(metric: str = "streamgauge_model_expected") -> QueryVariable:
    """The model that a dashboard is about."""
    return one("model", "The model that this is about.", metric=metric, label="model")


def version() -> QueryVariable:
    """The versions of that model, all of them unless somebody chooses."""
    return several(
        "version",
        "Versions of the model.",
        metric='streamgauge_model_state{model="$model"}',
        label="version",
    )


def _query(name: str, description: str, metric: str, label: str) -> QueryVariable:
    asked = f"label_values({metric}, {label})"
    return (
        QueryVariable(name)
        .label(name.capitalize())
        .description(description)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": asked, "refId": "PrometheusVariableQueryEditor"})
        .definition(asked)
        # With the time range, because versions come and go.
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NATURAL_ASC)
    )
