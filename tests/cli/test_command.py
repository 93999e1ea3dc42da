"""The command as a whole: help, failures on one line, exit codes, time to start."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import Result

from streamgauge_client.events import EVENTS

Run = Callable[..., Result]
NOWHERE = ("--redis", "redis://ann:hunter2@127.0.0.1:1/0", "--kafka", "127.0.0.1:1")


def process(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamgauge.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **env},
    )


def test_help_starts_cold_within_its_budget() -> None:
    process("--help")  # compiles bytecode, which an installation has done
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = process("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime) <= 0.7


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from streamgauge.cli.app import app\n"
        "heavy = {'faust', 'river', 'numpy', 'confluent_kafka', 'redis', 'pydantic'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    "verb",
    ["apply", "check", "explain", "tail", "schema", "version", "reference build", "reference show"],
)
def test_every_verb_explains_itself_with_an_example(run: Run, verb: str) -> None:
    result = run(*verb.split(), "--help")
    assert result.exit_code == 0
    assert f"Example: streamgauge {verb}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["aply"], "Did you mean 'apply'?"),
        (["apply"], "Missing argument"),
        (["apply", "--frobnicate", "x"], "--frobnicate"),
        (["tail", "predicitons"], "predicitons"),
        (["schema", "predicton"], "did you mean 'prediction'?"),
        (["tail", "alarms", "-n", "0"], "greater than or equal to 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line_and_exit_2(run: Run, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1 and result.stdout == ""


def test_a_group_without_a_verb_prints_its_help_once(run: Run) -> None:
    for arguments in ([], ["reference"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.output.count("Usage:") == 1


def test_wrong_settings_are_exit_2(run: Run) -> None:
    result = run("explain", "m", env={"STREAMGAUGE_KAFKA__BOOTSTRAP_SERVER": "x"})
    assert result.exit_code == 2
    assert "bootstrap_server" in result.stderr.lower()
    assert run("--redis", "nonsense", "explain", "m").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "service", "variable"),
    [
        (["explain", "m"], "Redis", "STREAMGAUGE_REDIS__URL"),
        (["reference", "show", "m"], "Redis", "STREAMGAUGE_REDIS__URL"),
        (["reference", "build", "m", "never-read.csv"], "Redis", "STREAMGAUGE_REDIS__URL"),
        (["apply", "spec.yaml"], "Redis", "STREAMGAUGE_REDIS__URL"),
        (["tail", "alarms"], "Kafka", "STREAMGAUGE_KAFKA__BOOTSTRAP_SERVERS"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_away_is_named_with_a_remedy_and_exit_3(
    run: Run, tmp_path: Path, arguments: list[str], service: str, variable: str
) -> None:
    (tmp_path / "spec.yaml").write_text("model: m")
    result = run(*NOWHERE, *arguments)
    assert result.exit_code == 3
    assert f"{service} at 127.0.0.1:1 is not reachable" in result.stderr
    assert variable in result.stderr
    assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr
    assert "hunter2" not in result.output


def test_the_traceback_comes_when_asked_for(run: Run) -> None:
    result = run("--debug", *NOWHERE, "explain", "m")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: Redis at 127.0.0.1:1")
    assert "hunter2" not in result.output


def test_a_bug_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **more: object) -> None:
        raise ZeroDivisionError("by two")

    monkeypatch.setattr("streamgauge.cli.spec_files.read_specs", broken)
    result = run("check", "x.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ZeroDivisionError: by two; run `streamgauge --debug")


def test_a_reader_that_hangs_up_is_no_error() -> None:
    script = f"{sys.executable} -m streamgauge.cli schema spec | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "{\n" and done.stderr == ""


@pytest.mark.parametrize("name", [*EVENTS, "spec"])
def test_schemas(run: Run, name: str) -> None:
    listed = run("schema").stdout.split()
    assert name in listed
    schema = json.loads(run("schema", name).stdout)
    Draft202012Validator.check_schema(schema)
    assert "properties" in schema


def test_versions_for_programs(run: Run) -> None:
    rows = json.loads(run("version", "-o", "json").stdout)
    assert {"part": "streamgauge", "version": "0.1.0"} in rows
    assert "part: streamgauge" in run("version", "-o", "yaml").stdout
    assert run("version").stdout.startswith("PART")


def test_nothing_is_coloured_where_nobody_wants_it() -> None:
    done = process("version", NO_COLOR="1", FORCE_COLOR="")
    assert "\x1b" not in done.stdout
