"""``/metrics`` of the console's server: the library's bytes, for less."""

from __future__ import annotations

import gzip

import pytest
from prometheus_client.exposition import choose_encoder

from streamgauge.console.metrics import scrape
from streamgauge.telemetry import Telemetry
from streamgauge.telemetry import ingest as numbers
from tests.exposition.scraped import Scraped
from tests.exposition.test_collector import hostile_reading


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=1.0.0",
        "application/openmetrics-text; version=1.0.0; escaping=underscores",
        "application/openmetrics-text",
        "text/plain; version=1.0.0",
        "text/plain; version=0.0.4",
        "",
    ],
)
def test_it_is_what_the_library_would_write(accept: str) -> None:
    # Given hostile names, a histogram, and an exemplar
    registry = Scraped(hostile_reading()).registry
    telemetry = Telemetry(registry, service="exporter", version="1")
    telemetry.observe(numbers.REQUEST_DURATION, 0.2, trace="a" * 32, route="/")
    encode, _ = choose_encoder(accept)
    assert b"</bdi>" in encode(registry)
    found = scrape(registry, accept=accept, encoding="gzip", names=[])
    assert gzip.decompress(found.body) == encode(registry)
