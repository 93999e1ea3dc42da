"""Which features have series: the firing ones and the ten worst, for an hour once shown."""

from __future__ import annotations

from streamgauge.exposition.fleet import FeatureSummary, SeriesSummary, gravity

#: Features shown of a series although they are quiet.
WORST = 10
KEPT_SECONDS = 3600.0

FeatureKey = tuple[str, str, str, str]


class ShownFeatures:
    """Remembers what was shown, so that a graph does not break off when a feature gets better."""

    def __init__(self) -> None:
        self._until: dict[FeatureKey, float] = {}

    def choose(self, model: str, series: SeriesSummary, *, now: float) -> list[FeatureSummary]:
        """The features to show, gravest first."""
        ranked = sorted(series.features, key=lambda f: (*(-g for g in gravity(f)), f.name))
        shown: list[FeatureSummary] = []
        for place, feature in enumerate(ranked):
            key = (model, series.version, series.step, feature.name)
            if place < WORST or _speaks(feature):
                self._until[key] = now + KEPT_SECONDS
            elif self._until.get(key, 0.0) <= now:
                continue
            shown.append(feature)
        return shown

    def forget(self, *, now: float) -> None:
        """Drop what was shown long ago."""
        for key in [key for key, until in self._until.items() if until <= now]:
            del self._until[key]


def _speaks(feature: FeatureSummary) -> bool:
    return feature.judgement is not None and feature.judgement.state in ("firing", "poisoned")
