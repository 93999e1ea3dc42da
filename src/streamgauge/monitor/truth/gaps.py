"""How much better a model is than what its spec compares it with, and than trivial answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streamgauge.specs.claims import parse_figure
from streamgauge.specs.measures import figure_name, measure
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.state.views import GapView

#: Trivial answers: what they are called, their figure, and the model's own.
_TRIVIAL = {
    "majority_error_ratio": ("majority class", "error_ratio"),
    "last_error_ratio": ("last truth", "error_ratio"),
    "mean_mae": ("mean", "mae"),
    "last_mae": ("last truth", "mae"),
}


def gaps(
    spec: ModelSpec, figures: Mapping[str, float], trivial: Mapping[str, float]
) -> list[GapView]:
    """Gaps to the baselines of a spec, in its order, and to the trivial answers of a window.

    ``figures`` are those of the model, ``trivial`` those that the answers themselves keep. What
    either side lacks is left out.
    """
    return [*_to_baselines(spec, figures), *_to_trivial(figures, trivial)]


def _to_baselines(spec: ModelSpec, figures: Mapping[str, float]) -> Iterator[GapView]:
    for baseline in spec.baselines:
        name, of = parse_figure(baseline.metric)
        known = measure(name)
        own = figures.get(figure_name(name))
        if known is None or known.needs != "labels" or of is not None or own is None:
            continue
        better = baseline.value - own if known.better == "lower" else own - baseline.value
        yield GapView(
            against=baseline.kind,
            metric=figure_name(name),
            value=own,
            other=baseline.value,
            gap=better,
            source=baseline.source or "",
        )


def _to_trivial(figures: Mapping[str, float], trivial: Mapping[str, float]) -> Iterator[GapView]:
    for name, (against, metric) in _TRIVIAL.items():
        if name in trivial and metric in figures:
            own, other = figures[metric], trivial[name]
            yield GapView(against=against, metric=metric, value=own, other=other, gap=other - own)
