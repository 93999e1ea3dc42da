"""The traffic that a spec is checked for: as somebody says, or as the monitor sees it now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from streamgauge.cli.failures import CommandFailed

if TYPE_CHECKING:
    from streamgauge.specs import ModelSpec
    from streamgauge.state.views import ModelView

#: Features of a model of which neither the spec nor the command line says how many.
TYPICAL_FEATURES = 20


class Load(NamedTuple):
    """The traffic that is planned for. ``source`` says who said so."""

    rate: float
    features: int
    source: str
    reference_events: int | None = None


def load_of(spec: ModelSpec, *, rate: float, features: int | None) -> Load:
    """The load as the command line gives it."""
    declared = sum(not feature.ignore for feature in spec.features.values())
    count = features if features is not None else declared or TYPICAL_FEATURES
    said = "" if features is not None else ", as declared" if declared else ", assumed"
    return Load(rate, count, f"{rate:g} events a second, {count} features{said}")


def live_load(model: str, views: Sequence[ModelView], *, features: int | None) -> Load:
    """The load as the last windows of a model show it, over all shards and versions."""
    series = [each for view in views if view.model == model for each in view.series]
    rated = [each for each in series if each.rate]
    if not rated:
        raise CommandFailed(
            f"no window of model {model!r} was judged yet", "give the traffic: --rate 50"
        )
    # A step sees what the one before it saw; the busiest one is the traffic.
    rates: dict[str, float] = {}
    for each in rated:
        rates[each.step] = rates.get(each.step, 0.0) + (each.rate or 0.0)
    own = {f.name for each in series for f in each.features if not f.name.startswith("output")}
    count = features if features is not None else len(own)
    rate = max(rates.values())
    events = max((each.reference_n or 0 for each in series), default=0)
    return Load(
        rate, count, f"{rate:.4g} events a second, {count} features, as seen now", events or None
    )
