"""What a service that serves models shows of them, in its own Prometheus registry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from streamgauge.registry.rejected import REASONS
from streamgauge.telemetry.definition import PREFIX
from streamgauge.telemetry.registry import MODEL_STALE, REGISTRY_REJECTED

if TYPE_CHECKING:
    from streamgauge.serving.served_model import ServedModel

_registering = threading.Lock()
_collectors: WeakKeyDictionary[CollectorRegistry, ServedCollector] = WeakKeyDictionary()


class ServedCollector(Collector):
    """All served models of one registry. It keeps them alive: a counter must not fall."""

    def __init__(self) -> None:
        self._models: list[ServedModel] = []

    def add(self, model: ServedModel) -> None:
        if model not in self._models:
            self._models.append(model)

    def collect(self) -> Iterator[Any]:
        refused = CounterMetricFamily(
            f"{PREFIX}_{REGISTRY_REJECTED.name}",
            REGISTRY_REJECTED.help,
            labels=REGISTRY_REJECTED.labels,
        )
        stale = GaugeMetricFamily(
            MODEL_STALE.full_name, MODEL_STALE.help, labels=MODEL_STALE.labels
        )
        totals: dict[tuple[str, str], int] = {}
        oldest: dict[str, float] = {}
        for each in list(self._models):
            for reason in REASONS:
                n = each.refused.get(reason, 0)
                totals[each.model, reason] = totals.get((each.model, reason), 0) + n
            oldest[each.model] = max(oldest.get(each.model, 0.0), each.stale_seconds)
        for labels, n in sorted(totals.items()):
            refused.add_metric(labels, n)
        for model, seconds in sorted(oldest.items()):
            stale.add_metric([model], seconds)
        yield from (refused, stale)


def register(model: ServedModel, registry: CollectorRegistry | None) -> None:
    """Have a registry show a served model, once."""
    chosen = REGISTRY if registry is None else registry
    with _registering:
        collector = _collectors.get(chosen)
        if collector is None:
            collector = _collectors[chosen] = ServedCollector()
            chosen.register(collector)
        collector.add(model)
