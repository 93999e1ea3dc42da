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
from streamgauge.registry.self_test import (
    copied,
    last_rows,
    refuse_differences,
    refuse_other_answers,
    trials_of,
)


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
    kept = last_rows(rows)
    stored = load(payload)
    found = trials_of(stored, kept)
    # Some of River's models put entries in when they predict (a ``defaultdict`` does). Asked
    # itself, a learner with snapshots would become another model than one without.
    untouched = dump(stored) == payload
    trials = trials_of(learned if untouched else copied(learned), kept)
    refuse_differences(found, trials)
    named = token or _token(pipeline, positions or {}, digest)
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
    # As whoever loads it: through the envelope, so that the rows are what came back as well.
    sealed = unseal(envelope, key=key, model=model, version=version)
    refuse_other_answers(stored if untouched else load(sealed.payload), sealed.header.trials)
    return registry.register(envelope, model=model, version=version, actor=actor)


def revived(artefact: Artefact) -> Any:
    """The model of a verified artefact, once it has answered as it did. Raises ``Rejected``.

    To serve, not to learn on: where answering puts entries into a model, it has them now. A learner
    goes on with ``load(artefact.payload)``.
    """
    model = load(artefact.payload)
    refuse_other_answers(model, artefact.header.trials)
    return model


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
