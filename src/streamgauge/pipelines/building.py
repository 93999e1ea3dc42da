"""A challenger of a spec as the pipeline that learns, and the plain one beside it."""

from __future__ import annotations

import zlib

from streamgauge.pipelines.inputs import Kind
from streamgauge.pipelines.pipeline import Pipeline, Plan
from streamgauge.plugins import PluginError, did_you_mean
from streamgauge.specs import ModelSpec
from streamgauge.specs.learning import ChallengerSpec

#: What is plainest for each task.
_PLAIN = {
    "binary": "logistic_regression",
    "multiclass": "softmax_regression",
    "regression": "linear_regression",
}
#: The largest step of the plain ones, and the sum of it over all features: with many features steps
#: of River's default size grow without end where squares are the loss.
_RATE, _REACH = 0.01, 0.5


def build(spec: ModelSpec, challenger: str) -> Pipeline:
    """A fresh pipeline for the challenger of that name. Raises ``PluginError``.

    Features that are frozen or ignored never reach it; declared types are kept to, others are
    inferred from the first value. Its dice are seeded by the names of model and challenger.
    """
    known = spec.learning.challengers
    if challenger not in known:
        raise PluginError(
            f"model {spec.model!r} has no challenger {challenger!r}"
            f"{did_you_mean(challenger, known)} (there are: {', '.join(known) or 'none'})"
        )
    return Pipeline(_plan(spec, known[challenger], challenger))


def plain_plan(spec: ModelSpec, width: int) -> Plan:
    """The plan of the plainest model for the spec's task, from events of ``width`` features.

    The spec must have a task that is learned. What it forbids challengers holds here too.
    """
    rate = min(_RATE, _REACH / max(width, 1))
    part = ChallengerSpec(estimator=_PLAIN[spec.task or ""], parameters={"learning_rate": rate})
    return _plan(spec, part, "")


def _plan(spec: ModelSpec, part: ChallengerSpec, name: str) -> Plan:
    learning = spec.learning
    kinds: dict[str, Kind] = {}
    for feature_name, feature in spec.features.items():
        if feature.declared_type is not None:
            kinds[feature_name] = feature.declared_type
    ignored = (n for n, f in spec.features.items() if f.ignore and n not in (part.features or ()))
    return Plan(
        estimator=part.estimator,
        task=spec.task or "",
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
        seed=zlib.crc32(f"{spec.model}\0{name}".encode()),
    )
