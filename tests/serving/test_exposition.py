"""A service shows in its own registry which models were refused, and how old what serves is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from redis import Redis

from streamgauge.registry.registry import ModelRegistry
from streamgauge.serving import ServedModel
from streamgauge.state.keys import model_key
from tests.registry.attacks import BY, put
from tests.registry.examples import KEY


def test_refusals_and_age_are_shown_for_all_models_of_a_service(
    redis: Redis, registry: ModelRegistry
) -> None:
    # Given two that serve the same model, registered twice, and one that never had any
    put(registry, 50)
    registry.promote("fraud", 1, expected=None, **BY)
    now = [0.0]
    metrics = CollectorRegistry()
    served = [
        ServedModel(model, redis=redis, key=KEY, poll_seconds=0, clock=lambda: now[0])
        for model in ("fraud", "fraud", "other")
    ]
    for each in (*served, *served):
        each.register_metrics(metrics)
    # Then what was never refused says so, for a first refusal to be a rise
    for model in ("fraud", "other"):
        quiet = {"model": model, "reason": "signature"}
        assert metrics.get_sample_value("streamgauge_registry_rejected_total", quiet) == 0.0
    # When the artefact is cut off, and time passes
    good = registry.envelope("fraud", 1)
    redis.set(model_key("fraud", "artefact:1"), good[:-1])
    for each in served:
        each.refresh()
    now[0] = 9.0
    # Then refusals are added up, and the oldest counts
    rejected = {"model": "fraud", "reason": "format"}
    assert metrics.get_sample_value("streamgauge_registry_rejected_total", rejected) == 2.0
    name = "streamgauge_served_model_stale_seconds"
    assert metrics.get_sample_value(name, {"model": "fraud"}) == 9.0
    assert metrics.get_sample_value(name, {"model": "other"}) == 9.0
    # And it is put right: the one that loaded it is up to date
    redis.set(model_key("fraud", "artefact:1"), good)
    now[0] = 60.0
    for each in served[:2]:
        each.refresh()
    assert metrics.get_sample_value(name, {"model": "fraud"}) == 0.0
