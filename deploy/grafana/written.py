"""All dashboards, as the text of the files that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import feature, fleet, learner, model, pipeline, truth

DIRECTORY = Path(__file__).parent / "dashboards"
#: By name of the file.
DASHBOARDS: dict[str, Callable[[], Dashboard]] = {
    "fleet.json": fleet.dashboard,
    "model.json": model.dashboard,
    "feature.json": feature.dashboard,
    "truth.json": truth.dashboard,
    "learner.json": learner.dashboard,
    "pipeline.json": pipeline.dashboard,
}


def documents() -> dict[str, str]:
    """The text of each file: keys sorted, so that a change shows as what it is."""
    return {name: text(make()) for name, make in DASHBOARDS.items()}


def text(dashboard: Dashboard) -> str:
    """A dashboard as JSON, in Grafana's classic schema (v1)."""
    return json.dumps(dashboard, cls=JSONEncoder, sort_keys=True, indent=2) + "\n"
