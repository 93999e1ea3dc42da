"""What users do with the answers: rates per interaction, by habit or as a spec declares them."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from streamgauge.processing import LogRecord
from tests.monitor.streams import START, drive, monitor, prediction
from tests.monitor.telling import alarms, feedback, headed, merged, spec, told, view

RATE = 100.0


def talks(
    seconds: float,
    *,
    redo: float = 0.1,
    later: float | None = None,
    since: float = 0.0,
    turns: int = 1,
    kind: str = "redo",
    seed: int = 3,
) -> list[LogRecord]:
    """Interactions of ``turns`` predictions; in a share of them the user acts a second later.

    From ``since`` seconds on the share is ``later``.
    """
    rng = np.random.default_rng(seed)
    answers, acts = [], []
    for i in range(int(seconds * RATE)):
        at, interaction = START + i / RATE, f"i{i // turns}"
        answers.append(prediction(i, at, {}, interaction_id=interaction))
        share = redo if later is None or i / RATE < since else later
        if i % turns == 0 and rng.random() < share:
            # Each turn is redone: one impatient user is one interaction and not several.
            acts += [
                feedback(at + 1 + n / 1_000, kind, interaction_id=interaction) for n in range(turns)
            ]
    return merged(answers, acts)


def test_users_who_ask_again_twice_as_often_are_told() -> None:
    # Given a tenth of all interactions in which users ask again, and from 40 s on a fifth
    log = talks(70, later=0.25, since=40)
    (fired,) = alarms(drive(monitor(), log, range(0, len(log), 400)).events)
    # Then that is an alarm of its own kind, within three windows
    assert (fired.kind, fired.feature, fired.rule) == ("feedback", "redo", "rate")
    assert fired.window is not None and fired.window.end <= START + 40 + 16
    assert "users ask again in" in fired.summary and "of interactions" in fired.summary
    assert fired.value == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize("kind", ["redo", "thumbs_up", "custom:shrug"])
def test_users_who_do_as_they_always_did_are_not_told(kind: str) -> None:
    log = talks(60, kind=kind)
    assert told(drive(monitor(), log, range(0, len(log), 400)).events) == []


def test_more_praise_is_no_alarm() -> None:
    log = talks(70, kind="thumbs_up", later=0.5, since=40)
    assert told(drive(monitor(), log).events) == []


def test_a_rate_is_per_interaction_and_not_per_prediction() -> None:
    # Given interactions of five predictions, a tenth of which are redone five times over
    subject = monitor()
    drive(subject, talks(60, turns=5))
    found = view(subject)
    # Then it is a tenth of the interactions: of 20 a second, in a window of 500
    (redo,) = found.behaviour
    assert redo.value == pytest.approx(0.1, abs=0.04)
    assert found.interactions == pytest.approx(500, abs=25)


def test_acts_on_what_was_never_predicted_are_counted() -> None:
    # Given users who act on interactions that no prediction names
    log = talks(20)
    ghosts = [feedback(START + 10 + i / 10, "redo", interaction_id=f"ghost{i}") for i in range(50)]
    subject = monitor()
    drive(subject, merged(log, ghosts))
    assert view(subject).feedback_orphans == 50
    # And some that came before anything was predicted
    early = [feedback(START - 5, "redo", interaction_id="i1")]
    subject = monitor()
    drive(subject, merged(early, log))
    assert view(subject).feedback_orphans == 1


def test_what_a_spec_allows_needs_no_habit() -> None:
    # Given a spec that allows two abandoned interactions in a hundred, and ten that are
    subject = monitor(spec(behaviour={"abandon": {"max_ratio": 0.02}}))
    (fired,) = alarms(drive(subject, talks(15, kind="abandon")).events)
    assert (fired.feature, fired.threshold) == ("abandon", 0.02)
    assert "users give up in" in fired.summary and "(at most 2 %)" in fired.summary


def test_a_name_of_the_users_own_is_judged_where_a_spec_knows_it() -> None:
    subject = monitor(spec(behaviour={"custom:shrug": {"max_ratio": 0.02}}))
    (fired,) = alarms(drive(subject, talks(15, kind="custom:shrug")).events)
    assert fired.feature == "custom:shrug"
    # And elsewhere all such names are one kind: there may be any number of them
    subject = monitor()
    log = talks(15)
    names = [feedback(START + i / 50, f"custom:{i}", prediction_id=f"p{i}") for i in range(500)]
    drive(subject, merged(log, names))
    assert set(view(subject).feedback) == {"redo", "custom"}


def test_an_alarm_resolves_when_users_are_content_again() -> None:
    subject = monitor(spec(behaviour={"redo": {"max_ratio": 0.2}}))
    log = merged(talks(20, redo=0.4), _moved(talks(40, redo=0.05, seed=4), 20.0))
    found = alarms(drive(subject, log).events)
    assert [alarm.status for alarm in found] == ["firing", "resolved"]
    assert "the rate of redo is back to normal" in found[1].summary


def test_a_sampled_model_is_judged_by_what_its_sample_stands_for() -> None:
    # Given a client that sends one prediction in ten, and feedback on all of them
    log = talks(200)
    kept = [
        headed(record, sampledrate="10")
        for record in log
        if record.topic.endswith("predictions") and record.offset % 10 == 0
    ]
    acts = [record for record in log if record.topic.endswith("feedback")]
    subject = monitor()
    drive(subject, merged(kept, acts))
    (redo,) = view(subject).behaviour
    # Then the rate is what it was
    assert redo.value == pytest.approx(0.1, abs=0.04)


def _moved(records: list[LogRecord], seconds: float) -> list[LogRecord]:
    """The same records, later and of other interactions."""

    def changed(record: LogRecord) -> LogRecord:
        event: dict[str, Any] = orjson.loads(record.value or b"")
        event["timestamp"] += seconds
        for name in event.keys() & {"interaction_id", "prediction_id"}:
            event[name] = f"again-{event[name]}"
        return record._replace(
            value=orjson.dumps(event), timestamp=(record.timestamp or 0.0) + seconds
        )

    return [changed(record) for record in records]
