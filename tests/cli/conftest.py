from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner, Result

from services.stack.broker import EmbeddedBroker
from services.stack.redis_server import EmbeddedRedis, real_server
from streamgauge.cli.app import app
from tests.missing import missing

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def fake_url() -> Iterator[str]:
    with EmbeddedRedis("fake") as redis:
        yield redis.url


@pytest.fixture(scope="session")
def real_url() -> Iterator[str]:
    if real_server() is None:
        missing("no redis-server on PATH")
    with EmbeddedRedis("real") as redis:
        yield redis.url


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.integration)])
def redis_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    with Redis.from_url(url) as redis:
        redis.flushall()
    return url


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    with EmbeddedBroker() as embedded:
        yield embedded.bootstrap_servers


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Call the command in a directory of its own, far from anybody's settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("STREAMGAUGE_CONFIG", "STREAMGAUGE_REDIS__URL"):
        monkeypatch.delenv(name, raising=False)
    runner = CliRunner()

    def call(*arguments: object, env: dict[str, str] | None = None) -> Result:
        result = runner.invoke(app, [str(each) for each in arguments], env=env)
        # A failure is said by an exit code, never by an exception.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result

    return call
