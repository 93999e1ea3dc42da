"""Acting on alarms over HTTP: who may, what goes wrong in words, and what attackers try."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from pydantic import SecretStr
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError
from redis.retry import Retry

from services.stack.redis_server import EmbeddedRedis
from streamgauge.access.event_log import KafkaAway, NotTold
from streamgauge.access.refusal import Refusal
from streamgauge.console import acts as acts_module
from streamgauge.console.act_route import MOST_BYTES, MOST_WAITING, ActRoute
from streamgauge.console.acts import Acts
from streamgauge.console.roles import Role
from streamgauge.exposition.source import Reading
from streamgauge.settings import KafkaSettings, RedisSettings
from streamgauge.state.handlings import Handlings
from streamgauge_client.events import AlarmEvent
from tests.console.serving import Console, serving
from tests.exposition.builders import HOSTILE, NOW, alarm, model, reading

VIEWER, OPERATOR, ADMIN = "v" * 40, "o" * 40, "a" * 40
ACTS = ("acknowledge", "silence", "lift", "judge")
DAY = 86_400
OURS = {"Content-Type": "application/json", "X-Streamgauge": "test"}
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {"alarm": "a", "by": "ann", "reason": "the feed"},
    "silence": {"alarm": "a", "by": "ann", "reason": "known", "seconds": 3600},
    "lift": {"alarm": "a", "by": "ann"},
    "judge": {"alarm": "a", "by": "ann", "right": False},
}


@dataclass
class Kafka:
    """Hears what is told; can be away, and can fail behind the decision."""

    events: list[AlarmEvent] = field(default_factory=list)
    away: bool = False
    broken: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def tell(self, event: AlarmEvent, **_: Any) -> None:
        self.gate.wait(10)
        if self.broken:
            raise NotTold("streamgauge.alarms: no acknowledgement within 10 s")
        self.events.append(event)

    @contextlib.contextmanager
    def opened(self, *_: Any, **__: Any) -> Iterator[Kafka]:
        if self.away:
            raise KafkaAway(Refusal("Kafka at k:9092 is not reachable", "start it"))
        yield self


@dataclass
class Site:
    """A console on a Redis and a Kafka that a test holds."""

    console: Console
    redis: Any
    kafka: Kafka

    def post(
        self,
        act: str,
        token: str | None = OPERATOR,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> tuple[int, dict[str, Any]]:
        sent = {**OURS, **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        body = json.dumps({**BODIES[act], **more}).encode()
        status, answer, _ = self.console.ask(
            f"/api/alarms/{act}", method="POST", headers=sent, body=body
        )
        text = answer.decode()
        return status, json.loads(text) if text.startswith("{") else {"reason": text}

    def unchanged(self) -> bool:
        store = Handlings(self.redis)
        return not store.all() and not store.verdicts() and not self.kafka.events


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@contextlib.contextmanager
def opened(redis: Redis, kafka: Kafka, now: Reading, **access: Any) -> Iterator[Site]:
    acts = Acts(
        redis,
        redis_settings=RedisSettings(url=SecretStr("redis://127.0.0.1:1/0")),
        kafka=KafkaSettings(),
        reading=lambda: now,
        clock=lambda: NOW,
    )
    with serving(acts=acts, **access) as console:
        yield Site(console, redis, kafka)


SHOWN = reading(
    [model("fraud", alarms=[alarm(), alarm(alarm_id="over", status="resolved", ends_at=NOW)])]
)


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    made = Kafka()
    made.gate.set()
    monkeypatch.setattr(acts_module, "open_event_log", made.opened)
    return made


@pytest.fixture
def site(server: str, kafka: Kafka) -> Iterator[Site]:
    tokens = {"token": VIEWER, "operator_token": OPERATOR, "admin_token": ADMIN}
    with Redis.from_url(server) as redis:
        redis.flushall()
        with opened(redis, kafka, SHOWN, **tokens) as made:
            yield made


def test_an_operator_takes_an_alarm_and_the_answer_says_how_it_stands(site: Site) -> None:
    status, answer = site.post("acknowledge")
    assert status == 200
    assert answer == {
        "at": NOW,
        "handled": {"status": "acknowledged", "by": "ann", "until": None, "reason": "the feed"},
    }
    (event,) = site.kafka.events
    assert (event.status, event.model, event.fingerprint) == ("acknowledged", "fraud", "f")
    # When it is silenced, lifted and judged
    assert site.post("silence")[1]["handled"]["until"] == NOW + 3600
    assert site.post("lift")[1]["handled"] is None
    assert not Handlings(site.redis).all()
    assert site.post("judge")[1]["verdict"]["right"] is False
    assert site.post("judge", alarm="over", right=True)[0] == 200
    assert {v.alarm_id: v.right for v in Handlings(site.redis).verdicts()} == {
        "a": False,
        "over": True,
    }
    assert [each.status for each in site.kafka.events] == ["acknowledged", "silenced"]


@pytest.mark.parametrize("act", ACTS)
def test_who_may(act: str, site: Site) -> None:
    status, answer = site.post(act, None)
    assert status == 401 and "token is needed" in answer["reason"]
    assert site.post(act, "x" * 40)[0] == 401
    status, answer = site.post(act, VIEWER)
    assert status == 403 and "needs the role operator, and yours is viewer" in answer["reason"]
    assert site.unchanged()
    assert site.post(act, OPERATOR)[0] == site.post(act, ADMIN)[0] == 200


def test_a_long_silence_is_an_admins(site: Site) -> None:
    status, answer = site.post("silence", seconds=7 * DAY + 1)
    assert status == 403 and "needs the role admin" in answer["reason"]
    assert site.unchanged()
    assert site.post("silence", seconds=7 * DAY)[0] == 200
    assert site.post("silence", ADMIN, seconds=90 * DAY)[0] == 200
    assert site.post("silence", ADMIN, seconds=91 * DAY)[0] == 400


async def test_who_goes_away_in_the_middle_of_a_body_is_no_defect() -> None:
    body = StreamReader(Mock(_reading_paused=False), 1, loop=asyncio.get_running_loop())
    body.set_exception(ConnectionResetError("Connection lost"))
    request = make_mocked_request(
        "POST",
        "/api/alarms/lift",
        headers=OURS,
        match_info={"act": "lift"},
        payload=body,
    )
    route = ActRoute(Mock(), proxies=True)
    # Then there is an answer in words, and no traceback in the log
    answer = await route.handle(request, Role.OPERATOR)
    assert answer.status == 400
    route.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://console.example"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
    ],
    ids=str,
)
def test_a_page_of_somebody_else_changes_nothing(
    headers: dict[str, str], status: int, site: Site
) -> None:
    assert site.post("acknowledge", headers=headers)[0] == status
    assert site.unchanged() == (status != 200)


def test_our_own_page_is_not_foreign_and_the_header_is_needed(site: Site) -> None:
    own = {"Origin": f"http://127.0.0.1:{site.console.port}"}
    assert site.post("acknowledge", headers=own)[0] == 200
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {OPERATOR}"}
    body = json.dumps(BODIES["lift"]).encode()
    answer = site.console.ask("/api/alarms/lift", method="POST", headers=sent, body=body)
    assert answer[0] == 403 and b"X-Streamgauge" in answer[1]
    assert Handlings(site.redis).all()


def test_a_preflight_is_never_granted(site: Site) -> None:
    asked = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-streamgauge,content-type",
    }
    status, _, headers = site.console.ask(
        "/api/alarms/acknowledge", method="OPTIONS", headers=asked
    )
    assert status == 405
    assert not any(name.startswith("Access-Control") for name in headers)


def test_an_act_is_no_page(site: Site) -> None:
    bearer = {"Authorization": f"Bearer {OPERATOR}"}
    status, _, headers = site.console.ask("/api/alarms/acknowledge", headers=bearer)
    assert (status, headers["Allow"]) == (405, "POST")
    for path in ("/api/alarms", "/api/fleet", "/metrics", "/"):
        assert site.console.ask(path, method="POST", headers={**OURS, **bearer})[0] == 405
    for path in ("/api/alarms/delete", "/api/alarms/acknowledge/x", "/api/alarms/"):
        answer = site.console.ask(path, method="POST", headers={**OURS, **bearer}, body=b"{}")
        assert answer[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"alarm": "a"}',
        b'{"alarm": 3, "by": "ann"}',
        b'{"alarm": "a", "by": "ann", "more": 1}',
        b'{"alarm": "a", "by": "ann", "event": "no"}',
        b"[" * 5000,
        b"\xff\xfe",
        b'{"alarm": "a", "by": "ann", "reason": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_act_is_refused_in_words(body: bytes, site: Site) -> None:
    sent = {**OURS, "Authorization": f"Bearer {OPERATOR}"}
    answer = site.console.ask("/api/alarms/acknowledge", method="POST", headers=sent, body=body)
    assert answer[0] == 400 and json.loads(answer[1])["reason"]
    assert site.unchanged()


@pytest.mark.parametrize("seconds", [0, -1, None, "3600", 1e400, True])
def test_a_silence_has_a_length(seconds: object, site: Site) -> None:
    assert site.post("silence", ADMIN, seconds=seconds)[0] == 400
    assert site.unchanged()


def test_a_huge_body_is_not_read(site: Site) -> None:
    status, answer = site.post("acknowledge", reason="x" * MOST_BYTES)
    assert status == 413 and "bytes are not read" in answer["reason"]
    assert site.post("acknowledge", reason="x" * 10_000)[0] == 400
    # and without saying how long it is
    sent = {**OURS, "Authorization": f"Bearer {OPERATOR}", "Transfer-Encoding": "chunked"}
    chunked = (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 3 + b"0\r\n\r\n"
    status, *_ = site.console.ask("/api/alarms/lift", method="POST", headers=sent, body=chunked)
    assert status == 413
    assert site.unchanged()


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"long", "surrogate"}))
def test_a_hostile_reason_is_text(name: str, site: Site) -> None:
    status, answer = site.post(
        "acknowledge", reason=f"r {HOSTILE[name]}", by=f"ann {HOSTILE[name]}"[:80]
    )
    assert status == 200
    assert answer["handled"]["reason"].isprintable() and answer["handled"]["by"].isprintable()
    assert site.kafka.events[0].reason is not None and site.kafka.events[0].reason.isprintable()


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("nobody", 404, "no such alarm"),
        ("", 404, "no such alarm"),
        ("x" * 10_000, 404, "no such alarm"),
        ("over", 409, "resolved"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_alarm_that_is_not_open(given: str, status: int, said: str, site: Site) -> None:
    for act in ("acknowledge", "silence", "lift"):
        found, answer = site.post(act, alarm=given)
        assert found == status and said in answer["reason"]
    assert site.unchanged()


def test_a_double_click_is_one_act(site: Site) -> None:
    with ThreadPoolExecutor(4) as hands:
        answers = list(hands.map(lambda _: site.post("silence"), range(4)))
    assert {status for status, _ in answers} == {200}
    assert len({event.alarm_id for event in site.kafka.events}) == 1
    assert len(Handlings(site.redis).all()) == 1
    assert {site.post("lift")[0], site.post("lift")[0]} == {200}


def test_kafka_away_changes_nothing_and_offers_to_do_without(site: Site) -> None:
    site.kafka.away = True
    status, answer = site.post("acknowledge")
    assert status == 503 and answer["quietly"] is True
    assert answer["reason"] == "Nothing was changed: Kafka at k:9092 is not reachable; start it"
    assert site.unchanged()
    # What is no event needs no Kafka, and neither does who does without
    assert site.post("judge")[0] == site.post("lift")[0] == 200
    assert site.post("acknowledge", event=False)[0] == 200
    assert Handlings(site.redis).all()["f"].status == "acknowledged"


def test_what_is_half_done_is_said_and_done_whole_by_doing_it_again(site: Site) -> None:
    site.kafka.broken = True
    status, answer = site.post("acknowledge")
    assert status == 502
    assert "it is acknowledged, but the event about it was not told" in answer["reason"]
    assert Handlings(site.redis).all()["f"].status == "acknowledged"
    site.kafka.broken = False
    assert site.post("acknowledge")[0] == 200 and len(site.kafka.events) == 1


def test_redis_away_is_said(kafka: Kafka) -> None:
    redis = Redis.from_url("redis://127.0.0.1:1/0", retry=Retry(NoBackoff(), 0))
    with opened(redis, kafka, SHOWN) as site:
        for act in ACTS:
            status, answer = site.post(act, None)
            assert status == 503 and "Redis does not answer (ConnectionError)" in answer["reason"]
            assert "127.0.0.1" not in answer["reason"]
    assert not kafka.events


def test_a_redis_without_room_has_answered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(site.redis, "hset", refuse)
    for act in ("acknowledge", "silence", "judge"):
        status, answer = site.post(act)
        assert status == 503 and "Nothing was changed: Redis refuses it" in answer["reason"]
        assert "maxmemory" in answer["reason"]
    assert site.unchanged()


def test_before_anything_was_read_no_alarm_is_known(server: str, kafka: Kafka) -> None:
    with Redis.from_url(server) as redis, opened(redis, kafka, Reading()) as site:
        assert site.post("acknowledge", None)[0] == 404


def test_a_name_made_to_mean_this_machine_acts_on_nothing(server: str, kafka: Kafka) -> None:
    with Redis.from_url(server) as redis:
        redis.flushall()
        with opened(redis, kafka, SHOWN) as site:
            for act in ACTS:
                rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
                assert site.post(act, None, headers=rebound)[0] == 403
            assert site.unchanged()
            assert site.post("acknowledge", None)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        # A proxy before a console without tokens, that changes the Host as most do
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://console.example"},
        {"X-Forwarded-For": "192.0.2.7"},
        {"X-Real-IP": "192.0.2.7"},
        {"Forwarded": "for=192.0.2.7"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Proto": "https"},
    ],
    ids=str,
)
def test_who_comes_through_a_proxy_is_not_on_this_machine(
    headers: dict[str, str], server: str, kafka: Kafka
) -> None:
    with Redis.from_url(server) as redis:
        redis.flushall()
        with opened(redis, kafka, SHOWN) as site:
            assert site.console.ask("/api/alarms", headers=headers)[0] == 200
            assert site.post("acknowledge", None, headers=headers)[0] == 403
            assert site.unchanged()


def test_acts_that_wait_for_kafka_are_bounded(site: Site) -> None:
    # Given a Kafka that takes its time
    site.kafka.gate.clear()
    with ThreadPoolExecutor(MOST_WAITING + 4) as hands:
        waiting = [hands.submit(site.post, "acknowledge") for _ in range(MOST_WAITING + 4)]
        # Then those beyond the limit hear so at once, and screens are served meanwhile
        while sum(each.done() for each in waiting) < 4:
            assert site.console.ask("/healthz")[0] == 200
        site.kafka.gate.set()
        statuses = sorted(each.result()[0] for each in waiting)
    assert statuses == [200] * MOST_WAITING + [503] * 4
