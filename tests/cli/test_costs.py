"""What ``check`` says that a model costs is what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from streamgauge.cli.costs import cost
from streamgauge.exposition.collector import ViewCollector
from streamgauge.exposition.source import Reading
from streamgauge.monitor import Configuration
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.power import OUTPUTS
from streamgauge.monitor.view import model_view
from streamgauge.specs import ModelSpec
from streamgauge.state.packing import pack
from streamgauge.state.reader import Snapshot
from tests.monitor.generate import stream
from tests.monitor.streams import QUICK, START, drive, monitor


def watched(*, features: int, versions: int = 1, values: int = 0) -> ModelMonitor:
    """A monitor that has judged a model of so many features (one is a category)."""

    def segment(i: int, fields: dict[str, Any]) -> dict[str, Any]:
        return {"segment": {"country": f"c{i % values}"}} if values else {}

    document = {"model": "fraud", "segments": {"country": {"max_values": 50}}}
    spec = ModelSpec.from_document(document).over(QUICK)
    watching = monitor(Configuration(spec, number=1))
    events = stream(
        14_000, features=features - 1, version=lambda i: str(i % versions), fault=segment
    )
    drive(watching, events)
    return watching._models["fraud"]


def age(model: ModelMonitor) -> None:
    """Fill what fills in weeks, with counts as large as those of an hour."""
    rng = np.random.default_rng(0)
    for series in model.series.values():
        for target in series.targets.values():
            if target.season is not None:
                target.season._slots[:] = rng.integers(0, 3000, target.season._slots.shape)


def stored(model: ModelMonitor, *, seasons: bool) -> int:
    size = len(pack(model.state())) + len(model_view(model).model_dump_json())
    return size + (len(pack(model.slow_state())) if seasons else 0)


def close(promised: int, real: int) -> bool:
    return real / 2 <= promised <= real * 2


@pytest.mark.parametrize("features", [5, 40])
def test_bytes_in_redis(features: int) -> None:
    model = watched(features=features)
    young = stored(model, seasons=False)
    assert close(cost(features=features, seasons=False).redis_bytes, young), young
    age(model)
    old = stored(model, seasons=True)
    assert close(cost(features=features).redis_bytes, old), old
    # Many features are most of it, so there the estimate must be nearer.
    if features > 20:
        assert cost(features=features).redis_bytes == pytest.approx(old, rel=0.4)


def test_segments_and_versions_cost_their_own() -> None:
    plain = stored(watched(features=20), seasons=False)
    sliced = stored(watched(features=20, values=20), seasons=False) - plain
    promised = cost(features=20, slices=20).redis_bytes - cost(features=20).redis_bytes
    assert close(promised, sliced), sliced
    second = stored(watched(features=20, versions=2), seasons=False) - plain
    promised = cost(features=20, versions=2).redis_bytes - cost(features=20).redis_bytes
    assert close(promised, second), second


@pytest.mark.parametrize(("features", "versions"), [(3, 1), (20, 1), (20, 2)])
def test_prometheus_series(features: int, versions: int) -> None:
    model = watched(features=features, versions=versions)
    snapshot = Snapshot(read_at=START, models=(model_view(model),))
    end = START + 70.0

    def series(reading: Reading) -> int:
        registry = CollectorRegistry()
        registry.register(ViewCollector(lambda: reading, clock=lambda: end))
        return sum(len(family.samples) for family in registry.collect())

    fresh = Reading(snapshot=Snapshot(read_at=end, models=snapshot.models), up=True)
    real = series(fresh) - series(Reading(snapshot=Snapshot(read_at=end), up=True))
    assert close(cost(features=features, versions=versions).series, real), real


def test_as_many_tests_as_the_level_is_shared_among() -> None:
    model = watched(features=20)
    (series,) = model.series.values()
    judged = {
        finding.target
        for findings in series.last.findings.values()
        for finding in findings
        if finding.rule in ("js", "p95") and finding.threshold is not None
    }
    assert abs(len(judged) - (20 + OUTPUTS)) <= 3, sorted(judged)
