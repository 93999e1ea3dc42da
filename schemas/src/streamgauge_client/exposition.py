"""The client's counters in a registry of prometheus_client, for who has one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from streamgauge_client.sending import Sender

_registering = threading.Lock()
_collectors: WeakKeyDictionary[Any, EventCollector] = WeakKeyDictionary()


class EventCollector:
    """Adds up the events of all publishers that were registered in one registry.

    It keeps the publishers alive: a counter must not fall because one of them was collected.
    """

    def __init__(self) -> None:
        self._senders: list[Sender] = []

    def add(self, sender: Sender) -> None:
        if sender not in self._senders:
            self._senders.append(sender)

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily

        family = CounterMetricFamily(
            "streamgauge_client_events",
            "Events that were published, by what became of them.",
            labels=["kind", "outcome"],
        )
        total: Counter[tuple[str, str]] = Counter()
        for sender in list(self._senders):
            total.update(sender.outcomes())
        for labels, count in sorted(total.items()):
            family.add_metric(labels, count)
        yield family


def register(sender: Sender, registry: Any) -> None:
    """Have a registry show the events of a sender, once. Raises ``ImportError``."""
    try:
        import prometheus_client
    except ImportError as error:
        raise ImportError(
            "register_metrics needs prometheus_client; pip install prometheus-client, "
            "or read publisher.stats()"
        ) from error
    chosen = prometheus_client.REGISTRY if registry is None else registry
    with _registering:
        collector = _collectors.get(chosen)
        if collector is None:
            collector = EventCollector()
            chosen.register(collector)
            _collectors[chosen] = collector
        collector.add(sender)
