"""What people may do about an alarm, what others hear of it, and what holds when Kafka fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from redis import Redis

from services.stack.redis_server import EmbeddedRedis
from streamgauge.access.event_log import NotTold
from streamgauge.handling.found import Found
from streamgauge.handling.handler import MOST_NAME, MOST_REASON, CantHandle, HalfDone, Handler
from streamgauge.state.handlings import KEPT_SECONDS, Handlings
from streamgauge_client.events import AlarmEvent
from tests.exposition.builders import HOSTILE, NOW, alarm

FOUND = Found("fraud", alarm())


class Heard:
    """Keeps what it is told; ``broken`` acknowledges nothing."""

    def __init__(self) -> None:
        self.events: list[tuple[AlarmEvent, float, dict[str, str]]] = []
        self.broken = False

    def tell(
        self, event: AlarmEvent, *, time: float, extensions: Mapping[str, str] | None = None
    ) -> None:
        if self.broken:
            raise NotTold("streamgauge.alarms: no acknowledgement within 10 s")
        self.events.append((event, time, dict(extensions or {})))


class Desk:
    """A handler under a clock that tests move, with what it wrote and told."""

    def __init__(self, redis: Any) -> None:
        self.now = NOW
        self.heard = Heard()
        self.handler = Handler(redis, events=self.heard, clock=lambda: self.now)
        self.stored = Handlings(redis)

    def ids(self) -> list[str]:
        return [event.alarm_id for event, *_ in self.heard.events]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture
def desk(server: str) -> Iterator[Desk]:
    with Redis.from_url(server) as redis:
        redis.flushall()
        yield Desk(redis)


def test_who_took_an_alarm_is_kept_and_told(desk: Desk) -> None:
    held = desk.handler.acknowledge(FOUND, by=" ann ", reason="the feed")
    assert desk.stored.all()["f"] == held
    # Then the event is of the same cause, says which alarm is meant, and is none of its edges
    ((event, time, extensions),) = desk.heard.events
    assert (event.status, event.fingerprint, event.model) == ("acknowledged", "f", "fraud")
    assert event.alarm_id != "a" and extensions == {"causationid": "a"} and time == NOW
    assert event.handling is not None
    assert event.handling.model_dump() == {"alarm_id": "a", "by": "ann", "at": NOW, "until": None}
    assert event.reason == "the feed"


def test_a_silence_says_until_when(desk: Desk) -> None:
    desk.handler.silence(FOUND, by="ann", seconds=3600.0, reason="known")
    ((event, *_),) = desk.heard.events
    assert event.status == "silenced"
    assert event.handling is not None and event.handling.until == NOW + 3600


def test_the_last_word_about_a_cause_holds(desk: Desk) -> None:
    desk.handler.silence(FOUND, by="ann", seconds=3600.0, reason="known")
    desk.now += 60.0
    desk.handler.acknowledge(FOUND, by="bob")
    (held,) = desk.stored.all().values()
    assert (held.status, held.by, held.until) == ("acknowledged", "bob", None)


def test_a_second_click_is_the_same_act(desk: Desk) -> None:
    for again in (0.0, 0.4, 9.0):
        desk.now = NOW + again
        desk.handler.silence(FOUND, by="ann", seconds=3600.0, reason="known")
    # Then one silence holds, and subscribers drop what they hear twice
    assert desk.stored.all()["f"].until == NOW + 3600
    assert len(desk.ids()) == 3 and len(set(desk.ids())) == 1
    # When it is another's, for another reason, of another length or later, it is another act
    for by, seconds, reason, later in (
        ("bob", 3600.0, "known", 0.5),
        ("bob", 3600.0, "the campaign", 0.5),
        ("bob", 7200.0, "the campaign", 0.5),
        ("bob", 7200.0, "the campaign", 60.0),
    ):
        desk.now += later
        desk.handler.silence(FOUND, by=by, seconds=seconds, reason=reason)
    assert len(set(desk.ids())) == 5


def test_what_kafka_did_not_take_holds_and_is_told_by_doing_it_again(desk: Desk) -> None:
    desk.heard.broken = True
    with pytest.raises(HalfDone, match=r"it is acknowledged, but .* no acknowledgement"):
        desk.handler.acknowledge(FOUND, by="ann")
    assert desk.stored.all()["f"].status == "acknowledged"
    desk.heard.broken = False
    desk.now += 3.0
    held = desk.handler.acknowledge(FOUND, by="ann")
    assert held.at == NOW and len(desk.ids()) == 1


def test_lifting_ends_what_was_said_and_is_no_event(desk: Desk) -> None:
    desk.handler.acknowledge(FOUND, by="ann")
    assert desk.handler.lift(FOUND)
    assert not desk.handler.lift(FOUND)
    assert not desk.stored.all() and len(desk.ids()) == 1
    # and whoever takes it again is heard again
    desk.now += 5.0
    desk.handler.acknowledge(FOUND, by="ann")
    assert len(set(desk.ids())) == 2


def test_an_alarm_that_is_over_can_only_be_judged(desk: Desk) -> None:
    over = Found("fraud", alarm(status="resolved", ends_at=NOW))
    with pytest.raises(CantHandle, match="resolved"):
        desk.handler.acknowledge(over, by="ann")
    with pytest.raises(CantHandle, match="resolved"):
        desk.handler.silence(over, by="ann", seconds=60.0, reason="r")
    with pytest.raises(CantHandle, match="resolved"):
        desk.handler.lift(over)
    desk.handler.judge(over, right=False, by="ann")
    desk.handler.judge(over, right=True, by="bob")
    (verdict,) = desk.stored.verdicts()
    assert (verdict.right, verdict.by, verdict.kind) == (True, "bob", "feature_drift")
    assert not desk.stored.all() and not desk.heard.events


@pytest.mark.parametrize(
    ("by", "reason", "seconds", "said"),
    [
        ("  ", "r", 60.0, "who you are"),
        ("x" * (MOST_NAME + 1), "r", 60.0, "81 characters; 80"),
        ("ann", "x" * 10_000, 60.0, "10,000 characters; 500"),
        ("ann", " ", 60.0, "needs a reason"),
        ("ann", "r", 0.0, "90 days"),
        ("ann", "r", float("nan"), "90 days"),
        ("ann", "r", KEPT_SECONDS + 1, "90 days"),
    ],
)
def test_what_goes_against_the_rules_changes_nothing(
    by: str, reason: str, seconds: float, said: str, desk: Desk
) -> None:
    with pytest.raises(CantHandle, match=said):
        desk.handler.silence(FOUND, by=by, seconds=seconds, reason=reason)
    assert not desk.stored.all() and not desk.heard.events


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_word_is_kept_as_text_that_can_be_shown(name: str, desk: Desk) -> None:
    word = HOSTILE[name][:MOST_REASON]
    desk.handler.acknowledge(FOUND, by=f"ann {word[:60]}", reason=word)
    held = desk.stored.all()["f"]
    assert held.by.isprintable() and held.reason.isprintable()
    ((event, *_),) = desk.heard.events
    assert event.handling is not None and event.handling.by == held.by


def test_without_an_event_log_nobody_is_told(desk: Desk, server: str) -> None:
    with Redis.from_url(server) as redis:
        Handler(redis, events=None).acknowledge(FOUND, by="ann")
    assert desk.stored.all() and not desk.heard.events
