"""Where a spec names features, and whether the rest of it knows them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator

from streamgauge.specs.claims import parse_figure
from streamgauge.specs.criteria import every_criterion
from streamgauge.specs.expression import parse_expression
from streamgauge.specs.located import Path
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.specs.remark import Remark

#: Names that stand for the model's answers, or for all features.
_GIVEN = frozenset({"output", "output.score", "output.label", "output.latency", "*"})


def feature_remarks(spec: ModelSpec) -> Iterator[Remark]:
    """A feature that is named in one place and nowhere else is probably a slip of the pen.

    Where the spec declares features, those are what others must be among; where it declares none,
    only a name that nearly is another one is remarked on.
    """
    mentions = list(_mentions(spec))
    declared = spec.features.keys() | set(spec.project.inputs) | spec.segments.keys()
    counts = Counter(name for name, *_ in mentions)
    for name, path, key in mentions:
        if name in _GIVEN or name in declared or counts[name] > 1:
            continue
        near = difflib.get_close_matches(name, (declared | counts.keys()) - {name}, n=1)
        if near:
            said = f"the feature {name} occurs nowhere else in the spec"
            yield Remark(path, said, f"did you mean `{near[0]}`?", key)
        elif spec.features:
            said = f"the feature {name} occurs nowhere else in the spec"
            yield Remark(path, said, f"declare it: `features: {{{name}: {{}}}}`", key)


def _mentions(spec: ModelSpec) -> Iterator[tuple[str, Path, bool]]:
    """Feature, place, and whether the key there is meant."""
    for name in spec.privacy:
        yield name, ("privacy", name), True
    for i, name in enumerate(spec.learning.frozen_fields):
        yield name, ("learning", "frozen_fields", i), False
    for called, challenger in spec.learning.challengers.items():
        for i, name in enumerate(challenger.features or ()):
            yield name, ("learning", "challengers", called, "features", i), False
    for criterion in every_criterion(spec):
        if criterion.claim.of is not None:
            yield criterion.claim.of, criterion.path, False
    for i, risk in enumerate(spec.risks):
        of = parse_figure(risk.metric)[1] if risk.metric is not None else None
        if of is not None:
            yield of, ("risks", i, "metric"), False
    for i, rule in enumerate(spec.rules):
        for name in sorted(parse_expression(rule.check).names):
            if not name.startswith("@"):
                yield name, ("rules", i, "check"), False
