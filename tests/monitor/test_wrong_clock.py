"""One sender's clock that is ahead closes nobody's windows."""

from __future__ import annotations

from tests.monitor.streams import START, monitor, prediction


def test_an_event_from_the_future_is_refused_and_advances_nothing() -> None:
    # Given two monitors that hear the same, and one event of tomorrow that one of them hears too
    usual = [prediction(n, START + n / 100, {"amount": float(n % 7)}) for n in range(3000)]
    tomorrow = prediction(9999, START + 86_400, {"amount": 1.0}, recorded=START + 15)
    alone, beside = monitor(), monitor()
    expected = alone.process(usual)
    found = beside.process([*usual[:1500], tomorrow, *usual[1500:]])
    # Then it is a dead letter
    assert [letter.reason for letter in found.dead_letters] == ["future"]
    assert found.counts == expected.counts | {("prediction", "dead"): 1}
    # And windows, watermarks and alarms are those of the one that never heard of it
    assert found.events == expected.events
    assert beside.dirty().views == alone.dirty().views
