"""``streamgauge alarms``: looked after, silenced, and judged by what it was worth."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.state.handlings import Handlings
from streamgauge.state.keys import model_id, view_key
from streamgauge.state.views import AlarmView, ModelView
from streamgauge_client import alarms

Run = Callable[..., Result]


def alarm(alarm_id: str, status: str = "firing", ratio: float = 4.0) -> AlarmView:
    return AlarmView.model_validate(
        {
            "fingerprint": f"cause of {alarm_id}",
            "kind": "feature_drift",
            "status": status,
            "severity": "warning",
            "severity_ratio": ratio,
            "summary": f"what {alarm_id} says\x1b[2J",
            "starts_at": time.time() - 60,
            "alarm_id": alarm_id,
        }
    )


@pytest.fixture
def url(redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        for model, alarms in {
            "fraud": [alarm("aa11"), alarm("aa22", ratio=9.0), alarm("cc33", "resolved")],
            "churn": [alarm("dd44", ratio=2.0)],
        }.items():
            view = ModelView(model=model, partition=0, alarms=alarms)
            redis.hset(view_key("g", 0), model_id(model), view.model_dump_json())
    return redis_url


def listed(run: Run, url: str, *more: str) -> list[tuple[str, str]]:
    result = run("--redis", url, "alarms", "list", "-o", "json", *more)
    assert result.exit_code == 0, result.stderr
    return [(each["alarm_id"], each["status"]) for each in json.loads(result.stdout)]


def test_open_alarms_are_listed_worst_first(run: Run, url: str) -> None:
    assert listed(run, url) == [("aa22", "firing"), ("aa11", "firing"), ("dd44", "firing")]
    assert listed(run, url, "--model", "churn") == [("dd44", "firing")]
    assert listed(run, url, "--resolved")[-1] == ("cc33", "resolved")
    text = run("--redis", url, "alarms", "list").stdout
    assert "what aa22 says·[2J" in text and "\x1b" not in text


def test_an_alarm_is_looked_after_silenced_and_everybodys_again(
    run: Run, url: str, broker: str
) -> None:
    prefix = f"m{uuid.uuid4().hex[:8]}"
    env = {
        "STREAMGAUGE_KAFKA__TOPIC_PREFIX": prefix,
        "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": broker,
    }
    # When somebody takes an alarm, by the beginning of its id
    result = run("--redis", url, "alarms", "acknowledge", "aa2", "--reason", "the feed", env=env)
    assert result.exit_code == 0 and "acknowledged by" in result.stdout + result.stderr
    assert dict(listed(run, url))["aa22"] == "acknowledged"
    assert ": the feed" in run("--redis", url, "alarms", "list").stdout
    # And silences another, by its model
    silence = ("alarms", "silence", "churn", "--for", "2h", "--reason", "known")
    result = run("--redis", url, *silence, env=env)
    assert result.exit_code == 0 and "silenced until" in result.stdout + result.stderr
    with Redis.from_url(url) as redis:
        held = Handlings(redis).all()["cause of dd44"]
    assert held.until is not None and held.until - held.at == 7200.0
    assert dict(listed(run, url))["dd44"] == "silenced"
    # Then that can be taken back
    assert run("--redis", url, "alarms", "lift", "churn").exit_code == 0
    assert dict(listed(run, url))["dd44"] == "firing"
    result = run("--redis", url, "alarms", "lift", "churn")
    assert result.exit_code == 1 and "nobody has acknowledged" in result.stderr
    # and the topic has both, with who and why
    status = ("acknowledged", "silenced")
    told = alarms(broker, topic_prefix=prefix, status=status, since="beginning", timeout=1)
    with told:
        found = {event.model: event for event in told}
    assert found["fraud"].handling is not None and found["churn"].handling is not None
    assert found["fraud"].handling.alarm_id == "aa22" and found["fraud"].handling.by
    assert (found["fraud"].reason, found["churn"].reason) == ("the feed", "known")
    assert found["churn"].handling.until == held.until


def test_without_kafka_nobody_is_left_half_told(
    run: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamgauge.access.event_log.ANSWER_SECONDS", 0.5)
    away = {"STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS": "localhost:1"}
    result = run("--redis", url, "alarms", "acknowledge", "aa2", env=away)
    assert result.exit_code == 3 and "--no-event" in result.stderr
    with Redis.from_url(url) as redis:
        assert not Handlings(redis).all()
    assert (
        run("--redis", url, "alarms", "acknowledge", "aa2", "--no-event", env=away).exit_code == 0
    )
    assert dict(listed(run, url))["aa22"] == "acknowledged"


def test_an_alarm_is_judged_also_when_it_is_over(run: Run, url: str) -> None:
    assert run("--redis", url, "alarms", "judge", "cc33", "false").exit_code == 0
    assert run("--redis", url, "alarms", "judge", "churn", "true").exit_code == 0
    with Redis.from_url(url) as redis:
        found = {each.alarm_id: each.right for each in Handlings(redis).verdicts()}
    assert found == {"cc33": False, "dd44": True}
    assert run("--redis", url, "alarms", "judge", "churn", "perhaps").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["acknowledge", "aa"], 1, "2 alarms are meant by 'aa'"),
        (["acknowledge", "fraud"], 1, "say which: aa11, aa22"),
        (["acknowledge", "cc33"], 1, "no alarm 'cc33' is open"),
        (["acknowledge", ""], 1, "see streamgauge alarms list"),
        (["silence", "churn", "--for", "soon", "--reason", "x"], 2, "as in --for 2h"),
        (["silence", "churn", "--for", "0s", "--reason", "x"], 2, "--for"),
        (["silence", "churn", "--for", "91d", "--reason", "x"], 2, "90 days"),
        (["silence", "churn", "--for", "2h"], 2, "--reason"),
    ],
)
def test_what_is_not_clear_changes_nothing(
    arguments: list[str], code: int, said: str, run: Run, url: str
) -> None:
    result = run("--redis", url, "alarms", *arguments)
    assert result.exit_code == code and said in result.stderr
    with Redis.from_url(url) as redis:
        assert not Handlings(redis).all()


def test_nothing_open_is_said(run: Run, redis_url: str) -> None:
    result = run("--redis", redis_url, "alarms", "list")
    assert result.exit_code == 0 and "no alarm is open" in result.stdout + result.stderr
