"""What producers numbered and the log does not have: counted, and never guessed."""

from __future__ import annotations

import random

from hypothesis import example, given
from hypothesis import strategies as st

from streamgauge.monitor.clients import MANY, MOST_LOST, MOST_PROCESSES, MOST_PRODUCERS, Clients
from streamgauge.processing import LogRecord
from streamgauge.state.keys import model_id
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.telling import feedback, headed, heartbeat, view

A, B = "a" * 16, "b" * 16


def numbered(numbers: list[int], producer: str = A, *, first: float = START) -> list[LogRecord]:
    return [
        headed(prediction(i, first + i / 10, {}), sequence=f"{producer}-{n}")
        for i, n in enumerate(numbers)
    ]


def lost(records: list[LogRecord]) -> int:
    subject = monitor()
    drive(subject, records, range(0, len(records), 7))
    return view(subject).lost_events


def test_a_log_without_gaps_has_lost_nothing() -> None:
    assert lost(numbered(list(range(50)))) == 0


def test_gaps_are_lost_events() -> None:
    assert lost(numbered([0, 1, 5, 6, 9])) == 5


def test_an_order_that_was_mixed_up_loses_nothing() -> None:
    numbers = list(range(60))
    random.Random(4).shuffle(numbers)
    assert lost(numbered(numbers)) == 0


def test_a_producer_that_starts_anew_is_another_one() -> None:
    # Given a service that restarts after forty events, of which two were lost
    before = [n for n in range(40) if n not in (7, 8)]
    assert lost([*numbered(before), *numbered(list(range(30)), B, first=START + 10)]) == 2


def test_a_heartbeat_shows_what_was_lost_behind_the_last_event() -> None:
    # Given a producer whose last three events never came
    events = numbered(list(range(10)))
    assert lost(events) == 0
    # When its heartbeat says which number it used last
    beat = heartbeat(START + 5, instance=f"host-1-{A[:8]}", sequence=12)
    assert lost([*events, beat]) == 3
    # And when the heartbeat itself has the number after that
    own = heartbeat(START + 5, headers={"sequence": f"{A}-13"}, sequence=12)
    assert lost([*events, own]) == 3


def test_topics_and_shards_are_numbered_by_themselves() -> None:
    events = numbered(list(range(10)))
    acts = [
        headed(feedback(START + i, "redo", prediction_id="p"), sequence=f"{A}-{i}")
        for i in range(10)
    ]
    shards = [
        record._replace(key=b"fraud/1") for record in numbered(list(range(10)), first=START + 2)
    ]
    assert lost([*events, *acts, *shards]) == 0
    # And a loss in one of them is not hidden by the numbers of the other
    assert lost([*events, *acts, *shards[:3], *shards[5:]]) == 2


def test_what_came_and_could_not_be_read_was_not_lost() -> None:
    events = numbered(list(range(10)))
    events[4] = events[4]._replace(value=b"{")
    assert lost(events) == 0


def test_ten_thousand_producers_are_a_bounded_state_and_still_counted() -> None:
    # Given pods that live for three events each and lose the second
    subject = monitor()
    records = [
        headed(prediction(i, START + i / 1_000, {}), sequence=f"{i // 2:016x}-{2 * (i % 2)}")
        for i in range(20_000)
    ]
    drive(subject, records, range(0, 20_000, 500))
    changes = subject.dirty()
    assert len(changes.blobs[model_id("fraud")]) < 60_000
    subject = monitor()
    drive(subject, records, range(0, 20_000, 500))
    assert view(subject).lost_events == 10_000
    assert MOST_PRODUCERS < 10_000


def test_processes_that_are_invented_are_a_bounded_state() -> None:
    beats = [
        heartbeat(START + i / 100, instance=f"pod-{i}-{i:08x}", cpu_ratio=0.1) for i in range(3_000)
    ]
    subject = monitor()
    drive(subject, beats, range(0, 3_000, 250))
    changes = subject.dirty()
    assert len(changes.blobs[model_id("fraud")]) < 40_000
    subject = monitor()
    drive(subject, beats)
    assert len(view(subject).clients) == MOST_PROCESSES


def test_numbers_that_are_none_or_that_nobody_could_send_do_no_harm() -> None:
    wrong = ["", "-", "x-1", f"{A}-", f"{A}--1", f"{A}-1e9", f"{A}-" + "9" * 400, "ü-1", "\n-\n"]
    records = [
        headed(prediction(i, START + i / 10, {}), sequence=sequence)
        for i, sequence in enumerate(wrong)
    ]
    assert lost(records) == 0
    # And the greatest that are read, of many producers, still fit into the state
    many = [
        record
        for n in range(600)
        for record in numbered([0, 10**15 - 1], f"{n:016x}", first=START + n)
    ]
    assert lost(many) == MOST_LOST


#: Many of one producer, as a client numbers them, and nearly so.
MANY_NUMBERS = st.lists(
    st.one_of(
        st.integers(10**6, 10**6 + 99).map(lambda n: f"{A}-{n}".encode()),
        st.sampled_from([f"{A}-100000{sign}".encode() for sign in ":/x-+"]),
    ),
    min_size=MANY,
    max_size=MANY + 6,
)
LONG = [f"{A}-{'9' * digits}".encode() for digits in (15, 16)]
SEQUENCES = st.sampled_from([A, "x", "x-y", ""]).flatmap(
    lambda producer: st.lists(
        st.one_of(
            st.integers(0, 99).map(lambda n: f"{producer}-{n}".encode()),
            st.sampled_from([b"12", b"-3", b"x-", b"x-y-4", b"y-5", b"-", b"x-+6"]),
        ),
        min_size=1,
        max_size=6,
    )
)


@given(st.one_of(SEQUENCES, MANY_NUMBERS))
@example([LONG[0]] * MANY)
@example([LONG[1]] * MANY)
@example([f"{A}-1{n:06d}".encode() for n in range(MANY)])
@example([f"{A}-".encode()] * MANY)
def test_many_numbers_at_once_are_taken_as_one_by_one(sequences: list[bytes]) -> None:
    at_once, one_by_one = Clients(), Clients()
    at_once.number("predictions", sequences)
    for sequence in sequences:
        one_by_one.number("predictions", [sequence])
    assert at_once.state() == one_by_one.state()


def test_heartbeats_among_predictions_hear_what_came_before_them() -> None:
    # Given a process whose heartbeats have numbers of their own and say which it used last
    events = numbered(list(range(40)))
    beats = [
        heartbeat(
            START + i / 10,
            instance=f"host-1-{B[:8]}",
            headers={"sequence": f"{B}-{i}"},
            sequence=i + 3,
        )
        for i in range(0, 40, 5)
    ]
    log = sorted([*events, *beats], key=lambda record: record.timestamp or 0.0)
    whole, single = monitor(), monitor()
    # When the log is read at once, and record by record
    drive(whole, log)
    drive(single, log, range(len(log)))
    # Then both know the same of it
    assert whole.dirty().blobs == single.dirty().blobs
