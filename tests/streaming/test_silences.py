"""Only a silence of the broker is one: not a pause of ours, and not the time before a start."""

from __future__ import annotations

from streamgauge.streaming.silences import Silences


def test_the_end_of_a_silence_is_told_once_and_by_topic() -> None:
    silences = Silences(2.0)
    for at in (1.0, 2.0, 3.0):
        assert silences.over({"a": at, "b": at}) == []
    assert silences.over({"a": 3.0, "b": 4.0}) == []
    assert silences.over({"a": 6.0, "b": 5.0}) == ["a"]
    assert silences.over({"a": 6.0, "b": 5.0}) == []
    assert silences.over({"a": 6.1, "b": 6.0}) == []


def test_what_is_seen_first_can_be_of_any_age() -> None:
    silences = Silences(2.0)
    assert silences.over({"a": None}) == []
    assert silences.over({"a": 1.0}) == []
    assert silences.over({"a": 9.0}) == []


def test_a_pause_of_ours_is_no_silence() -> None:
    silences = Silences(2.0)
    for at in (1.0, 2.0, None, None, 2.0, 9.0):
        assert silences.over({"a": at}) == []
    # And afterwards it listens again.
    assert silences.over({"a": 12.0}) == ["a"]
