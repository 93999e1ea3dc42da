"""``apply`` and ``check``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import Result

from streamgauge.state.spec_store import SpecStore

Run = Callable[..., Result]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "fraud.yaml"
    path.write_text("model: fraud\nowner: risk\ndefaults: {pane: 5s}\n")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text("model: other\ntask: binery\nfeatures: {a: {detectors: [{name: adwim}]}}\n")
    return path


def test_check_tells_good_from_bad(run: Run, good: Path, bad: Path) -> None:
    assert run("check", good).exit_code == 0
    result = run("check", good, bad)
    assert result.exit_code == 4
    assert result.stdout.startswith(f"{good}: ok (model fraud)\n{good}: 0 of ")
    assert str(bad) not in result.stdout
    assert f"{bad}:2:7: task: found binery" in result.stderr
    # The detectors are those that are installed, whichever they are.
    assert f"{bad}:3:35: " in result.stderr and "did you mean `adwin`?" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: 2 mistakes")


@pytest.mark.parametrize("params", ["clock: 0.5", "clock: 1e12"])
def test_detectors_are_tried_before_a_worker_has_to(run: Run, tmp_path: Path, params: str) -> None:
    spec = tmp_path / "s.yaml"
    spec.write_text(f"model: m\nfeatures: {{a: {{detectors: [{{name: adwin, {params}}}]}}}}\n")
    result = run("check", spec)
    assert result.exit_code == 4
    assert f"{spec}:2:28: features.a.detectors.0: found" in result.stderr
    assert "expected parameters that adwin can work with" in result.stderr


def test_a_detector_of_errors_is_none_of_a_feature(run: Run, tmp_path: Path) -> None:
    # A worker would feed it ranks, and it would refuse the first.
    spec = tmp_path / "s.yaml"
    spec.write_text("model: m\nfeatures: {a: {detectors: [{name: ddm}]}}\n")
    result = run("check", spec)
    assert result.exit_code == 4
    assert f"{spec}:2:35: features.a.detectors.0.name: found ddm" in result.stderr
    assert "ddm takes errors, 0 or 1, only" in result.stderr


def test_check_for_programs(run: Run, good: Path, bad: Path) -> None:
    result = run("check", good, bad, "-o", "json")
    first, second = json.loads(result.stdout)
    assert first["file"] == str(good) and first["ok"] and first["model"] == "fraud"
    assert first["mistakes"] == [] and second["warnings"] == []
    assert [(m["line"], m["column"]) for m in second["mistakes"]] == [(2, 7), (3, 35)]
    assert result.exit_code == 4


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("check", "none.yaml")
    assert result.exit_code == 1
    assert result.stderr == "error: can't read none.yaml: No such file or directory\n"


def test_a_spec_is_applied_once(run: Run, redis_url: str, good: Path) -> None:
    # When it is applied for the first time
    result = run("--redis", redis_url, "apply", good)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1].split()[:3] == ["fraud", "1", "applied"]
    assert "+ defaults.pane: 5.0" in result.stderr
    with Redis.from_url(redis_url) as redis:
        version = SpecStore(redis).latest("fraud")
    assert version is not None
    assert version.spec.owner == "risk"
    assert version.effective_at == pytest.approx(version.applied_at + 2.0)
    # Then the same again changes nothing
    again = run("--redis", redis_url, "apply", good)
    assert again.stdout.splitlines()[1].split()[:3] == ["fraud", "1", "unchanged"]
    # And a change is the next version, told in words
    good.write_text("model: fraud\nowner: you\n")
    changed = json.loads(run("--redis", redis_url, "apply", good, "-o", "json").stdout)
    assert changed[0]["version"] == 2
    assert changed[0]["changes"] == ["- defaults.pane: 5.0", "~ owner: risk → you"]


def test_a_dry_run_changes_nothing(run: Run, redis_url: str, good: Path) -> None:
    result = run("--redis", redis_url, "apply", good, "--dry-run")
    assert result.exit_code == 0
    assert "would change" in result.stdout and "+ owner: risk" in result.stderr
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0


def test_one_bad_file_and_nothing_is_applied(
    run: Run, redis_url: str, good: Path, bad: Path
) -> None:
    result = run("--redis", redis_url, "apply", good, bad)
    assert result.exit_code == 4
    with Redis.from_url(redis_url) as redis:
        assert redis.dbsize() == 0


def test_two_files_for_one_model(run: Run, good: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.yaml"
    twin.write_text("model: fraud\n")
    result = run("check", good, twin)
    assert result.exit_code == 4
    assert f"has a spec in {good} already" in result.stderr


def test_a_reference_must_be_there(run: Run, redis_url: str, good: Path) -> None:
    good.write_text("model: fraud\nreference: {kind: profile, id: r1}\n")
    result = run("--redis", redis_url, "apply", good)
    assert result.exit_code == 1
    assert "no reference 'r1' (stored: none)" in result.stderr
    assert "streamgauge reference build fraud FILE --id r1" in result.stderr
    with Redis.from_url(redis_url) as redis:
        SpecStore(redis).put_reference("fraud", "r1", b"a profile")
    assert run("--redis", redis_url, "apply", good).exit_code == 0
