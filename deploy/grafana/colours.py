"""From which value on a panel has which colour."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

from deploy.grafana import ladders
from deploy.grafana.ladders import Ladder

#: A colour by the value from which on it holds.
Turns = Mapping[float, str]

NEUTRAL: Turns = {}
#: Of a severity: good below 1.
FIRES: Turns = {1.0: "red"}


def turning(turns: Turns, base: str) -> ThresholdsConfig:
    """``base`` before the first turn."""
    first = Threshold(value=None, color=base)
    others = [Threshold(value=value, color=colour) for value, colour in turns.items()]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([first, *others])


def climbing(ladder: Ladder) -> ThresholdsConfig:
    """The colours of states."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(ladders.steps(ladder))
