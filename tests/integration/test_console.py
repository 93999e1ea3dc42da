"""The console in a real browser: each screen against the views, faults, the dark, small windows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from services.exporter.app import Exporter
from services.stack.broker import EmbeddedBroker
from services.stack.redis_server import EmbeddedRedis
from streamgauge.settings import Settings, load_settings
from streamgauge.state.handlings import Handlings
from streamgauge.state.keys import model_id, process_key, view_key
from streamgauge.state.learner_views import SUFFIX
from streamgauge.state.processes import ProcessView
from streamgauge.state.views import DeadSampleView
from streamgauge_client import alarms
from tests.exposition.builders import HOSTILE, alarm, feature, model, partition, series
from tests.exposition.lively import lively_views
from tests.exposition.test_learners import VIEW
from tests.integration.browser import Page, opened
from tests.monitor.streams import START

pytestmark = pytest.mark.integration
#: When the lively views end.
END = START + 80.0
TOKEN = "t" * 40
#: Events of Fraud's newest version, so that its total can grow.
SENT = 200


def settings(url: str, *, kafka: str = "localhost:9092", **options: object) -> Settings:
    own = {"port": 0, "refresh_seconds": 0.2, "instance": "e-1", **options}
    return load_settings(redis__url=url, kafka__bootstrap_servers=kafka, exporter=own)


def moved(document: Any, by: float) -> Any:
    """The document with all its times later by so much."""
    if isinstance(document, dict):
        return {key: moved(value, by) for key, value in document.items()}
    if isinstance(document, list):
        return [moved(value, by) for value in document]
    if isinstance(document, float) and abs(document - END) < 1e6:
        return document + by
    return document


class Views:
    """What a monitor and a learner would have written a moment ago."""

    def __init__(self, url: str, told: Settings) -> None:
        self._redis = Redis.from_url(url)
        self._key = view_key(told.monitor.group, 0)
        self._learner = view_key(told.learner.group, 0)
        by = time.time() - END
        self.documents = {v.model: moved(v.model_dump(mode="json"), by) for v in lively_views()}
        # A name and a sentence that would be a page's own, were they taken for markup.
        hostile = HOSTILE["markup"]
        self.documents[hostile] = model(
            hostile,
            last_event=time.time(),
            series=[series(hostile, features=[feature(hostile)], window_end=time.time())],
            alarms=[alarm(summary=hostile, feature=hostile, starts_at=time.time() - 5)],
        ).model_dump(mode="json")
        self.records = 16_000

    def close(self) -> None:
        self._redis.close()

    def write(self) -> None:
        now = time.time()
        fraud = self.documents["fraud"]
        fraud["series"][1]["counts"]["ok"] += SENT
        fraud["last_event"] = now
        self.records += SENT
        for name, document in self.documents.items():
            self._redis.hset(self._key, model_id(name), json.dumps(document))
        self._redis.hset(self._learner, model_id("fraud") + SUFFIX, VIEW.model_dump_json())
        place = partition(
            positions={"streamgauge.predictions": self.records + 3},
            first_positions={"streamgauge.predictions": 0},
            counts={"prediction/ok": self.records, "prediction/dead": 1},
            dead_samples={
                "schema": [
                    DeadSampleView(
                        topic="streamgauge.predictions",
                        partition=0,
                        offset=12_345,
                        timestamp=now - 75,
                        model_id=model_id("fraud"),
                        bytes=432,
                        error=f"features.{HOSTILE['markup']}: expected float | str, found object",
                    )
                ]
            },
            log_time=now,
            written_at=now,
        )
        self._redis.hset(self._key, "_", place.model_dump_json())
        monitor = ProcessView(service="monitor", instance="m-1", started_at=now - 600)
        self._redis.set(process_key("monitor", "m-1"), monitor.to_bytes(), ex=15)


@pytest.fixture
def redis() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as server:
        yield server


@contextlib.contextmanager
def exporting(
    url: str, *, kafka: str = "localhost:9092", **options: object
) -> Iterator[tuple[Exporter, Views]]:
    told = settings(url, kafka=kafka, **options)
    views = Views(url, told)
    views.write()
    exporter = Exporter(told)
    exporter.start()
    try:
        yield exporter, views
    finally:
        exporter.stop()
        views.close()


@contextlib.asynccontextmanager
async def written(views: Views) -> AsyncIterator[None]:
    """Views that go on."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(0.5)
            with contextlib.suppress(Exception):
                await asyncio.to_thread(views.write)

    writing = asyncio.create_task(go_on())
    try:
        yield
    finally:
        writing.cancel()


