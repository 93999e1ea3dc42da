"""A collector with a registry and a clock of its own, whose reading a test may replace."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from streamgauge.exposition.collector import ViewCollector
from streamgauge.exposition.source import Reading
from streamgauge.state.views import ModelView
from tests.exposition.builders import NOW, partition, reading


class Scraped:
    """What a scrape would see at ``now``."""

    def __init__(self, now: Reading, *, max_series: int = 20_000) -> None:
        self.reading = now
        self.now = NOW
        self.registry = CollectorRegistry()
        self.registry.register(
            ViewCollector(lambda: self.reading, max_series=max_series, clock=lambda: self.now)
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"streamgauge_{name}", labels)

    def names(self) -> set[str]:
        return {sample.name for family in self.registry.collect() for sample in family.samples}

    def labels(self, name: str, label: str) -> list[str]:
        return [
            sample.labels[label]
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == f"streamgauge_{name}"
        ]


def scraped(models: Sequence[ModelView] = (), **options: int) -> Scraped:
    return Scraped(reading(models, [partition()]), **options)
