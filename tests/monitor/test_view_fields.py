"""What views declare is what the monitor says: a field that nobody sets would show 0 for ever."""

from __future__ import annotations

import pytest

from streamgauge.monitor import partition_monitor
from streamgauge.monitor.model_monitor import ModelMonitor
from streamgauge.monitor.view import model_view
from streamgauge.state.views import ModelView, View
from tests.monitor.generate import stream
from tests.monitor.streams import drive, monitor


def unset(view: View) -> set[str]:
    return set(type(view).model_fields) - view.model_fields_set - {"v"}


def test_every_field_of_a_view_is_set_by_the_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a model with a few judged windows
    made: list[ModelView] = []

    def watched(each: ModelMonitor) -> ModelView:
        made.append(model_view(each))
        return made[-1]

    monkeypatch.setattr(partition_monitor, "model_view", watched)
    watching = monitor()
    drive(watching, stream(8_000))
    # When it shows itself
    watching.dirty()
    # Then it has said all that a view may say
    assert unset(made[-1]) == set()
    series = made[-1].series[0]
    assert unset(series) == set()
    assert unset(next(each for each in series.features if each.name == "x0")) == set()


def test_a_restored_monitor_shows_all_models_as_they_were() -> None:
    # Given two models, one of which has long said nothing
    watching = monitor()
    drive(watching, stream(2_000, model="quiet"))
    first = watching.dirty()
    drive(watching, stream(2_000))
    second = watching.dirty()
    # When another monitor has nothing but the state
    other = monitor()
    other.restore({**first.blobs, **second.blobs})
    # Then it shows both, although nothing has changed
    assert other.dirty().views == {}
    assert dict(other.views()) == {**first.views, **second.views}
