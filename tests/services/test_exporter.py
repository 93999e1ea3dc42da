from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from services.exporter.app import Exporter
from services.stack.redis_server import EmbeddedRedis
from streamgauge.settings import Settings, load_settings
from streamgauge.state.keys import model_id, process_key, view_key
from streamgauge.state.views import ModelView, PartitionView, SeriesView

CANARY = "canary-91ab"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url)
    client.flushall()
    yield client
    client.close()


def settings(url: str, **options: object) -> Settings:
    own = {"port": 0, "refresh_seconds": 0.05, "instance": "e-1", **options}
    return load_settings(redis__url=url, exporter=own)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def redis_failed(metrics: str) -> bool:
    """Whether a call to Redis failed. The counter stands at 0 before."""
    return re.search(r"^streamgauge_redis_errors_total\{.*\} [1-9]", metrics, re.M) is not None


def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def put_view(redis: Redis, group: str) -> None:
    now = time.time()
    series = SeriesView(version="1", counts={"ok": 41}, state="warming")
    view = ModelView(model="fraud", partition=0, last_event=now, series=[series])
    place = PartitionView(partition=0, counts={"prediction/ok": 41}, written_at=now)
    key = view_key(group, 0)
    redis.hset(key, model_id("fraud"), view.model_dump_json())
    redis.hset(key, "_", place.model_dump_json())


def test_a_view_becomes_a_metric_and_a_row(redis: Redis, redis_url: str) -> None:
    told = settings(redis_url)
    put_view(redis, told.monitor.group)
    exporter = Exporter(told)
    exporter.start()
    try:
        until(lambda: get(f"{exporter.url}/readyz")[0] == 200)
        status, text = get(f"{exporter.url}/metrics")
        assert status == 200
        assert (
            'streamgauge_predictions_total{model="fraud",status="ok",step="",version="1"} 41.0'
            in text
        )
        assert "streamgauge_redis_up 1.0" in text
        assert 'streamgauge_build_info{service="exporter"' in text
        assert "process_resident_memory_bytes" in text
        status, page = get(f"{exporter.url}/")
        assert status == 200
        assert "/static/app.js" in page
        (row,) = json.loads(get(f"{exporter.url}/api/fleet")[1])["rows"]
        assert (row["name"], row["status"]) == ("fraud", "warming")
        # It says that it runs, in a key that expires.
        key = process_key("exporter", "e-1")
        until(lambda: bool(redis.exists(key)))
        assert 0 < int(redis.ttl(key)) <= 15
    finally:
        exporter.stop()
    assert not redis.exists(key)


def test_it_says_that_it_runs_also_after_its_clock_was_set_back(
    redis: Redis, redis_url: str
) -> None:
    moment = [time.time()]
    exporter = Exporter(settings(redis_url), clock=lambda: moment[0])
    exporter.start()
    key = process_key("exporter", "e-1")
    try:
        until(lambda: bool(redis.exists(key)))
        # When the clock goes back by an hour, and the key has expired
        moment[0] -= 3600
        redis.delete(key)
        # Then it is there again, and not in an hour
        until(lambda: bool(redis.exists(key)))
    finally:
        exporter.stop()


def test_redis_may_go_and_come_back() -> None:
    # Given an exporter that has read a view
    with EmbeddedRedis("fake") as server:
        own = settings(server.url)
        put_view(Redis.from_url(server.url), own.monitor.group)
        exporter = Exporter(own)
        exporter.start()
        until(lambda: get(f"{exporter.url}/readyz")[0] == 200)

    # When Redis goes, Then it says so everywhere and keeps serving
    try:
        until(lambda: "streamgauge_redis_up 0.0" in get(f"{exporter.url}/metrics")[1])
        assert get(f"{exporter.url}/readyz") == (503, "Redis does not answer\n")
        assert get(f"{exporter.url}/healthz")[0] == 200
        assert get(f"{exporter.url}/")[0] == 200
        told = json.loads(get(f"{exporter.url}/api/fleet")[1])
        assert told["notes"][0]["text"].startswith("Redis does not answer (")
        assert [row["name"] for row in told["rows"]] == ["fraud"]
        assert redis_failed(get(f"{exporter.url}/metrics")[1])
    finally:
        exporter.stop()


