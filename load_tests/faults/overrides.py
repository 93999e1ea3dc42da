"""The monitor's settings as the recount takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge.settings import MonitoringSettings
from streamgauge.specs.model_spec import process_defaults


def overrides(monitoring: Mapping[str, float]) -> dict[str, Any]:
    """The monitor's settings as the recount's configuration takes them."""
    given = MonitoringSettings(**{name.lower(): v for name, v in monitoring.items()})
    return process_defaults(**given.model_dump())
