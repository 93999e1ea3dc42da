"""What users do with a model's answers, put together over shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from streamgauge.state.views import JudgementView


@dataclass(frozen=True, slots=True)
class BehaviourSummary:
    """One kind of act: its share of interactions over all shards, and the gravest judgement."""

    kind: str
    ratio: float | None
    judgement: JudgementView


def put_together(
    shards: Iterable[JudgementView], *, gravity: Callable[[JudgementView], tuple[int, float]]
) -> tuple[BehaviourSummary, ...]:
    """One for each kind, in the order of their names."""
    kinds: dict[str, list[JudgementView]] = defaultdict(list)
    for judgement in shards:
        kinds[judgement.target].append(judgement)
    return tuple(
        BehaviourSummary(kind, _ratio(kinds[kind]), max(kinds[kind], key=gravity))
        for kind in sorted(kinds)
    )


def _ratio(judgements: Sequence[JudgementView]) -> float | None:
    known = [(each.value, each.n) for each in judgements if each.value is not None]
    interactions = sum(n for _, n in known)
    return sum(value * n for value, n in known) / interactions if interactions else None
