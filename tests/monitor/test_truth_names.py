"""Classes have their codes in the order of the log, however it is cut."""

from __future__ import annotations

from typing import Any

from tests.monitor.streams import START, drive, monitor, prediction


def scored(i: int, best: str) -> Any:
    scores = {"a": 0.2, "b": 0.2, "c": 0.2} | {best: 0.6}
    return prediction(i, START + i, {"x": 1.0}, output={"label": best, "scores": scores})


def test_labels_and_the_classes_beside_them_are_named_event_by_event() -> None:
    # Given answers that name other classes beside the one they give
    log = [scored(0, "a"), scored(1, "c"), scored(2, "b")]
    # When they come at once, and one by one with a checkpoint after each
    whole, single = monitor(), monitor()
    drive(whole, log)
    kept: dict[str, bytes] = {}
    for record in log:
        drive(single, [record])
        kept |= single.dirty().blobs
    # Then what is written is the same
    assert kept == dict(whole.dirty().blobs)
