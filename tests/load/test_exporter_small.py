"""What the exporter's load test measures, small enough for every run."""

from __future__ import annotations

import pytest

from load_tests import exporter
from streamgauge.monitor import partition_monitor
from streamgauge.state.views import ModelView
from tests.exposition.builders import partition, reading
from tests.exposition.scraped import Scraped


def test_whatever_names_come_series_stay_below_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a hundred times as many names of models, versions, features and classes as have a place
    monkeypatch.setattr(partition_monitor, "MOST_MODELS", 50)
    views, refused = exporter.strangers(5_000)
    assert (len(views), refused) == (50, 4_950)
    # When they are scraped, again and again
    told = [ModelView.model_validate_json(view) for view in views.values()]
    now = Scraped(reading(told, [partition()]), max_series=300)
    for _ in range(3):
        shown = now.value("series")
        assert shown is not None and 290 < shown <= 300
    # Then what was left out is counted
    assert (now.value("series_dropped_total", reason="cap") or 0) > 0
