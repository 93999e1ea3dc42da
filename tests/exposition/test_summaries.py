"""Summaries are made once of a view, and never stand for another."""

from __future__ import annotations

from streamgauge.exposition.fleet import summarise
from streamgauge.exposition.summaries import Summaries
from tests.exposition.builders import model


def test_only_what_changed_is_made_anew() -> None:
    # Given three models, one of two shards
    own = Summaries()
    views = [model("b"), model("a"), model("c"), model("a", partition=1, labels=4)]
    before = own.of(views)
    assert [each.model for each in before] == ["a", "b", "c"]
    assert before == summarise(views)
    # When a shard changes, a model goes, and another comes
    views = [views[0], views[1], model("a", partition=1, labels=5), model("d")]
    after = own.of(views)
    # Then what is the same is the very same, and all else is of now
    assert after == summarise(views)
    assert after[1] is before[1]
    assert after[0].labels == 5
    assert [each.model for each in after] == ["a", "b", "d"]


def test_a_shard_that_goes_takes_its_numbers_along() -> None:
    own = Summaries()
    views = [model("a", labels=1), model("a", partition=1, labels=2)]
    assert own.of(views)[0].labels == 3
    assert own.of(views[:1])[0].labels == 1
