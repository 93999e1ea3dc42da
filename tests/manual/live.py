"""Commands that are run against the stage: each says what is wrong, or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from typer.testing import CliRunner

from services.stack.ports import free_port
from services.stack.redis_server import real_server
from streamgauge.cli.app import app
from tests.manual.shell import Command
from tests.manual.stage import Stage

#: What ``doctor`` may say of a stage in which no monitor runs.
_DOCTOR = (0, 4)


def lacking(program: str) -> str:
    """What this machine would need for a program of the pages; empty where it is there."""
    if program == "curl" and shutil.which("curl") is None:
        return "no curl on PATH"
    if program in ("redis-server", "redis-cli") and real_server() is None:
        return "no redis-server on PATH"
    return ""


def streamgauge(command: Command, stage: Stage) -> str:
    """The command itself, in the stage's directory."""
    words = [*command.words[1:]]
    if words[0] == "tail" and "--no-follow" not in words and "-n" not in words:
        # It would wait for ever.
        words.append("--no-follow")
    environment = {**stage.environment, **command.environment}
    with _within(stage.directory):
        result = CliRunner().invoke(app, words, env=environment)
    if command.into:
        (stage.directory / command.into).write_text(result.stdout, encoding="utf-8")
    allowed = _DOCTOR if words[0] == "doctor" else (0,)
    if result.exit_code not in allowed:
        return f"exit code {result.exit_code}: {result.stderr.strip()[-500:]}"
    if command.into and not result.stdout:
        return f"nothing was written to {command.into}"
    return ""


def curl(command: Command, stage: Stage) -> str:
    """A request to ingest or the exporter of the stage; anything but 2xx is wrong."""
    words = [stage.here(word) for word in command.words]
    done = subprocess.run(
        [*words, "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    body, _, status = done.stdout.rpartition("\n")
    return "" if status.startswith("2") else f"{status} {body[-500:]} {done.stderr}"


def redis_server(command: Command, stage: Stage) -> str:
    """A server with the page's options: it must be one that a worker starts on."""
    port = free_port()
    options = [*command.words[1:], "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(
        [real_server() or "redis-server", *options, "--dir", str(stage.directory)],
        stdout=subprocess.DEVNULL,
    )
    try:
        with Redis(port=port) as redis:
            told = _info(redis, process)
    finally:
        process.terminate()
        process.wait(timeout=10)
    if told.get("aof_enabled") != 1 or told.get("maxmemory_policy") != "noeviction":
        return "a worker would not start on it"
    return ""


def _info(redis: Redis, process: subprocess.Popen[bytes]) -> dict[str, object]:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(RedisError):
            told: dict[str, object] = redis.info()
            return told
        assert process.poll() is None and time.monotonic() < deadline, "it did not start"
        time.sleep(0.02)


def redis_cli(command: Command, stage: Stage) -> str:
    """What it would send, sent to the stage's Redis."""
    with Redis.from_url(stage.redis.url) as redis:
        try:
            redis.execute_command(*command.words[1:])
        except RedisError as error:
            return str(error)
    return ""


@contextlib.contextmanager
def _within(directory: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)


#: By program. What needs no stage stands in ``still``.
LIVE: dict[str, Callable[[Command, Stage], str]] = {
    "streamgauge": streamgauge,
    "curl": curl,
    "redis-server": redis_server,
    "redis-cli": redis_cli,
}
