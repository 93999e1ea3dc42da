from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry

from streamgauge.telemetry import CATALOGUE, Definition, Telemetry, processes


def test_no_name_is_declared_twice() -> None:
    names = [definition.name for definition in CATALOGUE]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("definition", CATALOGUE, ids=lambda d: d.name)
def test_every_name_keeps_the_conventions(definition: Definition) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", definition.name)
    assert not definition.name.startswith("streamgauge")
    assert not definition.name.endswith("_total"), "the suffix is the kind's"
    assert definition.help.endswith(".")
    for unit in ("seconds", "bytes", "ratio"):
        assert definition.name.endswith(f"_{unit}") == (definition.unit == unit)
    assert not re.search(r"_(ms|milliseconds|percent|kb|mb)(_|$)", definition.name)
    for label in definition.labels:
        assert label not in ("prediction_id", "entity", "user", "le", "state_")
    if definition.kind == "histogram" and definition.exposer != "exporter":
        assert list(definition.buckets) == sorted(definition.buckets) != []


def test_recording_goes_into_the_given_registry_alone() -> None:
    one = Telemetry(CollectorRegistry(), service="a", version="1")
    two = Telemetry(CollectorRegistry(), service="b", version="1")
    one.count(processes.CHECKPOINTS, 2, result="ok")
    assert one.value(processes.CHECKPOINTS, result="ok") == 2
    assert two.value(processes.CHECKPOINTS, result="ok") is None
    assert one.value(processes.BUILD_INFO, service="a", version="1") == 1


def test_gauges_are_set_and_forgotten_and_counters_declared() -> None:
    telemetry = Telemetry(CollectorRegistry(), service="a", version="1")
    telemetry.set(processes.OUTBOX_ENTRIES, 3, partition="1")
    assert telemetry.value(processes.OUTBOX_ENTRIES, partition="1") == 3
    telemetry.forget(processes.OUTBOX_ENTRIES, partition="1")
    assert telemetry.value(processes.OUTBOX_ENTRIES, partition="1") is None
    telemetry.declare(processes.REDIS_ERRORS, error="TimeoutError")
    assert telemetry.value(processes.REDIS_ERRORS, error="TimeoutError") == 0


def test_a_wrong_label_is_refused() -> None:
    telemetry = Telemetry(CollectorRegistry(), service="a", version="1")
    with pytest.raises(ValueError, match="label"):
        telemetry.count(processes.CHECKPOINTS, outcome="ok")
