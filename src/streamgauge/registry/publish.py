"""From a learning model to a registered version: written, signed, read back, tested, then kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from streamgauge.pipelines.pipeline import Pipeline
from streamgauge.registry.codes import Unstorable
from streamgauge.registry.dump import dump
from streamgauge.registry.envelope import Artefact, seal, unseal
from streamgauge.registry.header import ModelHeader, libraries
from streamgauge.registry.load import load
from streamgauge.registry.record import ModelRecord
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge.registry.self_test import refuse_other_answers, trials_of


def publish(
    registry: ModelRegistry,
    learned: Any,
    *,
    key: bytes,
    model: str,
    pipeline: str,
    created_at: float,
    actor: str,
    rows: Iterable[Mapping[str, Any]] = (),
    positions: Mapping[str, int] | None = None,
    metrics: Mapping[str, float] | None = None,
    examples: int = 0,
    spec_version: int | None = None,
    parent: int | None = None,
    token: str | None = None,
) -> ModelRecord:
    """Register what a model has learned as a new version. The model stays untouched.

    Parameters
    ----------
    rows
        Inputs that it saw lately; the last 20 go into the artefact with the model's answers, so
        that every load can be tested.
    created_at
        Log time of the last example, in seconds since 1970.
    token
        Names what is registered; by default pipeline, positions and content. The same token twice
        is one version.

    Raises ``Rejected``: the model can't be kept, is too large, or answers otherwise once it is
    read back; a pipeline that is broken answers nothing. Then nothing was registered.
    """
    if isinstance(learned, Pipeline) and learned.broken:
        raise Rejected("self_test", f"the pipeline is broken: {learned.broken}")
    try:
        payload = dump(learned)
    except Unstorable as error:
        raise Rejected("payload", str(error)) from error
    digest = hashlib.sha256(payload).hexdigest()
    trials = trials_of(learned, rows)
    named = token or _token(pipeline, positions or {}, digest)
    # Before a number is spent on it.
    refuse_other_answers(load(payload), trials)
    version = registry.allocate(model, named)
    header = ModelHeader(
        model=model,
        version=version,
        pipeline=pipeline,
        estimator=_estimator(learned),
        parent=parent,
        parent_sha256=registry.record(model, parent).sha256 if parent is not None else None,
        spec_version=spec_version,
        libraries=libraries(),
        positions=dict(positions or {}),
        metrics=dict(metrics or {}),
        examples=examples,
        created_at=created_at,
        payload_bytes=len(payload),
        payload_sha256=digest,
        trials=trials,
    )
    envelope = seal(header, payload, key=key)
    revived(unseal(envelope, key=key, model=model, version=version))
    return registry.register(envelope, model=model, version=version, actor=actor)


def revived(artefact: Artefact) -> Any:
    """The model of a verified artefact, once it has answered as it did. Raises ``Rejected``."""
    refuse_other_answers(load(artefact.payload), artefact.header.trials)
    # A second reading: answering may have put entries into the first.
    return load(artefact.payload)


def _estimator(learned: Any) -> str:
    """The name that the spec has for it, else River's."""
    if isinstance(learned, Pipeline):
        return learned.plan.estimator
    # Of River's pipelines the last step is the one that learns.
    last = list(getattr(learned, "steps", {}).values())[-1:] or [learned]
    return type(last[0]).__name__


def _token(pipeline: str, positions: Mapping[str, int], digest: str) -> str:
    text = f"{pipeline}|{sorted(positions.items())}|{digest}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
