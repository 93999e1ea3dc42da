"""The committed dashboards as a reader of files sees them: JSON, not the objects they came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.grafana.written import DIRECTORY

FILES = sorted(DIRECTORY.glob("*.json"))
LABEL_VALUES = re.compile(r"label_values\((?P<metric>.+), (?P<label>\w+)\)")


@dataclass(frozen=True)
class Asked:
    """One query: which dashboard, what of it asks, and PromQL with variables in it."""

    dashboard: str
    where: str
    expr: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.where}"


def load(name: str) -> Any:
    return json.loads((DIRECTORY / name).read_text(encoding="utf-8"))


def panels(document: Any) -> list[Any]:
    """Everything but the rows' titles."""
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def variables(document: Any) -> dict[str, Any]:
    """Variables that are asked of Prometheus, by name."""
    return {v["name"]: v for v in document["templating"]["list"] if v["type"] == "query"}


def queries(name: str) -> Iterator[Asked]:
    """What panels and annotations ask."""
    document = load(name)
    for panel in panels(document):
        for target in panel["targets"]:
            where = f"panel {panel['id']}, {panel['title']} {target['refId']}"
            yield Asked(name, where, target["expr"])
    for annotation in document["annotations"]["list"]:
        yield Asked(name, f"annotation {annotation['name']}", annotation["expr"])


def expressions(name: str) -> list[str]:
    """All PromQL of a file, that of its variables too."""
    found = [asked.expr for asked in queries(name)]
    for variable in variables(load(name)).values():
        match = LABEL_VALUES.fullmatch(variable["query"]["query"])
        assert match is not None, variable["name"]
        found.append(match["metric"])
    return found
