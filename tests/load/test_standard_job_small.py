"""The standard job in small: the naive loop, the log, and what is made of the figures."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import numpy as np
import orjson
import pytest

from load_tests.monitor_rate import Book
from load_tests.standard_job import backlog, budgets, job, log, rounds, spec, table
from load_tests.standard_job.core_time import CoreTime
from load_tests.standard_job.job import Measured
from load_tests.standard_job.latency import Latency
from load_tests.standard_job.naive_loop import NaiveLoop
from load_tests.standard_job.outcome import Outcome
from streamgauge.batch.decode import decode_records
from streamgauge.monitor import PartitionMonitor
from streamgauge.processing import LogRecord
from streamgauge.state.keys import model_id

BEGIN = 1_790_000_000.0


def made(n: int) -> list[bytes]:
    return [orjson.dumps(event) for event in log.events(n, begin=BEGIN)]


def measured(events: int, seconds: float, outside: float = 0.0) -> Measured:
    return Measured(
        events=events,
        seconds=seconds,
        outside_seconds=outside,
        cpu_seconds=seconds / 2,
        rss_mb=100.0,
    )


def test_the_naive_loop_sums_a_window_up_exactly() -> None:
    # Given a window of which the first column holds 0 to 999, less a tenth that is missing
    events = list(log.events(job.WINDOW, begin=BEGIN))
    for number, event in enumerate(events):
        event["features"]["feature_0"] = None if number % 10 == 0 else float(number)
    values = [float(number) for number in range(job.WINDOW) if number % 10]
    loop = NaiveLoop(map(orjson.dumps, events))
    # When the loop takes it
    for event in events:
        loop.take(orjson.dumps(event))
    # Then the figures are those of the values, and nothing is far from itself
    first = loop.last["feature_0"]
    assert (loop.windows, first.count, first.missing_ratio) == (1, 900, 0.1)
    assert (first.low, first.high, first.psi) == (1.0, 999.0, 0.0)
    assert first.mean == pytest.approx(statistics.mean(values))
    assert first.deviation == pytest.approx(statistics.stdev(values))
    assert first.quantiles == pytest.approx(np.quantile(values, job.QUANTILES), rel=0.02)
    assert set(loop.last) == set(job.WATCHED)


def test_events_are_seeded_and_of_the_size_that_is_said() -> None:
    values = made(2_000)
    assert values == made(2_000)
    assert sum(map(len, values)) / len(values) == pytest.approx(440, abs=10)


def test_the_monitor_does_the_same_job() -> None:
    # Given the job's spec and three windows of events
    rows = list(log.events(2_000, seed=2, begin=BEGIN - 10))
    monitor = PartitionMonitor(0, book=Book(spec.document(), log.profile(rows)))
    values = made(3 * job.WINDOW + 1)
    records = [
        LogRecord("streamgauge.predictions", 0, i, BEGIN + i / job.RATE, b"", (), value)
        for i, value in enumerate(values)
    ]
    # When the monitor takes them
    effects = monitor.process(records)
    # Then every column's detector took every value, and windows are of 1,000 events
    assert effects.counts == {("prediction", "ok"): len(values)}
    view = orjson.loads(monitor.dirty().views[model_id(job.MODEL)])
    (series,) = view["series"]
    assert series["window_n"] == job.WINDOW
    samples = {each["series"]: each["samples"] for each in series["detectors"]}
    events = [orjson.loads(value) for value in values]
    for name in job.NUMERIC:
        there = sum(event["features"][name] is not None for event in events)
        assert samples[name] == there
    assert samples["output.score"] == len(values)


def test_columns_hold_the_events_of_the_log_again_and_again() -> None:
    # Given two thousand events; when they are sent as columns, twice over
    messages = list(backlog.columns(made(2_000), passes=2))
    records = [
        LogRecord(
            "streamgauge.predictions", 0, i, sent.at, sent.key, tuple(sent.headers), sent.value
        )
        for i, sent in enumerate(messages)
    ]
    # Then each message has a thousand rows, and no two rows one id
    decoded = decode_records(records)
    assert not decoded.dead
    ids = [each for sent in messages for each in orjson.loads(sent.value)["prediction_id"]]
    assert (len(messages), len(ids), len(set(ids))) == (4, 4_000, 4_000)
    assert [sent.at for sent in messages] == pytest.approx([BEGIN + n - 0.001 for n in range(1, 5)])


def test_a_ratio_is_the_median_over_rounds_of_pairs_within_them() -> None:
    # Given three rounds in which the machine's speed differs, and one without the other way
    done = [
        {"monitor": measured(400, 1.0), "naive": measured(200, 1.0)},
        {"monitor": measured(100, 1.0), "naive": measured(25, 1.0)},
        {"monitor": measured(300, 1.0), "naive": measured(100, 1.0)},
        {"monitor": measured(1_000, 1.0)},
    ]
    assert rounds.ratios(done, "monitor", "naive") == [2.0, 3.0, 4.0]
    assert rounds.ratio(done, "monitor", "naive") == 3.0
    assert rounds.ratio(done, "monitor", "whylogs") is None


def test_time_that_others_had_does_not_count() -> None:
    # Given ten seconds, of which the first thread waited for four, one for its own other thread
    passed = CoreTime(20.0, 6.0, 4.0, 5.0) - CoreTime(10.0, 0.0, 0.0, 0.0)
    assert (passed.wall, passed.outside) == (10.0, 3.0)
    assert measured(700, 10.0, 3.0).rate == 100.0
    assert measured(700, 10.0, 3.0).clock_rate == 70.0


def test_a_run_is_held_against_its_budget() -> None:
    # Given a run in which the monitor is three times as fast as the loop, and Faust was left out
    done = [{"monitor": measured(3_000, 1.0), "naive": measured(1_000, 1.0)}]
    latency = Latency(seconds=(0.5, 1.0, 2.0), drifts=3, sender_late_seconds=0.0)
    found = Outcome(rounds=done, latency=latency, growth={"ratios": {"models": 0.25}})
    least = {"ratio_naive": 3.0, "ratio_faust": 15.0, "models": 0.4}
    # When it is judged
    verdicts = budgets.judge(found.figures(), least)
    # Then what reaches its least is met, and what was not measured is held against nobody
    assert [each.says for each in verdicts] == ["met", "not measured", "BELOW"]
    assert [each.below for each in verdicts] == [False, False, True]
    assert table.budget(verdicts)[0] == "budget: ratio_naive 3.00 of at least 3: met"
    assert table.last_line(found.last()) == (
        "load: ratio_naive=3.00 ratio_faust=- ratio_ceiling=- alarm_p50_s=1.00 alarm_p99_s=2.00"
        " rss_mb=100"
    )


def test_a_row_says_how_a_way_fared() -> None:
    done = [{"monitor": measured(3_000, 1.0), "naive": measured(1_000, 1.0)}]
    head, row, _ = table.rows(done, {"monitor": "ours", "whylogs": "was never measured"})
    assert row.split() == [
        "monitor",
        "3,000",
        "3,000",
        "166.7",
        "3.00",
        "3.00",
        "3.00",
        "100",
        "ours",
    ]
    assert len(head.partition("  what")[0]) == len(row.partition("  ours")[0])


def test_the_budget_of_the_repository_names_figures_that_there_are() -> None:
    known = set(Outcome(rounds=[]).figures()) | {"models_1000_to_one", "workers_two_to_one"}
    least = budgets.read()
    assert set(least) <= known
    assert all(math.isfinite(value) and value > 0 for value in least.values())


def test_a_log_is_read_in_chunks(tmp_path: Path) -> None:
    log.write(tmp_path, 2_500)
    chunks = list(job.chunks(tmp_path, 2_400, size=1_000))
    assert [len(chunk) for chunk in chunks] == [1_000, 1_000, 400]
    assert len(job.reference(tmp_path)) == log.REFERENCE_EVENTS
