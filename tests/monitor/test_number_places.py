"""Columns placed side by side lie where each lies when it is placed alone."""

from __future__ import annotations

import numpy as np
import pytest

from streamgauge.batch.columns import ABSENT, CATEGORY, NULL, NUMBER, Column
from streamgauge.monitor.contents import Placed
from streamgauge.monitor.number_places import MANY, MOST_COLUMNS, NumberPlaces
from streamgauge.monitor.target import Target
from streamgauge.references.bins import numeric_bins
from streamgauge.specs.features import FeatureSpec

COLUMNS = MOST_COLUMNS + 6


def targets(rng: np.random.Generator) -> dict[str, Target]:
    """Numeric features of which some declare a range; one still draws its bins."""
    made = {}
    for i in range(COLUMNS):
        spec = FeatureSpec(range=(-1.0, 1.0)) if i % 3 == 0 else FeatureSpec()
        target = made[f"x{i}"] = Target(f"x{i}", spec)
        target.draw_on(numeric_bins(rng.normal(size=500)), "numeric")
    made["fresh"] = Target("fresh", FeatureSpec())
    return made


def column(rng: np.random.Generator, n: int, *, holed: bool) -> Column:
    kinds = np.full(n, NUMBER, dtype=np.int8)
    if holed:
        kinds[rng.random(n) < 0.2] = NULL
    return Column(kinds, np.where(kinds == NUMBER, rng.normal(size=n), np.nan))


def plainly(placed: Placed) -> dict[str, object]:
    """What counts of it: a flag that is set nowhere is none."""
    told: dict[str, object] = {"place": placed.place.tolist(), "first": placed.first}
    for name in ("missing", "wrong_type", "out_of_range", "new_category"):
        flags = getattr(placed, name)
        told[name] = flags.tolist() if flags is not None and flags.any() else None
    return told


@pytest.mark.parametrize("n", [1, 3, MANY, 4 * MANY])
def test_side_by_side_or_alone_is_the_same(n: int) -> None:
    # Given columns of numbers and holes, and some with a word or an event that lacks the feature
    rng = np.random.default_rng(3)
    features = targets(rng)
    columns = {name: column(rng, n, holed=i % 2 == 1) for i, name in enumerate(features)}
    columns["x4"].kind[0], columns["x4"].values[0] = CATEGORY, np.nan
    columns["x5"].kind[-1], columns["x5"].values[-1] = ABSENT, np.nan
    columns["x4"] = Column(columns["x4"].kind, columns["x4"].values, ["a", *[None] * (n - 1)])
    # When they are placed at once
    places = NumberPlaces()
    placed = places.place(features, columns)
    # Then those with something to be learned or told are left to the target itself
    assert features.keys() - placed.keys() == {"x4", "x5", "fresh"}
    # And all others lie where the target itself would have put them
    for name, each in placed.items():
        alone = features[name].place(columns[name])
        assert plainly(each) == plainly(alone)
        assert each.values is not None and alone.values is not None
        assert np.array_equal(each.values, alone.values, equal_nan=True)


def test_other_bins_are_other_places() -> None:
    # Given a feature whose bins are drawn anew
    rng = np.random.default_rng(4)
    target = Target("x")
    columns = {"x": column(rng, 2 * MANY, holed=False)}
    target.draw_on(numeric_bins(np.arange(100.0)), "numeric")
    places = NumberPlaces()
    before = places.place({"x": target}, columns)["x"].place
    # When the same values are placed again
    target.draw_on(numeric_bins(rng.normal(size=100)), "numeric")
    after = places.place({"x": target}, columns)["x"].place
    # Then they lie in the new ones
    assert after.tolist() == target.place(columns["x"]).place.tolist()
    assert after.tolist() != before.tolist()
