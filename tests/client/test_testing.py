"""``capture`` and the timing context, as users' own tests see them."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from streamgauge_client import (
    FeedbackEvent,
    LabelEvent,
    ModelEvent,
    PredictionEvent,
    Publisher,
)
from streamgauge_client.testing import capture


def test_events_are_recorded_in_order_and_by_type() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        prediction_id = publisher.log(output=1.0)
        publisher.label(prediction_id, 2.0)
        publisher.feedback(prediction_id, "custom:copied")
        publisher.model_event("retired")
    assert [type(event) for event in events] == [
        PredictionEvent,
        LabelEvent,
        FeedbackEvent,
        ModelEvent,
    ]
    assert events.of(LabelEvent)[0].prediction_id == prediction_id
    assert publisher.stats().sent == 4


def test_neither_kafka_nor_a_thread_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMGAUGE_DISABLED", "1")
    before = threading.active_count()
    publisher = Publisher("127.0.0.1:1", model="m", version="1")
    with capture() as events:
        publisher.log(output=1.0)
    assert len(events) == 1 and threading.active_count() == before
    assert publisher._sender._outlet is None
    # And outside nothing is recorded.
    publisher.log(output=1.0)
    assert len(events) == 1


def test_events_of_other_threads_are_recorded_too() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        thread = threading.Thread(target=publisher.log, kwargs={"output": 1.0})
        thread.start()
        thread.join()
    assert len(events) == 1


def test_captures_nest() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as outer, capture() as inner:
        publisher.log(output=1.0)
    assert (len(outer), len(inner)) == (0, 1)
    with capture() as again:
        publisher.log(output=1.0)
    assert (len(inner), len(again)) == (1, 1)


def test_a_capture_ends_with_an_exception_too() -> None:
    publisher = Publisher(model="m", version="1")
    with pytest.raises(ZeroDivisionError), capture() as events:
        publisher.log(output=1 / 0)
    with capture() as later:
        publisher.log(output=1.0)
    assert (len(events), len(later)) == (0, 1)


def test_what_breaks_the_contract_is_told() -> None:
    with capture() as events:
        events.record("streamgauge.labels", b"m", json.dumps({"model": 3}).encode(), [])
    assert events == [] and "Field required" in events.invalid[0]


class TestTiming:
    def only(self, events: Any) -> PredictionEvent:
        (event,) = events.of(PredictionEvent)
        assert isinstance(event, PredictionEvent)
        return event

    def test_the_block_is_timed(self) -> None:
        publisher = Publisher(model="m", version="1")
        segment = {"country": "SE"}
        with capture() as events, publisher.prediction({"a": 1}, segment=segment) as prediction:
            threading.Event().wait(0.02)
            prediction.output = {"a": 0.2, "b": 0.8}
        event = self.only(events)
        assert event.prediction_id == prediction.prediction_id
        assert event.status == "ok" and event.segment == {"country": "SE"}
        assert event.latency_ms is not None and 20 <= event.latency_ms < 2000

    def test_an_exception_is_published_and_goes_on(self) -> None:
        publisher = Publisher(model="m", version="1")
        with capture() as events, pytest.raises(KeyError), publisher.prediction({"a": 1}):
            raise KeyError("anna@example.org")
        event = self.only(events)
        assert (event.status, event.error_type, event.output) == ("error", "KeyError", None)
        assert "anna" not in event.model_dump_json()

    def test_interrupts_go_on_too(self) -> None:
        publisher = Publisher(model="m", version="1")
        with capture() as events, pytest.raises(KeyboardInterrupt), publisher.prediction():
            raise KeyboardInterrupt
        assert self.only(events).error_type == "KeyboardInterrupt"

    def test_what_is_set_inside_the_block_counts(self) -> None:
        publisher = Publisher(model="m", version="1")
        timed = publisher.prediction(prediction_id="p-1", tags={"a": "b"})
        with capture() as events, timed as prediction:
            prediction.features = {"late": 1.0}
            prediction.status = "fallback"
        event = self.only(events)
        assert (event.prediction_id, event.status) == ("p-1", "fallback")
        assert event.features == {"late": 1.0} and event.tags == {"a": "b"}

    def test_a_wrong_kind_of_id_does_not_raise(self) -> None:
        publisher = Publisher(model="m", version="1")
        with capture() as events, publisher.prediction(prediction_id=object(), timestamp="no"):
            pass
        assert events == [] and publisher.stats().dropped == {"invalid": 1}
