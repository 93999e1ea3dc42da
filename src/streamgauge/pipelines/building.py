"""A challenger of a spec as the pipeline that learns."""

from __future__ import annotations

import zlib

from streamgauge.pipelines.inputs import Kind
from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.plugins import PluginError, did_you_mean
from streamgauge.specs import ModelSpec


def build(spec: ModelSpec, challenger: str) -> Pipeline:
    """A fresh pipeline for the challenger of that name. Raises ``PluginError``.

    Features that are frozen or ignored never reach it; declared types are kept to, others are
    inferred from the first value. Its dice are seeded by the names of model and challenger.
    """
    learning, task = spec.learning, spec.task or ""
    if challenger not in learning.challengers:
        known = learning.challengers
        raise PluginError(
            f"model {spec.model!r} has no challenger {challenger!r}"
            f"{did_you_mean(challenger, known)} (there are: {', '.join(known) or 'none'})"
        )
    part = learning.challengers[challenger]
    kinds: dict[str, Kind] = {}
    for name, feature in spec.features.items():
        if feature.declared_type is not None:
            kinds[name] = feature.declared_type
    ignored = (n for n, f in spec.features.items() if f.ignore and n not in (part.features or ()))
    return Pipeline(
        Plan(
            estimator=part.estimator,
            task=task,
            parameters=part.parameters,
            scaling=part.scaling,
            encoding=part.encoding,
            imbalance=part.imbalance,
            desired=part.desired or {},
            features=part.features,
            never=tuple(sorted({*learning.frozen_fields, *ignored})),
            kinds=kinds,
            clip=learning.clip or 0.0,
            max_step=learning.max_step or 0.0,
            seed=zlib.crc32(f"{spec.model}\0{challenger}".encode()),
        )
    )
