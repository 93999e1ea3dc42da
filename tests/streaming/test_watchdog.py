"""The watchdog bites a stall, and nothing else."""

from __future__ import annotations

import threading
import time

from streamgauge.streaming.watchdog import EXIT_CODE, Progress, Stall, Watchdog


def test_a_partition_that_should_move_and_does_not_is_stuck_after_the_time() -> None:
    stall = Stall(30.0)
    assert stall.stuck({0: Progress(5, behind=True), 1: Progress(5, behind=True)}, 0.0) == []
    assert stall.stuck({0: Progress(5, behind=True), 1: Progress(6, behind=True)}, 29.0) == []
    assert stall.stuck({0: Progress(5, behind=True), 1: Progress(6, behind=True)}, 31.0) == [0]


def test_paused_idle_or_gone_is_not_stuck() -> None:
    stall = Stall(30.0)
    stall.stuck({0: Progress(5, behind=True)}, 0.0)
    stall.stuck({0: Progress(5, behind=False)}, 20.0)  # Redis was away
    assert stall.stuck({0: Progress(5, behind=True)}, 40.0) == []
    stall.stuck({}, 41.0)  # revoked
    assert stall.stuck({0: Progress(5, behind=True)}, 80.0) == []


def test_a_blocked_event_loop_ends_the_process() -> None:
    ended, codes = threading.Event(), list[int]()

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    beaten = time.monotonic() - 100
    watchdog = Watchdog(30.0, dict, lambda: beaten, end)
    watchdog.start()
    assert ended.wait(5)
    watchdog.stop()
    assert codes == [EXIT_CODE]
