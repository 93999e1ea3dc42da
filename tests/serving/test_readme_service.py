"""The README's service answers with the champion, and publishes which version it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.registry.learned import Candidate, Learned, Verdict
from streamgauge.registry.registrar import Registrar
from streamgauge.registry.registry import ModelRegistry
from streamgauge_client.events import PredictionEvent
from streamgauge_client.testing import capture
from tests.registry.examples import KEY

ROOT = Path(__file__).parents[2]


def test_it_does_as_the_readme_says(
    registry: ModelRegistry, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a champion, and the README's service on it
    pipeline = Pipeline(Plan(estimator="logistic_regression", task="binary"))
    for amount in range(60):
        pipeline.learn({"amount": float(amount)}, amount > 30)
    decided = Verdict(id="1", pipeline="online", at=1.0, reason="the first")
    candidate = Candidate(pipeline="online", content=pipeline.to_bytes(), at=1.0)
    known = Learned(model="fraud", candidates=[candidate], champion=decided)
    Registrar(registry, key=KEY).settle(known)
    (block,) = re.findall(
        r"```python\n(import os, time.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    monkeypatch.setenv("STREAMGAUGE_STATE__KEY", KEY.decode())
    service: dict[str, Any] = {}
    with capture() as captured:
        exec(block.replace("redis://localhost:6379/0", url), service)
        try:
            # When it is asked
            answer = service["predict"]({"amount": 55.0})
        finally:
            service["fraud"].close()
            service["publisher"].close()
    # Then it answers as the pipeline, and what it publishes names the version
    assert answer["scores"] == pipeline.predict_proba_one({"amount": 55.0})
    (event,) = captured.of(PredictionEvent)
    assert event.prediction_id == answer["prediction_id"] and event.version == "online"
    assert event.lineage == {"snapshot": "1"}
    assert event.features == {"amount": 55.0} and event.latency_ms is not None
