"""What a model will cost: Prometheus series, and bytes in Redis."""

from __future__ import annotations

from typing import NamedTuple

#: Measured on models of 5 to 60 numeric features; a test holds them to the truth.
_MODEL_SERIES = 12
_VERSION_SERIES = 33
_FEATURE_SERIES = 14
_MODEL_BYTES = 10_000
#: State and view of one feature in one version.
_FEATURE_BYTES = 4_800
#: What a feature's hour-of-week season and its calibration add once weeks were seen.
_SEASON_BYTES = 6_000
#: Counts of one feature in one value of a declared segment.
_SLICE_BYTES = 80
#: What a model judges beside its features: score, class, latency, confidence.
_OUTPUTS = 4


class Cost(NamedTuple):
    """An estimate: right within a factor of two."""

    series: int
    redis_bytes: int


def cost(*, features: int, versions: int = 1, slices: int = 0, seasons: bool = True) -> Cost:
    """Estimate the cost of a model of one step on one shard.

    ``versions`` are those that predict at once, ``slices`` the values of declared segments.
    """
    from streamgauge.exposition.shown import WORST

    targets = features + _OUTPUTS
    series = _MODEL_SERIES + versions * (_VERSION_SERIES + min(targets, WORST) * _FEATURE_SERIES)
    each = _FEATURE_BYTES * versions + slices * _SLICE_BYTES + (_SEASON_BYTES if seasons else 0)
    return Cost(series, _MODEL_BYTES + targets * each)
