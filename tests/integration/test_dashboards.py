"""Every query of the dashboards, on a real Prometheus that scrapes the demo."""

from __future__ import annotations

import os
import random
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from services.stack.ports import free_port
from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.specs import ModelSpec
from streamgauge.state.spec_store import SpecStore
from tests.deploy.dashboard_files import FILES, LABEL_VALUES, Asked, load, queries, variables
from tests.integration.live_prometheus import Prometheus
from tests.missing import missing

ROOT = Path(__file__).parents[2]
SERVICES = ("monitor", "exporter", "ingest", "notifier", "learner")
#: How long data may take to come. With 170 the demo promotes a challenger within it.
SECONDS = float(os.environ.get("DASHBOARD_SECONDS", "95"))
#: Predictions each second of the model beside the demo's.
RATE = 300
#: What the demo does not show in that time, and why.
LATE = {"learner.json: annotation Promotions": "a challenger is promoted after 115 seconds"}
UNANSWERED = LATE if SECONDS < 150 else {}
#: A model beside the demo's, with what those have not: segments, criteria, users.
CLAIMS = {
    "model": "claims",
    "task": "binary",
    "label_delay": {"expected": "1s", "max": "10s"},
    "labels": {"positive": "paid"},
    "segments": {"region": {}},
    "criteria": [{"name": "amounts are there", "expr": "missing_ratio(amount) <= 1 %"}],
}
USED = re.compile(r"\$(?:\{(\w+)\}|([a-z]\w*))")


def claims(n: int, dice: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Events by kind of the model beside the demo's, as its service would post them."""
    ids = [f"{dice.getrandbits(64):016x}" for _ in range(n)]
    redone = [known for known in ids if dice.random() < 0.05]
    return {
        "prediction": [_prediction(known, dice) for known in ids],
        "label": [
            {"prediction_id": known, "model": "claims", "label": dice.choice(["paid", "refused"])}
            for known in ids
        ],
        "feedback": [
            {"prediction_id": known, "model": "claims", "interaction_id": known, "kind": "redo"}
            for known in redone
        ],
    }


def _prediction(known: str, dice: random.Random) -> dict[str, Any]:
    score = dice.betavariate(2, 2)
    return {
        "prediction_id": known,
        "model": "claims",
        "version": "1",
        "features": {"amount": dice.gauss(100, 20)},
        "output": {
            "label": "paid" if score > 0.5 else "refused",
            "scores": {"paid": score, "refused": 1 - score},
        },
        "latency_ms": dice.gammavariate(4, 0.5),
        # One that has enough of a window's events to be judged, and one that has not.
        "segment": {"region": "north" if dice.random() < 0.9 else "south"},
        "interaction_id": known,
    }


class Demo:
    """The demo as a person starts it, each service at a port of its own."""

    def __init__(self, redis_url: str, log: Path) -> None:
        self.ports = {service: free_port() for service in SERVICES}
        self._log = log
        clean = {k: v for k, v in os.environ.items() if not k.startswith("STREAMGAUGE_")}
        listening = {f"STREAMGAUGE_{s.upper()}__PORT": str(p) for s, p in self.ports.items()}
        key = {"STREAMGAUGE_STATE__KEY": secrets.token_hex(32)}
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.stack.demo", f"--seconds={SECONDS - 5:.0f}"],
                cwd=ROOT,
                env={**clean, **listening, **key, "STREAMGAUGE_REDIS__URL": redis_url},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def post(self, events: dict[str, list[dict[str, Any]]]) -> None:
        """Post to the ingest service; nothing while that, or what it stands on, starts."""
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        for kind, each in events.items():
            if not each:
                continue
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.ports['ingest']}/v1/events?type={kind}",
                data=orjson.dumps(each),
                headers={"content-type": "application/json"},
            )
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.HTTPError as error:
                with error:
                    told = f"{error.code}: {error.read().decode()[:500]}"
                if error.code == 503:
                    return
                raise AssertionError(told) from error
            except urllib.error.URLError:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    if real_server() is None:
        missing("no redis-server on PATH")
    # One of its own: another test's positions would be of another log.
    with EmbeddedRedis("real") as server:
        with Redis.from_url(server.url) as redis:
            SpecStore(redis).apply(ModelSpec.from_document(CLAIMS), now=time.time(), by="test")
        started = Demo(server.url, tmp_path / "demo.log")
        yield started
        started.stop()


@pytest.fixture
def prometheus(demo: Demo, tmp_path: Path) -> Iterator[Prometheus]:
    with Prometheus(tmp_path, demo.ports.values()) as started:
        yield started


def filled(expr: str, chosen: dict[str, str]) -> str:
    """The expression as Grafana would send it."""
    plain = expr.replace("$__rate_interval", "10s")
    return USED.sub(lambda found: chosen[found[1] or found[2]], plain)


def choices(
    prometheus: Prometheus, document: Any, expr: str, chosen: dict[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """Every way to fill in the variables of an expression, from values that there are."""
    chosen = chosen or {}
    wanted = {found[1] or found[2] for found in USED.finditer(expr)}
    asked = variables(document)
    # In the dashboard's order, because a variable's query names those before it.
    open_ones = [n for n in asked if n not in chosen and (n in wanted or n == "model")]
    if not open_ones:
        yield chosen
        return
    name = open_ones[0]
    for value in values(prometheus, asked[name], chosen):
        yield from choices(prometheus, document, expr, {**chosen, name: value})


def values(prometheus: Prometheus, variable: Any, chosen: dict[str, str]) -> list[str]:
    found = LABEL_VALUES.fullmatch(variable["query"]["query"])
    assert found is not None
    known = prometheus.label_values(filled(found["metric"], chosen), found["label"])
    return [variable["allValue"]] if known and variable["includeAll"] else known


def answered(prometheus: Prometheus, asked: Asked) -> bool:
    return any(
        prometheus.has_data(filled(asked.expr, chosen))
        for chosen in choices(prometheus, load(asked.dashboard), asked.expr)
    )


def unanswered(prometheus: Prometheus, waiting: Sequence[Asked]) -> list[Asked]:
    return [asked for asked in waiting if not answered(prometheus, asked)]


@pytest.mark.integration
def test_every_query_is_answered_while_the_demo_runs(demo: Demo, prometheus: Prometheus) -> None:
    # Given the demo, a model with segments, criteria and users beside it, and a Prometheus
    dice = random.Random(7)
    began = time.monotonic()
    waiting = [asked for path in FILES for asked in queries(path.name)]
    told = {str(asked) for asked in waiting}
    assert len(told) == len(waiting), "two queries of one name"
    assert UNANSWERED.keys() <= told
    while not prometheus.ready():
        assert time.monotonic() - began < 20
        time.sleep(0.1)
    # When everything that the dashboards ask is asked again and again, as they do
    posted = began
    while waiting := unanswered(prometheus, waiting):
        missed = [str(asked) for asked in waiting]
        if set(missed) <= UNANSWERED.keys():
            break
        # Then there is no query that has no answer
        assert time.monotonic() - began < SECONDS, f"no data for {missed}"
        # By the clock, because a round takes longer where the machine is busy.
        posted, since = time.monotonic(), time.monotonic() - posted
        demo.post(claims(min(int(RATE * since), 2_000), dice))
        time.sleep(0.5)
