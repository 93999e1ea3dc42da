"""The server: what TelemetryServer promises, headers that keep browsers safe, and streams."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

import streamgauge.console
from streamgauge.console import scrape_route, sending
from streamgauge.console import stream as stream_module
from streamgauge.console.documents import Answer, Screen
from streamgauge.console.stream import FanOut, TooManyReaders
from streamgauge.exposition.http import PortInUse
from tests.console.serving import serving
from tests.exposition.builders import model, reading, series

STATIC = Path(streamgauge.console.__file__).parent / "static"
#: All files that a browser may load, in bytes.
MOST_BYTES = 150_000


def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_metrics_negotiate_openmetrics_gzip_and_names() -> None:
    registry = CollectorRegistry()
    Counter("seen", "Seen.", registry=registry).inc(3)
    Counter("other", "Other.", registry=registry).inc()
    with serving(registry=registry) as console:
        status, plain, headers = console.ask("/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"seen_total 3.0" in plain
        status, body, headers = console.ask(
            "/metrics?name[]=seen_total",
            headers={
                "Accept": "application/openmetrics-text; version=1.0.0",
                "Accept-Encoding": "gzip",
            },
        )
        assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        text = gzip.decompress(body).decode()
        families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
        assert [family.name for family in families] == ["seen"]


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=zzz", ";;=,", ""])
def test_a_strange_accept_header_never_kills_it(accept: str) -> None:
    with serving() as console:
        console.ask("/metrics", headers={"Accept": accept})
        assert console.ask("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("path", "reason", "status", "body"),
    [
        ("/healthz", "not asked", 200, b"ok\n"),
        ("/readyz", None, 200, b"ok\n"),
        ("/livez", None, 200, b"ok\n"),
        ("/readyz", "Redis is away", 503, b"Redis is away\n"),
        ("/livez", "stuck for 31 s", 503, b"stuck for 31 s\n"),
    ],
)
def test_health_gives_its_reason(path: str, reason: str | None, status: int, body: bytes) -> None:
    with serving(ready=lambda: reason, live=lambda: reason) as console:
        assert console.ask(path)[:2] == (status, body)


@pytest.mark.parametrize(
    "path",
    ["/", "/static/app.js", "/api/fleet", "/metrics", "/readyz", "/nothing", "/api/nothing"],
)
def test_every_answer_keeps_browsers_safe(path: str) -> None:
    with serving() as console:
        status, _, headers = console.ask(path)
        assert status == (404 if "nothing" in path else 200)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "streamgauge"


def test_it_is_read_only() -> None:
    with serving() as console:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, _, headers = console.ask("/api/fleet", method=method)
            assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert console.ask("/", method="HEAD")[:2] == (200, b"")


@pytest.mark.parametrize(
    "path", ["/static/../routes.py", "/static/%2e%2e%2froutes.py", "/static/app.py", "/static/"]
)
def test_no_path_leads_out_of_the_files(path: str) -> None:
    with serving() as console:
        assert console.ask(path)[0] == 404


def test_what_is_broken_tells_nothing_of_its_inside() -> None:
    def broken() -> str | None:
        raise RuntimeError("secret inside")

    with serving(ready=broken) as console:
        status, body, _ = console.ask("/readyz")
        assert status == 500
        assert b"secret" not in body
        # and it still serves
        assert console.ask("/healthz")[0] == 200


def test_who_asks_for_metrics_and_does_not_read_loses_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given more than the sockets' buffers take, and room for one scrape
    registry = CollectorRegistry()
    Counter("seen", "Seen.", ["by"], registry=registry).labels("x" * 8_000_000).inc()
    monkeypatch.setattr(sending, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(scrape_route, "MOST_SCRAPES", 1)
    with (
        serving(registry=registry) as console,
        socket.create_connection(("127.0.0.1", console.port), timeout=10) as idle,
    ):
        idle.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until(lambda: console.ask("/metrics")[0] == 503)
        # Then somebody else is served after a while, and gets all of it
        until(lambda: console.ask("/metrics")[0] == 200)
        _, whole, headers = console.ask("/metrics")
        assert len(whole) == int(headers["Content-Length"])
        # and the connection has ended before its answer has
        got = 0
        with contextlib.suppress(ConnectionError):
            while part := idle.recv(1 << 20):
                got += len(part)
        assert 0 < got < len(whole)


def test_scrapes_under_way_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, gate = threading.Event(), threading.Event()

    class Slow(Collector):
        def collect(self) -> Iterator[Metric]:
            entered.set()
            gate.wait(10)
            yield from ()

    registry = CollectorRegistry()
    registry.register(Slow())
    monkeypatch.setattr(scrape_route, "MOST_SCRAPES", 1)
    with serving(registry=registry) as console, ThreadPoolExecutor(1) as hand:
        # When somebody asks while another is served
        first = hand.submit(console.ask, "/metrics")
        assert entered.wait(10)
        status, _, headers = console.ask("/metrics")
        # Then it is sent away, nothing else is, and there is room again
        assert (status, headers["Retry-After"]) == (503, "5")
        assert console.ask("/healthz")[0] == 200
        gate.set()
        assert first.result()[0] == 200
        assert console.ask("/metrics")[0] == 200


def test_a_port_in_use_is_said_with_the_setting_that_moves_it() -> None:
    with (
        serving() as first,
        pytest.raises(PortInUse, match="the port is in use.*EXPORTER__PORT"),
        serving(port=first.port, setting="STREAMGAUGE_EXPORTER__PORT"),
    ):
        pass


def test_it_listens_on_ipv6_too() -> None:
    try:
        with serving(host="::1") as console:
            assert console.server.url == f"http://[::1]:{console.port}"
            with socket.create_connection(("::1", console.port), timeout=5) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n")
                assert b" 200 " in connection.recv(100)
    except PortInUse:
        pytest.skip("this machine has no IPv6")


def test_all_files_are_small_ours_and_free_of_markup_from_data() -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in files:
        text = path.read_text()
        # Then none of them asks another host, and none makes markup of text
        hosts = set(re.findall(r"https?://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not hosts, path
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), path
        assert not re.search(r"\beval\(|new Function|setTimeout\(\s*[\"'`]", text), path
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), path


def test_a_stream_says_who_it_is_and_sends_what_is_known_at_once() -> None:
    with serving(every=0.01) as console:
        console.publish(reading([model("fraud")]))
        with console.stream() as stream:
            headers = dict(stream.response.getheaders())
            assert headers["Content-Type"].startswith("text/event-stream")
            assert headers["X-Accel-Buffering"] == "no"
            assert headers["Cache-Control"] == "no-store"
            assert "default-src 'self'" in headers["Content-Security-Policy"]
            assert stream.block() == {"retry": "2000"}
            number, document = stream.message()
            assert number == console.documents.number == document["number"]
            assert [row["name"] for row in document["rows"]] == ["fraud"]


def test_messages_come_in_order_and_none_twice() -> None:
    with serving(every=0.0) as console, console.stream() as stream:
        seen: list[tuple[str, float]] = []
        number, _ = stream.message()
        for rate in (1.0, 2.0, 3.0):
            console.publish(reading([model(series=[series(rate=rate)])]))
            number, document = stream.message()
            seen.append((number, document["rows"][0]["rate"]))
        assert [rate for _, rate in seen] == [1.0, 2.0, 3.0]
        counted = [int(each.rpartition("-")[2]) for each, _ in seen]
        assert counted == sorted(set(counted))


def test_who_comes_back_is_not_told_again_what_was_sent() -> None:
    with serving(every=0.0) as console:
        console.publish(reading([model("fraud")]))
        with console.stream() as stream:
            number, _ = stream.message()
        # When it comes back and nothing is new, Then the first message is the next reading
        with console.stream(**{"Last-Event-ID": number}) as stream:
            assert stream.block() == {"retry": "2000"}
            console.publish(reading([model("next")]))
            later, document = stream.message()
            assert later != number
            assert document["rows"][0]["name"] == "next"
        # and the number of another process, or a made-up one, is none of ours
        with console.stream(**{"Last-Event-ID": "0000-1"}) as stream:
            assert stream.message()[1]["rows"][0]["name"] == "next"


def test_readings_that_come_fast_are_put_together() -> None:
    with serving(every=0.4) as console, console.stream() as stream:
        stream.message()
        # When thirty readings come in a moment
        for i in range(30):
            console.publish(reading([model(series=[series(rate=float(i))])]))
        # Then the last one arrives within two messages
        rates = [stream.message()[1]["rows"][0]["rate"]]
        if rates[-1] != 29.0:
            rates.append(stream.message()[1]["rows"][0]["rate"])
        assert rates[-1] == 29.0


def test_a_reader_too_many_is_told_so_and_room_that_is_left_is_taken() -> None:
    with serving(most_readers=2, every=0.01) as console:
        with console.stream() as first, console.stream() as second:
            first.message()
            second.message()
            status, body, headers = console.ask("/api/stream")
            assert status == 503
            assert b"2 pages are open" in body
            assert headers["Retry-After"] == "5"
        # When they go, which the next message finds out
        console.publish(reading([model()]))
        until(lambda: console.server.readers < 2)
        with console.stream() as third:
            assert third.message()


def test_a_silent_stream_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.05)
    with serving() as console, console.stream() as stream:
        stream.message()
        assert stream.block() == {"": "still here"}
        assert stream.block() == {"": "still here"}


def test_a_screen_that_does_not_exist_is_not_found() -> None:
    with serving() as console:
        assert console.ask("/api/stream?screen=secrets")[0] == 404
        assert console.ask("/api/secrets")[0] == 404
        assert console.ask("/api/model?model=nobody")[0] == 404


def test_it_stops_while_pages_are_open() -> None:
    before = threading.active_count()
    with serving() as console, console.stream() as stream:
        stream.message()
        started = time.monotonic()
        console.server.stop()
        assert time.monotonic() - started < 4.0
    until(lambda: threading.active_count() <= before)


async def test_a_reader_that_does_not_take_gets_the_latest_alone() -> None:
    numbers = iter(range(100))

    async def answer(screen: Screen) -> Answer:
        return Answer(b"{}", f"p-{next(numbers)}")

    fan_out = FanOut(answer, every=0.0, most=1)
    reader = await fan_out.join(Screen("fleet"))
    sending = asyncio.create_task(fan_out.run())
    # Given a page that takes nothing while five readings come
    for dropped in range(1, 6):
        fan_out.publish()
        async with asyncio.timeout(5):
            while reader.dropped < dropped:
                await asyncio.sleep(0)
    # Then what waits is the newest, and nothing else does
    assert (await reader.next() or b"").startswith(b"id: p-5\n")
    with pytest.raises(TooManyReaders):
        await fan_out.join(Screen("fleet"))
    fan_out.leave(reader)
    assert fan_out.readers == 0
    sending.cancel()


def test_a_page_that_takes_nothing_for_a_minute_is_given_up() -> None:
    closed: list[bool] = []
    reader = stream_module.Reader(Screen("fleet"), abort=lambda: closed.append(True))
    reader.offer(b"id: 1\n\n")
    for _ in range(stream_module.STALLED_BEATS - 1):
        reader.beat()
    assert not closed
    # and a beat never takes the place of a message
    assert reader.dropped == 0
    reader.beat()
    assert closed == [True]


async def test_one_message_serves_all_who_look_at_the_same() -> None:
    asked: list[Screen] = []

    async def answer(screen: Screen) -> Answer:
        asked.append(screen)
        return Answer(b"{}", f"p-{len(asked)}")

    fan_out = FanOut(answer, every=0.0)
    readers = [await fan_out.join(Screen("fleet")) for _ in range(50)]
    other = await fan_out.join(Screen("alarms"))
    for reader in (*readers, other):
        await reader.next()
    asked.clear()
    fan_out.publish()
    sending = asyncio.create_task(fan_out.run())
    texts = [await asyncio.wait_for(reader.next(), 5) for reader in readers]
    await asyncio.wait_for(other.next(), 5)
    sending.cancel()
    assert sorted(screen.name for screen in asked) == ["alarms", "fleet"]
    assert all(text is texts[0] for text in texts)


async def test_a_screen_that_cannot_be_built_does_not_end_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = False

    async def answer(screen: Screen) -> Answer:
        if broken and screen.name == "alarms":
            raise RuntimeError("a defect")
        return Answer(b"{}", str(broken))

    fan_out = FanOut(answer, every=0.0)
    fleet, alarms = await fan_out.join(Screen("fleet")), await fan_out.join(Screen("alarms"))
    await fleet.next()
    await alarms.next()
    broken = True
    fan_out.publish()
    sending = asyncio.create_task(fan_out.run())
    assert b"id: True" in (await asyncio.wait_for(fleet.next(), 5) or b"")
    async with asyncio.timeout(5):
        while "the screen alarms can't be built" not in caplog.text:
            await asyncio.sleep(0)
    # and it comes back with the next reading that can
    broken = False
    fan_out.publish()
    assert b"id: False" in (await asyncio.wait_for(alarms.next(), 5) or b"")
    sending.cancel()
