"""What every sink must do, found by name: a new file in the package is held to it unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamgauge.alarms import sinks
from streamgauge.alarms.sinks.base import AlarmSink, Answer, Delivery
from streamgauge.plugins import PluginError
from streamgauge_client import AlarmEvent
from tests.alarms.sinks.builders import FakePost, example, made

NAMES = AlarmSink.names()
POSTING = [name for name in NAMES if AlarmSink.named(name).posts]
HOSTILE = "x\r\nIdempotency-Key: y\x1b[2J\u2028\x00" + "é" * 40
ALARMS = {
    "minimal": example("minimal"),
    "full": example("full"),
    "resolved": example("resolved"),
    "hostile": example(
        "full", alarm_id=HOSTILE[:60], model=HOSTILE[:60], summary=HOSTILE, scope={HOSTILE: HOSTILE}
    ),
    "at the end of time": example("full", starts_at=1e300, ends_at=-1e300),
    "acknowledged": example("full", status="acknowledged"),
}


def test_there_are_sinks() -> None:
    assert {"log", "webhook"} <= set(NAMES)
    assert "webhook" in POSTING and "log" not in POSTING


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
async def test_every_alarm_is_taken(name: str, alarm: AlarmEvent) -> None:
    assert await made(name).send(alarm) == Delivery(delivered=True)


@pytest.mark.parametrize("name", NAMES)
def test_it_lives_in_the_file_of_its_name_and_says_what_it_is(name: str) -> None:
    found = AlarmSink.named(name)
    assert found.__module__ == f"{sinks.__name__}.{name}"
    assert Path(sinks.__path__[0], f"{name}.py").exists()
    assert found.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_it_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match="no parameter 'sekret'"):
        made(name, sekret="x")


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize(
    ("answer", "delivered", "recoverable", "said"),
    [
        (Answer(200), True, False, ""),
        (Answer(204, text="thanks"), True, False, ""),
        (Answer(301, text="moved"), False, False, "redirect"),
        (Answer(307), False, False, "redirect"),
        (Answer(400, text="no such channel"), False, False, "HTTP 400: no such channel"),
        (Answer(401), False, False, "HTTP 401"),
        (Answer(404), False, False, "HTTP 404"),
        (Answer(410), False, False, "HTTP 410"),
        (Answer(408), False, True, "HTTP 408"),
        (Answer(425), False, True, "HTTP 425"),
        (Answer(429, text="slow down"), False, True, "slow down"),
        (Answer(500), False, True, "HTTP 500"),
        (Answer(503), False, True, "HTTP 503"),
        (Answer(0, reason="no answer in 5 s"), False, True, "no answer in 5 s"),
        (Answer(0, reason="it is loopback", recoverable=False), False, False, "it is loopback"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
async def test_the_answer_decides_whether_to_try_again(
    name: str, answer: Answer, delivered: bool, recoverable: bool, said: str
) -> None:
    delivery = await made(name, FakePost(answer)).send(example("full"))
    assert (delivery.delivered, delivery.recoverable) == (delivered, recoverable)
    assert said in delivery.reason


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
async def test_what_is_posted_is_json_with_headers_that_hold_one_line(
    name: str, alarm: AlarmEvent
) -> None:
    post = FakePost()
    await made(name, post).send(alarm)
    ((body, headers),) = post.calls
    json.loads(body)
    for header, value in headers.items():
        assert value.isascii() and value.isprintable(), header


@pytest.mark.parametrize("name", POSTING)
async def test_the_same_alarm_has_the_same_key_and_another_has_another(name: str) -> None:
    post = FakePost(Answer(500))
    sink = made(name, post)
    for alarm in (example("full"), example("full"), example("resolved")):
        await sink.send(alarm)
    first, again, other = (headers["Idempotency-Key"] for _, headers in post.calls)
    assert first == again == example("full").alarm_id
    assert other != first