async def shot(page: Page, directory: Path, name: str) -> None:
    """A picture, and that nothing is wider than the window."""
    await page.shoot(directory / f"{name}.png")
    wide, window = await page.run("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window, name


async def test_every_screen_shows_what_the_views_say(redis: EmbeddedRedis, tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        exporter, views = stack.enter_context(exporting(redis.url))
        await stack.enter_async_context(written(views))
        page = await stack.enter_async_context(opened(tmp_path))
        await page.size(1440, 900)
        # Given the console, When it is opened, Then something is there within a second
        await page.go(f"{exporter.url}/")
        await page.says("open alarms", "live")
        painted = await page.until(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        )
        assert painted < 5_000
        await _fleet(page, tmp_path)
        await _model_and_feature(page, tmp_path)
        await _alarms_pipeline_start(page, tmp_path)
        await _dark_and_small(page, tmp_path)
        await _keyboard(page, exporter.url)
        # Then nothing was wrong, nobody else was asked, and names stayed text
        assert page.errors == []
        assert {url for url in page.requests if not url.startswith(exporter.url)} <= {"about:blank"}
        assert await page.run("document.querySelectorAll('main script, main img').length") == 0


async def _fleet(page: Page, directory: Path) -> None:
    rows = await page.run("[...document.querySelectorAll('.fleet tbody tr')].map(r => r.innerText)")
    fraud = next(row for row in rows if row.startswith("fraud"))
    assert "firing" in fraud and "rule limit-holds" in fraud and "accuracy 0.96" in fraud
    assert "now" in fraud
    assert any(row.startswith("</bdi><script>") for row in rows)
    await page.says("criteria", "FAIL: right (recall >= 0.8", "from online by now")
    await shot(page, directory, "fleet")
    # What a person reads stays while the page is renewed
    await page.run("document.querySelector('.fleet .row-link').focus()")
    before = await page.run("document.getElementById('asof').textContent")
    await page.until(f"document.getElementById('asof').textContent !== {json.dumps(before)}")
    assert await page.run("document.activeElement.classList.contains('row-link')")


async def _model_and_feature(page: Page, directory: Path) -> None:
    await page.run(
        "[...document.querySelectorAll('.row-link')].find(a => a.innerText === 'fraud').click()"
    )
    await page.says("risk-ml", "predictions a second", "what moved", "output.score", "version 2")
    await page.says("0.946 to 0.97", "champion, learns on", "numbered events never came")
    strips = await page.run("[...document.querySelectorAll('.strip')].map(e => e.innerText)")
    assert strips[0].startswith("rule limit-holds") and "44 ×" in strips[0]
    assert await page.run("document.querySelectorAll('svg.heat rect').length") > 5
    assert await page.run("document.querySelectorAll('svg.line path.line').length") >= 3
    await shot(page, directory, "model")
    await page.run(
        "[...document.querySelectorAll('.strip')].find(a => a.innerText.startsWith('x0')).click()"
    )
    await page.says("why it fired", "js is 0.5", "now against the reference", "adwin")
    await page.says("streamgauge explain fraud.x0")
    # A bar under the pointer says its share
    box = await page.run(
        "(r => [r.left + 4, r.top + 40])(document.querySelector('svg.histogram')"
        ".getBoundingClientRect())"
    )
    await page.send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    await page.until("!document.getElementById('tip').hidden")
    assert "reference" in await page.run("document.getElementById('tip').innerText")
    await shot(page, directory, "feature")


async def _alarms_pipeline_start(page: Page, directory: Path) -> None:
    await page.click("nav a[data-screen=alarms]")
    # The feature's screen, which stays until then, says much of the same.
    await page.until("document.querySelector('.screen')?.dataset.key === '#/alarms'")
    await page.until("document.getElementById('tip').hidden")
    await page.says("x0 moved away from its reference", "threshold", "in a shell", "moved most")
    await page.run("document.querySelector('details').open = true")
    await page.says("kcat -C -e -q -b localhost:9092 -t streamgauge.alarms")
    # What was opened stays open
    before = await page.run("document.getElementById('asof').textContent")
    await page.until(f"document.getElementById('asof').textContent !== {json.dumps(before)}")
    assert await page.run("document.querySelector('details').open")
    await shot(page, directory, "alarms")
    await page.click("nav a[data-screen=pipeline]")
    await page.says("dead letters by reason", "1 schema", "monitor", "m-1", "unaccounted")
    await page.says("last dead letters", "partition 0, offset 12345", "found object", "432B")
    await shot(page, directory, "pipeline")
    await page.click("nav a[data-screen=start]")
    await page.says('Publisher("localhost:9092", model="my-model"', "kcat -P")
    await shot(page, directory, "start")


async def _dark_and_small(page: Page, directory: Path) -> None:
    light = await page.run("getComputedStyle(document.body).backgroundColor")
    await page.prefer(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    assert await page.run("getComputedStyle(document.body).backgroundColor") != light
    assert await page.run(
        "getComputedStyle(document.querySelector('main')).transitionProperty"
    ) in (
        "none",
        "all",
    )
    for name, way in (
        ("fleet", "#/fleet"),
        ("model", "#/model/fraud"),
        ("alarms", "#/alarms"),
        ("pipeline", "#/pipeline"),
    ):
        await page.run(f"location.hash = {json.dumps(way)}")
        await page.until(f"document.querySelector('.screen')?.dataset.key === {json.dumps(way)}")
        for width in (1600, 400):
            await page.size(width, 900)
            await shot(page, directory, f"{name}-dark-{width}")
    await page.size(1440, 900)
    await page.prefer(prefers_color_scheme="light")


async def _keyboard(page: Page, url: str) -> None:
    await page.press("g", "p")
    await page.until("location.hash === '#/pipeline'")
    await page.press("g", "f")
    await page.until("!!document.querySelector('.fleet')")
    await page.press("j", "j", "k")
    await page.until("document.activeElement === document.querySelector('main [data-row]')")
    await page.press("Enter")
    await page.until("location.hash.startsWith('#/model/')")
    await page.says("what moved")
    await page.press("Escape")
    await page.until("location.hash === '#/fleet'")
    await page.press("?")
    await page.until("document.getElementById('keys').open")
    await page.press("?")
    await page.until("!document.getElementById('keys').open")


async def test_an_alarm_is_taken_silenced_and_judged(
    redis: EmbeddedRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        kafka = stack.enter_context(contextlib.ExitStack())
        broker = kafka.enter_context(EmbeddedBroker())
        exporter, views = stack.enter_context(exporting(redis.url, kafka=broker.bootstrap_servers))
        await stack.enter_async_context(written(views))
        handlings = Handlings(stack.enter_context(Redis.from_url(redis.url)))
        page = await stack.enter_async_context(opened(tmp_path))
        await page.size(1440, 900)
        await page.go(f"{exporter.url}/#/alarms")
        # Given an alarm, When it is acknowledged by the keyboard, without a name
        await page.until("!!document.querySelector('[data-act=acknowledge]')")
        await page.run("document.querySelector('[data-act=acknowledge]').focus()")
        await page.press("Enter")
        await page.until("document.activeElement.name === 'by'")
        await page.press("Enter")
        # Then nothing is sent, and Escape leaves the screen where it is
        assert await page.run("document.getElementById('act').open") and not handlings.all()
        await shot(page, tmp_path, "act-acknowledge")
        await page.press("Escape")
        await page.until("!document.getElementById('act').open")
        assert await page.run("location.hash === '#/alarms'")
        # When it has one
        await page.press("Enter")
        await page.send("Input.insertText", text="ann")
        await page.run("document.querySelector('#act [name=reason]').focus()")
        await page.send("Input.insertText", text="looking <b>into</b> the feed")
        await page.press("Enter")
        # Then page, Redis and topic have it
        await page.says("acknowledged by ann: looking <b>into</b> the feed", "acknowledged.")
        (held,) = handlings.all().values()
        assert (held.status, held.by) == ("acknowledged", "ann")
        await shot(page, tmp_path, "acknowledged")
        # and whoever goes on by the keyboard goes on there
        assert await page.run("document.activeElement.dataset.act") == "silence"
        # When its cause is silenced, the name is known
        await page.click("[data-act=silence]")
        await page.until("document.activeElement.name === 'reason'")
        await page.send("Input.insertText", text="repaired tonight")
        await page.run("document.querySelector('[name=lasts][value=own]').click()")
        await shot(page, tmp_path, "act-silence")
        await page.press("Enter")
        await page.says("silenced by ann until")
        (held,) = handlings.all().values()
        assert held.until == pytest.approx(held.at + 7200.0)
        # When it is called a false alarm, and another is looked after while Kafka is away
        await page.click("[data-act=false]")
        await page.press("Enter")
        await page.says("called a false alarm by ann")
        assert [each.right for each in handlings.verdicts()] == [False]
        told = await asyncio.to_thread(_told, broker.bootstrap_servers)
        assert told == [("acknowledged", held.alarm_id), ("silenced", held.alarm_id)]
        kafka.close()
        monkeypatch.setattr("streamgauge.access.event_log.ANSWER_SECONDS", 0.3)
        await page.click(f"[data-act=acknowledge]:not([data-alarm='{held.alarm_id}'])")
        await page.press("Enter")
        await page.says("Nothing was changed: Kafka at", "Do it without the event")
        assert len(handlings.all()) == 1
        await page.prefer(prefers_color_scheme="dark")
        await page.size(400, 900)
        await shot(page, tmp_path, "act-without-kafka")
        await page.click("#act [value=quietly]")
        await page.says("No event says so")
        assert len(handlings.all()) == 2
        await page.click("[data-act=lift]")
        await page.until("document.activeElement.name === 'by'")
        await page.press("Enter")
        await page.says("Lifted.")
        assert len(handlings.all()) == 1
        await shot(page, tmp_path, "handled-dark-400")
        # A refusal is an error of the network's to the browser, and was said
        assert [each for each in page.errors if "503" not in each] == []
        assert await page.run("document.querySelectorAll('main b b, dialog b').length") == 0


def _told(servers: str) -> list[tuple[str, str]]:
    """What people did, as a subscriber hears it."""
    status = ("acknowledged", "silenced")
    with alarms(servers, status=status, since="beginning", timeout=1) as subscription:
        return [(e.status, e.handling.alarm_id) for e in subscription if e.handling is not None]


async def test_a_page_that_stays_open_says_what_became_of_redis_and_of_its_exporter(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as page:
        with contextlib.ExitStack() as lives:
            with EmbeddedRedis() as redis:
                exporter, views = lives.enter_context(exporting(redis.url))
                await page.go(f"{exporter.url}/#/model/fraud")
                await page.says("what moved", "live")
                views.close()
                # When Redis goes
            # Then it is said, with how old this is, and nothing is taken away
            await page.says("Redis does not answer", "s old", "what moved")
            assert await page.run("document.body.classList.contains('stale')")
            await shot(page, tmp_path, "redis-gone")
            port = int(exporter.url.rpartition(":")[2])
        # When the exporter goes too, Then the page says that it tries again
        await page.says("Connection lost, trying again", "not connected")
        # and counts the time that the machine sleeps, in which a page's own clock may stand still
        await page.run("(real => { Date.now = () => real() + 3600e3 })(Date.now)")
        await page.says("this is 60 min old")
        await shot(page, tmp_path, "exporter-gone")
        # and when both are back, it is live by itself
        with EmbeddedRedis() as redis, exporting(redis.url, port=port):
            await page.says("live", "what moved", seconds=15)
            assert not await page.run("document.body.classList.contains('stale')")
            # and does not call itself so where it stumbles over what it is sent
            await page.run("document.createElementNS = undefined")
            await page.says("what came can't be shown", "not shown")


async def test_a_browser_signs_in_once(redis: EmbeddedRedis, tmp_path: Path) -> None:
    with exporting(redis.url, host="0.0.0.0", token=TOKEN) as (exporter, _):
        async with opened(tmp_path) as page:
            await page.go(exporter.url.replace("0.0.0.0", "127.0.0.1") + "/#/alarms")
            await page.says("token", "sign in")
            await page.until("document.querySelector('#signin button:enabled') !== null")
            await page.run("document.getElementById('token').value = 'wrong'")
            await page.click("#signin button")
            await page.says("none of the exporter's tokens")
            await page.run(f"document.getElementById('token').value = {json.dumps(TOKEN)}")
            await page.click("#signin button")
            # Then it is where it wanted to be, and no script can read what keeps it there
            await page.says("live", "lately resolved")
            assert await page.run("document.cookie") == ""
            # and as a viewer it is shown how to become more, and no button
            await page.says("sign in with an operator's token")
            assert await page.run("document.querySelectorAll('[data-act]').length") == 0
            assert TOKEN not in "".join(page.requests)
