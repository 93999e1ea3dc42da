"""The stack's key: given, or made once for a Redis that outlives it, and for no other eyes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from services.stack.app import Stack
from services.stack.key_file import kept_key, key_file
from services.stack.reach import Unreachable
from streamgauge.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def stack(said: list[str], **settings: Any) -> Stack:
    """A stack whose Kafka and Redis are taken for started."""
    made = Stack(Settings.model_validate(settings), say=said.append)
    made.key = made._signing_key()
    return made


OWN_REDIS = {"redis": {"url": "redis://127.0.0.1:1/0"}}


def test_for_a_redis_of_ones_own_a_key_is_made_once_and_only_the_learner_is_told() -> None:
    # When two stacks run on it, one after the other
    said: list[str] = []
    first, second = (stack(said, **OWN_REDIS) for _ in range(2))
    # Then they sign with one key, which is in a file of the user alone
    assert first.key == second.key and len(first.key) == 64
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file().parent.stat().st_mode) == 0o700
    assert [each.name for each in key_file().parent.iterdir()] == ["state.key"]
    assert str(key_file()) in said[0] and first.key not in said[0]
    # and a monitor that kept its state without one can go on
    told = {each.name: each.environment for each in first._services()}
    assert told["learner"]["STREAMGAUGE_STATE__KEY"] == first.key
    assert "STREAMGAUGE_STATE__KEY" not in {**first.environment, **told["monitor"]}


def test_one_that_was_given_is_everybodys_and_nothing_is_kept() -> None:
    made = stack([], **OWN_REDIS, state={"key": "given"})
    assert made.environment["STREAMGAUGE_STATE__KEY"] == made.key == "given"
    assert not key_file().exists()


def test_of_an_embedded_redis_it_ends_with_it() -> None:
    said: list[str] = []
    assert stack(said).key != stack(said).key
    assert not said and not key_file().exists()


def test_one_that_others_may_read_is_refused() -> None:
    kept_key(key_file())
    key_file().chmod(0o640)
    with pytest.raises(Unreachable, match="chmod 600"):
        stack([], **OWN_REDIS)


def test_an_empty_one_is_refused() -> None:
    kept_key(key_file())
    key_file().write_text("\n")
    with pytest.raises(Unreachable, match="Remove it"):
        stack([], **OWN_REDIS)


def test_a_disk_without_hard_links_keeps_no_key_under_another_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    said: list[str] = []
    assert stack(said, **OWN_REDIS).key == ""
    assert "no hard links here" in said[0] and not any((home / "streamgauge").iterdir())


def test_a_user_without_a_home_has_no_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", refuse)
    said: list[str] = []
    assert stack(said, **OWN_REDIS).key == ""
    assert said[0].startswith("no learner: ") and "home directory" in said[0]


def test_where_none_can_be_kept_all_but_the_learner_runs(home: Path) -> None:
    (home / "streamgauge").write_text("in the way")
    said: list[str] = []
    made = stack(said, **OWN_REDIS)
    assert "learner" not in {each.name for each in made._services()}
    assert said[0].startswith("no learner: ") and "STREAMGAUGE_STATE__KEY" in said[0]
