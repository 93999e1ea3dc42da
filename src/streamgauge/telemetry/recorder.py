"""A process's own numbers, made from the catalogue in a registry that it is given."""

from __future__ import annotations

import threading
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streamgauge.telemetry.definition import PREFIX, Definition
from streamgauge.telemetry.processes import BUILD_INFO
from streamgauge.telemetry.traces import TRACE_LABEL


class Telemetry:
    """Counters, gauges and histograms of one process.

    A metric comes into being when it is first used, or by ``declare``, which shows it as 0 from
    the start. Thread-safe, as ``prometheus_client`` is.

    Examples
    --------
    >>> from streamgauge.telemetry.processes import CHECKPOINTS
    >>> telemetry = Telemetry(CollectorRegistry(), service="monitor", version="1")
    >>> telemetry.count(CHECKPOINTS, result="ok")
    >>> telemetry.value(CHECKPOINTS, result="ok")
    1.0
    """

    def __init__(self, registry: CollectorRegistry, *, service: str, version: str) -> None:
        self.registry = registry
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.set(BUILD_INFO, 1, service=service, version=version)

    def declare(self, definition: Definition, **labels: str) -> None:
        """Show a metric before anything happened to it."""
        self._child(definition, labels)

    def count(self, definition: Definition, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        self._child(definition, labels).inc(amount)

    def set(self, definition: Definition, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._child(definition, labels).set(value)

    def observe(
        self, definition: Definition, value: float, *, trace: str | None = None, **labels: str
    ) -> None:
        """Put one value into a histogram; with ``trace`` it becomes its bucket's exemplar."""
        exemplar = None if trace is None else {TRACE_LABEL: trace}
        self._child(definition, labels).observe(value, exemplar)

    def forget(self, definition: Definition, **labels: str) -> None:
        """Remove one series, such as that of a partition that is no longer ours."""
        if definition.name in self._made:
            values = [str(labels[name]) for name in definition.labels]
            self._made[definition.name].remove(*values)

    def value(self, definition: Definition, **labels: str) -> float | None:
        """What a counter or gauge stands at, for tests and health checks."""
        return self.registry.get_sample_value(definition.full_name, labels)

    def _child(self, definition: Definition, labels: dict[str, str]) -> Any:
        metric = self._made.get(definition.name)
        if metric is None:
            with self._lock:
                metric = self._made.get(definition.name) or self._make(definition)
                self._made[definition.name] = metric
        return metric.labels(**labels) if definition.labels else metric

    def _make(self, definition: Definition) -> Any:
        name = f"{PREFIX}_{definition.name}"
        if definition.kind == "histogram":
            return Histogram(
                name,
                definition.help,
                definition.labels,
                unit=definition.unit,
                buckets=definition.buckets,
                registry=self.registry,
            )
        if definition.kind == "counter":
            return Counter(
                name,
                definition.help,
                definition.labels,
                unit=definition.unit,
                registry=self.registry,
            )
        if definition.kind == "gauge":
            return Gauge(
                name,
                definition.help,
                definition.labels,
                unit=definition.unit,
                registry=self.registry,
            )
        raise ValueError(f"{definition.name}: a process does not record metrics of kind states")
