"""The client's counters in a user's own Prometheus registry."""

from __future__ import annotations

import sys

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streamgauge_client import Publisher
from streamgauge_client.testing import capture

NAME = "streamgauge_client_events_total"


def value(registry: CollectorRegistry, kind: str, outcome: str) -> float | None:
    return registry.get_sample_value(NAME, {"kind": kind, "outcome": outcome})


def test_events_are_counted_by_kind_and_outcome() -> None:
    # Given a publisher in a registry, with something of everything
    registry = CollectorRegistry()
    publisher = Publisher(
        "127.0.0.1:1",
        model="m",
        version="1",
        sample_rate=1e-6,
        kafka={"queue.buffering.max.messages": 3},
    )
    publisher.register_metrics(registry)
    assert generate_latest(registry).decode().count(NAME + "{") == 0
    # When it publishes, gets full, is given nonsense, leaves out, and is closed
    publisher.log(output=1.0, status="error")
    publisher.label("p-1", 1.0)
    publisher.label("p-1", object())
    publisher.feedback("p-1", "redo")
    publisher.feedback("p-1", "redo")
    publisher.log(output=1.0)
    publisher.close(0)
    # Then each is told apart
    assert value(registry, "prediction", "sent") == 1
    assert value(registry, "prediction", "sampled_out") == 1
    assert value(registry, "label", "sent") == 1
    assert value(registry, "label", "dropped_invalid") == 1
    assert value(registry, "feedback", "sent") == 1
    assert value(registry, "feedback", "dropped_full") == 1
    for kind in ("prediction", "label", "feedback"):
        assert value(registry, kind, "failed") == 1
    # And it agrees with stats()
    stats = publisher.stats()
    assert (stats.sent, stats.failed, stats.sampled_out) == (3, 3, 1)
    assert stats.dropped == {"invalid": 1, "full": 1}


def test_publishers_in_one_registry_are_added_up() -> None:
    registry = CollectorRegistry()
    publishers = [Publisher(model=name, version="1") for name in ("a", "b")]
    for publisher in publishers:
        publisher.register_metrics(registry)
        publisher.register_metrics(registry)
    with capture():
        for publisher in publishers:
            publisher.log(output=1.0)
    assert value(registry, "prediction", "sent") == 2


def test_the_global_registry_is_the_default() -> None:
    from prometheus_client import REGISTRY

    publisher = Publisher(model="m", version="1")
    publisher.register_metrics()
    before = REGISTRY.get_sample_value(NAME, {"kind": "label", "outcome": "sent"}) or 0
    with capture():
        publisher.label("p", 1.0)
    assert REGISTRY.get_sample_value(NAME, {"kind": "label", "outcome": "sent"}) == before + 1


def test_without_prometheus_client_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImportError, match=r"pip install prometheus-client.*stats\(\)"):
        Publisher(model="m", version="1").register_metrics()
