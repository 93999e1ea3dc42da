"""Models that learn, as series: from the learner's views."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from streamgauge.exposition.sheet import Sheet
from streamgauge.state.learner_views import CandidateView, LearnerView
from streamgauge.telemetry import learning

#: What the champion is called whose answers come from elsewhere.
PUBLISHED = "published"
_model, _loss, _gap = map(attrgetter, ("model", "loss", "gap"))


def put_learners(sheet: Sheet, views: Iterable[LearnerView]) -> None:
    """Models that learn, each with all its shards: each of those has learners of its own."""
    for model, shards in groupby(sorted(views, key=_model), _model):
        _put_model(sheet, model, list(shards))


def _put_model(sheet: Sheet, model: str, shards: Sequence[LearnerView]) -> None:
    sheet.gauge(learning.LEARNER_PENDING, sum(each.pending for each in shards), model=model)
    published = _mean((each.champion_loss, each.champion_answered) for each in shards)
    sheet.gauge(learning.LEARNER_LOSS, published, model=model, candidate=PUBLISHED)
    plain = [each.plain for each in shards if each.plain is not None]
    lost, gap = (_mean((told(p), p.answered) for p in plain) for told in (_loss, _gap))
    sheet.gauge(learning.LEARNER_PLAIN_LOSS, lost, model=model)
    sheet.gauge(learning.LEARNER_PLAIN_GAP, gap, model=model)
    names = dict.fromkeys(one.name for each in shards for one in each.candidates)
    for name in names:
        own = [(each, one) for each in shards for one in each.candidates if one.name == name]
        _put_candidate(sheet, model, name, own)


def _put_candidate(
    sheet: Sheet, model: str, name: str, shards: Sequence[tuple[LearnerView, CandidateView]]
) -> None:
    labels = {"model": model, "candidate": name}
    loss = _mean((one.loss, one.answered) for _, one in shards)
    sheet.gauge(learning.LEARNER_LOSS, loss, **labels)
    for _, one in shards:
        sheet.count(learning.LEARNER_EXAMPLES, one.learned, **labels, outcome="learned")
        for reason, n in sorted(one.refused.items()):
            sheet.count(learning.LEARNER_EXAMPLES, n, **labels, outcome=reason)
    sheet.gauge(learning.LEARNER_HELD, sum(one.held for _, one in shards), **labels)
    # Of some shards a candidate may be the champion, of others not yet: their share.
    champions = sum(view.champion == name for view, _ in shards)
    sheet.gauge(learning.LEARNER_CHAMPION, champions / len(shards), **labels)
    told = [one.evidence.get("e_value") for _, one in shards]
    known = [e for e in told if isinstance(e, int | float) and math.isfinite(e)]
    sheet.gauge(learning.LEARNER_EVIDENCE, min(known, default=None), **labels)


def _mean(parts: Iterable[tuple[float | None, int]]) -> float | None:
    """The mean over shards by answers; where nobody says how many, each counts once."""
    known = [(value, n) for value, n in parts if value is not None]
    total = sum(n for _, n in known)
    if not total:
        return sum(value for value, _ in known) / len(known) if known else None
    return sum(value * n for value, n in known) / total
