"""The reference profile of the demo's real model: built from its training part, then applied."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from redis import Redis

from services.stack.demo.classifier import AnomalyClassifier
from services.stack.demo.data import Reading
from streamgauge.references.build import build_profile
from streamgauge.references.profile import ReferenceProfile
from streamgauge.specs import ModelSpec
from streamgauge.state.spec_store import SpecStore

#: A challenger that learns from the labels, and takes over by itself when it is better. Rounds and
#: pauses are those of a story of minutes; a spec in production says ``approval`` and days.
LEARNING = {
    "challengers": {
        "online": {"estimator": "hoeffding_tree_classifier", "parameters": {"grace_period": 100}}
    },
    "promotion": {"mode": "automatic", "min_labels": 300, "cooldown": 0, "period": "1s"},
    "snapshot": {"every": "1s"},
}


def build(model: str, version: str, training: Iterable[Reading]) -> ReferenceProfile:
    """What ``streamgauge reference build`` makes of a file with these rows."""
    training = list(training)
    return build_profile(
        _rows(training, AnomalyClassifier(training)),
        model=model,
        version=version,
        outputs={"score": "output.score", "label": "output.label"},
        ordered=True,
        source="the first rows of River's Shuttle data",
    )


def apply(redis: Redis, profile: ReferenceProfile) -> float:
    """Store a profile and the demo's spec, which judges by it and lets a challenger learn.

    The answer is when that takes effect.
    """
    store = SpecStore(redis)
    store.put_reference(profile.model, profile.id, profile.to_bytes())
    spec = ModelSpec.from_document(
        {
            "model": profile.model,
            "task": "binary",
            "reference": {"kind": "profile", "id": profile.id},
            "label_delay": {"expected": "2s", "max": "20s"},
            "labels": {"positive": "anomaly"},
            "learning": LEARNING,
        }
    )
    return store.apply(spec, now=time.time(), by="demo").version.effective_at


def _rows(training: Iterable[Reading], classifier: AnomalyClassifier) -> Iterator[dict[str, Any]]:
    for reading in training:
        output = classifier.output(reading.features)
        label = max(output, key=output.__getitem__)
        yield {**reading.features, "score": output[label], "label": label}
