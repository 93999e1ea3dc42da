"""``streamgauge state``: saved, lost and restored by somebody at a shell."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from redis import Redis
from typer.testing import Result

from streamgauge.state.keys import reference_key, spec_key

Run = Callable[..., Result]


def test_saved_lost_and_restored(run: Run, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "streamgauge.backup"
    with Redis.from_url(redis_url) as redis:
        # Given a Redis with a spec and a reference
        redis.flushdb()
        redis.hset(spec_key("fraud"), "latest", "1")
        redis.set(reference_key("fraud", "r1"), b"profile")
        # When it is saved, lost, and restored
        saved = run("--redis", redis_url, "state", "save", str(file))
        assert saved.exit_code == 0, saved.stderr
        assert "saved 1 references, 1 specs" in saved.stdout + saved.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        redis.flushdb()
        restored = run("--redis", redis_url, "state", "restore", str(file))
        # Then both are back, and it says what to do
        assert restored.exit_code == 0, restored.stderr
        assert "restart monitors and learners" in restored.stdout + restored.stderr
        assert redis.get(reference_key("fraud", "r1")) == b"profile"
        # And a second time it would overwrite them
        again = run("--redis", redis_url, "state", "restore", str(file))
        assert again.exit_code == 1 and "--over" in again.stderr
        assert run("--redis", redis_url, "state", "restore", str(file), "--over").exit_code == 0


def test_what_is_wrong_is_one_line(run: Run, redis_url: str, tmp_path: Path) -> None:
    nothing = run("--redis", redis_url, "state", "restore", str(tmp_path / "nothing"))
    assert nothing.exit_code == 1 and "can't be read: No such file" in nothing.stderr
    (tmp_path / "other").write_text("something else")
    other = run("--redis", redis_url, "state", "restore", str(tmp_path / "other"))
    assert other.exit_code == 1 and "without our mark" in other.stderr
    nowhere = run("--redis", redis_url, "state", "save", str(tmp_path / "no" / "where"))
    assert nowhere.exit_code == 1 and "can't be written" in nowhere.stderr
    assert all(len(each.stderr.strip().splitlines()) == 1 for each in (nothing, other, nowhere))
