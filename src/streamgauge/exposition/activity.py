"""Which models and versions still send, judged by whether their totals grow."""

from __future__ import annotations

from collections.abc import Iterable

from streamgauge.exposition.fleet import ModelSummary
from streamgauge.state.views import ModelView

#: Most versions of a model that have series of their own.
LIVE_VERSIONS = 3
#: A version that has sent nothing for so long is retired, unless it is the only one.
RETIRED_SECONDS = 3600.0


class Activity:
    """Remembers when each total last grew, by the caller's clock.

    Event time would not do: a model that backfills last year's events is as alive as any.
    """

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], tuple[int, float]] = {}

    def observe(self, views: Iterable[ModelView], *, now: float) -> None:
        """Take note of the totals, and forget what is gone. Costs microseconds per view."""
        totals: dict[tuple[str, str], int] = {}
        newest: dict[tuple[str, str], float] = {}
        for view in views:
            for series in view.series:
                key = (view.model, series.version)
                totals[key] = totals.get(key, 0) + sum(series.counts.values())
                # Of a version that is the only one, the model's newest event is known, too.
                alone = view.last_event if len(view.series) == 1 else None
                times = [t for t in (series.window_end, alone, newest.get(key)) if t is not None]
                if times:
                    newest[key] = max(times)
        self._versions = {
            key: (total, self._changed_at(key, total, newest.get(key, now), now))
            for key, total in totals.items()
        }

    def _changed_at(self, key: tuple[str, str], total: int, newest: float, now: float) -> float:
        before = self._versions.get(key)
        if before is None:
            # Not seen before: its newest event is the best guess there is.
            return min(now, newest)
        return before[1] if total == before[0] else now

    def knows(self, models: Iterable[ModelSummary]) -> bool:
        """Whether every version of these was observed before."""
        return all(
            (model.model, series.version) in self._versions
            for model in models
            for series in model.series
        )

    def quiet_seconds(self, model: ModelSummary, *, now: float) -> float | None:
        """For how long nothing came of a model; None where nothing ever came."""
        times = [self._versions[key][1] for key in self._keys(model)]
        return max(0.0, now - max(times)) if times else None

    def live_versions(self, model: ModelSummary, *, now: float) -> list[str]:
        """At most three versions, those that send first, of them the ones with most predictions."""
        ranked = sorted(self._keys(model), key=lambda key: self._rank(key, now))
        return [
            version
            for place, (_, version) in enumerate(ranked[:LIVE_VERSIONS])
            if place == 0 or now - self._versions[model.model, version][1] < RETIRED_SECONDS
        ]

    def _keys(self, model: ModelSummary) -> list[tuple[str, str]]:
        keys = {(model.model, series.version) for series in model.series}
        return sorted(key for key in keys if key in self._versions)

    def _rank(self, key: tuple[str, str], now: float) -> tuple[float, int, str]:
        total, changed = self._versions[key]
        # In steps of a minute, so that two that both send do not change places at every look.
        return (now - changed) // 60, -total, key[1]
