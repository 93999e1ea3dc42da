"""What a plain linear model beside a model says of that one, in words."""

from __future__ import annotations

from streamgauge.exposition.words import figure
from streamgauge.state.learner_views import PlainView


def plain_words(plain: PlainView) -> str:
    """How the published answers stand to it, on the same predictions.

    >>> plain_words(PlainView(answered=900, loss=0.25, champion_loss=0.125))
    'published answers lose 0.125 less (0.125 against 0.25), on the same 900 predictions'
    """
    if plain.gap is None or plain.loss is None or plain.champion_loss is None:
        return plain.halted or "nothing to compare yet"
    more = "less" if plain.gap > 0 else "MORE"
    how = f"lose {figure(abs(plain.gap))} {more}" if plain.gap else "lose as much"
    against = f"({figure(plain.champion_loss)} against {figure(plain.loss)})"
    halted = f"; {plain.halted}" if plain.halted else ""
    on = f"on the same {plain.answered:,} predictions"
    return f"published answers {how} {against}, {on}{halted}"
