"""Where a chunk is to be cut, because what is in it must not be taken at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from streamgauge.batch.columns import EventBatch, rows_by_name
from streamgauge.batch.decoded import Decoded
from streamgauge.monitor.configuration import ConfigurationBook
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.truth.model_truth import UNASKED

#: The step in a model's life after which its silence is wanted.
RETIRED = "retired"

Batches = Mapping[str, Sequence[EventBatch]]
Models = Mapping[str, ModelMonitor]


def cuts(
    decoded: Decoded,
    batches: Batches,
    reached: NDArray[np.float64],
    *,
    models: Models,
    book: ConfigurationBook,
    features_left: int,
) -> list[int]:
    """The records before which a chunk is to be cut; none where it may be taken at once.

    ``reached`` (records,) is the log's time at each record, in seconds. ``features_left`` is how
    many features of all models together may still be new.
    """
    n = len(reached)
    # What comes before a retirement is heard before it.
    found = {row.row for row in decoded.model_events if row.event.action == RETIRED}
    # Labels that come before a spec takes effect go by the one before.
    found.update(_changes(batches, reached, models, book))
    if decoded.labels:
        found.update(_asked(decoded, batches, models))
    if found - {0, n}:
        return sorted(found - {0, n})
    # The last places go to who comes first in the log, so they are given in small steps.
    return [n // 2] if n > 1 and _crowded(batches, models, features_left) else []


def _changes(
    batches: Batches, reached: NDArray[np.float64], models: Models, book: ConfigurationBook
) -> Iterator[int]:
    """The first record of each model that a newer spec holds for."""
    for model, parts in batches.items():
        versions = book.versions(model)
        if not versions:
            continue
        monitor = models.get(model)
        for part in parts:
            times = reached[part.row]
            if monitor is None:
                # Its first spec is the one in force when it is made.
                known = times[0]
                waiting = [v.effective_at for v in versions if v.effective_at > known]
            else:
                number = monitor.configuration.number
                waiting = [v.effective_at for v in versions if v.number > number]
            if waiting and times[-1] >= min(waiting):
                yield int(part.row[np.argmax(times >= min(waiting))])
                break


def _asked(decoded: Decoded, batches: Batches, models: Models) -> Iterator[int]:
    """The records behind first labels of models for whose predictions they make room."""
    crowded = set()
    for model in {label.event.model for label in decoded.labels} & batches.keys():
        coming, monitor = sum(map(len, batches[model])), models.get(model)
        if monitor.truth.crowded(coming) if monitor is not None else coming > UNASKED // 2:
            crowded.add(model)
    for label in decoded.labels if crowded else ():
        if label.event.model in crowded:
            crowded.remove(label.event.model)
            yield label.row + 1


def _crowded(batches: Batches, models: Models, left: int) -> bool:
    """Whether new features of different models would compete for the last places."""
    if not left:
        return False
    fresh = 0
    for model, parts in batches.items():
        for batch in parts:
            fresh += _unknown_features(batch, models.get(model))
        if fresh > left:
            return True
    return False


def _unknown_features(batch: EventBatch, monitor: ModelMonitor | None) -> int:
    """At most so many features would be new with a model's batch; each step has its own."""
    fresh = 0
    for name, rows in rows_by_name(batch.step):
        features = batch.features if len(rows) == len(batch) else batch.features.take(rows)
        step = monitor.steps.get(name) if monitor is not None else None
        fresh += step.unknown(features) if step is not None else len(features.first_rows(()))
    return fresh
