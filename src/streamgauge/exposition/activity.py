"""What is of now: which models, versions and steps still send, and whether a monitor watches."""

from __future__ import annotations

import math
import threading

from streamgauge.exposition.fleet import ModelSummary, SeriesSummary
from streamgauge.state.reader import Snapshot

#: Most versions of a model that have series of their own.
LIVE_VERSIONS = 3
#: A version that has sent nothing for so long is retired, unless it is the only one.
RETIRED_SECONDS = 3600.0
#: A view that nobody has renewed for so long, while no monitor reports itself, is from before.
DEAF_SECONDS = 15.0
#: A snapshot comes later than a newer one by no more than this.
LATE_SECONDS = 60.0

#: Model, version, step.
Key = tuple[str, str, str]
#: Predictions so far, and when they last became more.
Sent = tuple[int, float]


class Activity:
    """Remembers when each total last grew, by the reader's clock.

    Event time would not do: a model that backfills last year's events is as alive as any. Any
    thread may note and ask, because what was noted is replaced as a whole.
    """

    def __init__(self) -> None:
        self._sent: dict[Key, Sent] = {}
        self._read_at = float("-inf")
        self._monitor_seen = False
        self._lock = threading.Lock()

    def note(self, snapshot: Snapshot) -> None:
        """Take note of the totals, and forget what is gone. Costs microseconds per series.

        Note every snapshot, also while nobody looks, or a silence counts from the next look.
        Noting one twice, or an older one late, changes nothing. One that is older by much shows
        that the clock was set back.
        """
        with self._lock:
            late = self._read_at - LATE_SECONDS <= snapshot.read_at < self._read_at
            if not late:
                self._read_at = snapshot.read_at
                self._note(snapshot)

    def _note(self, snapshot: Snapshot) -> None:
        self._monitor_seen |= any(p.service == "monitor" for p in snapshot.processes)
        totals: dict[Key, int] = {}
        newest: dict[Key, float] = {}
        for view in snapshot.models:
            for series in view.series:
                key = (view.model, series.version, series.step)
                totals[key] = totals.get(key, 0) + sum(series.counts.values())
                times = [series.window_end, newest.get(key)]
                if len(view.series) == 1 or series.window_end is None:
                    # Of a series that is not the only one, this is the latest that it can be.
                    times.append(view.last_event)
                known = (t for t in times if t is not None and math.isfinite(t))
                newest[key] = max(known, default=snapshot.read_at)
        self._sent = {
            key: (total, self._changed_at(key, total, newest[key], snapshot.read_at))
            for key, total in totals.items()
        }

    def _changed_at(self, key: Key, total: int, newest: float, now: float) -> float:
        before = self._sent.get(key)
        if before is None:
            # Not seen before: its newest event is the best guess there is.
            return min(now, newest)
        return min(now, before[1]) if total == before[0] else now

    def quiet_seconds(
        self, model: ModelSummary, series: SeriesSummary | None = None, *, now: float
    ) -> float | None:
        """For how long nothing came of a model, or of one series; None where nothing ever came."""
        sent = self._sent
        asked = model.series if series is None else (series,)
        found = [sent.get((model.model, each.version, each.step)) for each in asked]
        times = [changed for total, changed in filter(None, found) if total]
        return max(0.0, now - max(times)) if times else None

    def live_versions(self, model: ModelSummary, *, now: float) -> list[str]:
        """At most three versions, those that send first, of them the ones with most predictions."""
        sent = self._sent
        versions: dict[str, Sent] = {}
        for series in model.series:
            total, changed = sent.get((model.model, series.version, series.step), (0, now))
            before = versions.get(series.version, (0, changed))
            versions[series.version] = (before[0] + total, max(before[1], changed))
        ranked = sorted(versions, key=lambda version: _rank(version, versions[version], now))
        return [
            version
            for place, version in enumerate(ranked[:LIVE_VERSIONS])
            if place == 0 or now - versions[version][1] < RETIRED_SECONDS
        ]

    def deaf(self, snapshot: Snapshot, *, now: float) -> bool:
        """Whether nobody watches any more: no monitor reports itself, and no view is fresh.

        A partition without events writes nothing, so old views alone prove nothing.
        """
        if not self._monitor_seen or any(p.service == "monitor" for p in snapshot.processes):
            return False
        written = [v.written_at for _, v in snapshot.partitions if v.written_at is not None]
        return now - max(written, default=float("-inf")) > DEAF_SECONDS


def _rank(version: str, sent: Sent, now: float) -> tuple[float, int, str]:
    total, changed = sent
    # In steps of a minute, so that two that both send do not change places at every look.
    return (now - changed) // 60, -total, version
