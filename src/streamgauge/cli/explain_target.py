"""What ``MODEL.FEATURE`` means: which model, and which of all that is judged of it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from streamgauge.cli.failures import CommandFailed

if TYPE_CHECKING:
    from streamgauge.specs import SpecVersion
    from streamgauge.state.views import ModelView


def split_target(target: str, known: Collection[str]) -> tuple[str, str | None]:
    """Model and feature of ``MODEL.FEATURE``. Both may hold dots, so the known models decide.

    >>> split_target("fraud.v2.amount", ["fraud", "fraud.v2"])
    ('fraud.v2', 'amount')
    """
    return next(readings(target, known))


def readings(target: str, known: Collection[str]) -> Iterator[tuple[str, str | None]]:
    """All that a target may mean, the longest model first. Raises ``CommandFailed`` for nothing.

    >>> list(readings("fraud.output.score", ["fraud", "fraud.output"]))
    [('fraud.output', 'score'), ('fraud', 'output.score')]
    """
    if target in known:
        yield target, None
        return
    fitting = sorted((m for m in known if target.startswith(f"{m}.")), key=len, reverse=True)
    if fitting:
        yield from ((model, target[len(model) + 1 :]) for model in fitting)
        return
    if not known:
        raise CommandFailed(
            f"nothing is known of {target!r}: no model was seen yet",
            "send a first prediction, and see that the monitor runs (`python -m services.stack`)",
        )
    raise CommandFailed(f"no model {target!r} was seen yet", nearest(target, known))


def targets_of(views: Sequence[ModelView], versions: Sequence[SpecVersion]) -> set[str]:
    """Names of all that is judged: features, outputs, rules of the spec, what users do."""
    from streamgauge.specs.effective import FEEDBACK, RULE

    names = feature_names(views, versions)
    for view in views:
        names |= {each.target for series in view.series for each in series.judgements}
        truths = view.truth.series if view.truth is not None else []
        names |= {j.target for each in truths for j in each.judgements if j.kind == "concept_drift"}
        names |= {FEEDBACK + each.target for each in view.behaviour}
    if versions:
        spec = versions[-1].spec
        names |= {RULE + rule.name for rule in spec.rules}
        names |= {FEEDBACK + kind for kind in spec.behaviour}
    return names


def feature_names(views: Sequence[ModelView], versions: Sequence[SpecVersion]) -> set[str]:
    """Names of the columns alone."""
    names = {each.name for view in views for series in view.series for each in series.features}
    return names | (versions[-1].spec.features.keys() if versions else set())


def meant(name: str, targets: Collection[str]) -> str | None:
    """The target that is so called, or the only one whose name ends so; None where none is.

    >>> meant("limit-holds", {"amount", "rule limit-holds"})
    'rule limit-holds'
    >>> meant("score", {"output.score", "user.score"}) is None
    True
    """
    if name in targets:
        return name
    ending = [each for each in targets if each.endswith((f" {name}", f".{name}"))]
    return ending[0] if len(ending) == 1 else None


def no_such_feature(model: str, feature: str, names: Collection[str]) -> CommandFailed:
    """What is said of a feature that neither the stream nor the spec has: a slip of the pen."""
    if not names:
        return CommandFailed(
            f"model {model!r} has no judged features yet", f"see `streamgauge explain {model}`"
        )
    return CommandFailed(f"model {model!r} has no feature {feature!r}", nearest(feature, names))


def refuse_unknown_feature(
    model: str, feature: str, views: Sequence[ModelView], versions: Sequence[SpecVersion]
) -> None:
    """Raise ``CommandFailed`` unless it is a feature or an output."""
    names = feature_names(views, versions)
    if feature not in names:
        raise no_such_feature(model, feature, names)


def nearest(word: str, known: Collection[str]) -> str:
    """A hint at what may have been meant."""
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(repr(each) for each in near)}?"
    return f"there are: {', '.join(sorted(known)[:10])}"