def test_redis_may_not_be_there_at_the_start() -> None:
    exporter = Exporter(settings("redis://127.0.0.1:1/0"))
    exporter.start()
    try:
        status, text = get(f"{exporter.url}/metrics")
        assert status == 200
        assert "streamgauge_redis_up 0.0" in text
        assert get(f"{exporter.url}/")[0] == 200
        told = json.loads(get(f"{exporter.url}/api/fleet")[1])
        assert told["notes"][0]["text"].endswith("nothing was read yet.")
    finally:
        exporter.stop()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")}
    return subprocess.run(
        [sys.executable, "-m", "services.exporter", *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_port_in_use_is_one_line_and_exit_code_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port), STREAMGAUGE_REDIS__URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert done.stderr == (
        f"can't listen on 127.0.0.1:{port}: the port is in use; stop what uses it or set "
        "STREAMGAUGE_EXPORTER__PORT to another (0 takes a free one)\n"
    )


def test_it_does_not_show_everything_to_anybody() -> None:
    # Given a host that others can reach, and no token
    done = run("--host", "0.0.0.0", "--port", "0", STREAMGAUGE_REDIS__URL="redis://127.0.0.1:1/0")
    # Then it refuses, and says what to do
    assert done.returncode == 2
    assert "STREAMGAUGE_EXPORTER__TOKEN" in done.stderr
    # and neither does it with one that is guessed soon, which it does not repeat
    done = run("--host", "0.0.0.0", STREAMGAUGE_EXPORTER__TOKEN=CANARY)
    assert done.returncode == 2
    assert "shorter than 32 bytes" in done.stderr
    assert CANARY not in done.stderr


def test_with_a_token_in_a_file_it_asks_for_it_and_never_of_a_scraper(tmp_path: Path) -> None:
    token = "t" * 40
    (tmp_path / "token").write_text(f"{token}\n{'u' * 40}\n")
    (tmp_path / "operator").write_text("o" * 40)
    own = settings(
        "redis://127.0.0.1:1/0",
        host="0.0.0.0",
        token_file=str(tmp_path / "token"),
        operator_token_file=str(tmp_path / "operator"),
    )
    exporter = Exporter(own)
    exporter.start()
    try:
        url = exporter.url.replace("0.0.0.0", "127.0.0.1")
        assert get(f"{url}/metrics")[0] == 200
        assert get(f"{url}/api/fleet")[0] == 401
        for given, role in ((token, "viewer"), ("o" * 40, "operator")):
            request = urllib.request.Request(
                f"{url}/api/session", headers={"Authorization": f"Bearer {given}"}
            )
            with urllib.request.urlopen(request, timeout=5) as response:
                assert json.load(response) == {"role": role}
    finally:
        exporter.stop()


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("STREAMGAUGE_EXPORTER__PROT", "1", "did you mean 'port'?"),
        ("STREAMGAUGE_REDIS__URL", f"http://:{CANARY}@host", "STREAMGAUGE_REDIS__URL can't be"),
    ],
)
def test_a_mistake_in_the_settings_is_exit_code_two(variable: str, value: str, said: str) -> None:
    done = run(**{variable: value})
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stderr


def test_it_stops_at_sigterm_and_prints_no_secret() -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.exporter", "--port", "0"],
        cwd=ROOT,
        env={**clean, "STREAMGAUGE_REDIS__URL": f"redis://:{CANARY}@127.0.0.1:1/0"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    while "exporter: http://127.0.0.1:" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.terminate()
    rest = process.communicate(timeout=15)[1]
    assert process.returncode == 0
    assert CANARY not in said + rest
