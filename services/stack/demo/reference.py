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
    """Store a profile and a spec that judges by it; the answer is when that takes effect."""
    store = SpecStore(redis)
    store.put_reference(profile.model, profile.id, profile.to_bytes())
    spec = ModelSpec.from_document(
        {"model": profile.model, "reference": {"kind": "profile", "id": profile.id}}
    )
    return store.apply(spec, now=time.time(), by="demo").version.effective_at


def _rows(training: Iterable[Reading], classifier: AnomalyClassifier) -> Iterator[dict[str, Any]]:
    for reading in training:
        output = classifier.output(reading.features)
        label = max(output, key=output.__getitem__)
        yield {**reading.features, "score": output[label], "label": label}
