"""Champions are verified before somebody has to load them."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from streamgauge.registry.audit import Auditor, accepted, refused
from streamgauge.registry.registry import ModelRegistry
from streamgauge.state.keys import model_key
from tests.registry.attacks import ATTACKS, BY, put


@pytest.fixture
def auditor(registry: ModelRegistry) -> Auditor:
    put(registry, 50)
    put(registry, 60)
    return Auditor(registry)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_champion_that_nobody_could_load(
    attack: str,
    auditor: Auditor,
    redis: Redis,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streamgauge.registry.redis_store.MAX_BYTES", 20_000)
    reason, change = ATTACKS[attack]
    # Given a champion that verified
    registry.promote("fraud", 2, expected=None, **BY)
    assert auditor.look("fraud") is None
    # When somebody gets at its artefact
    good, old = registry.envelope("fraud", 2), registry.envelope("fraud", 1)
    redis.set(model_key("fraud", "artefact:2"), change(good, old))
    # Then that is known at the next look, with its reason, and each look says the same
    error = auditor.look("fraud")
    assert error is not None and error.reason == reason
    alarm, again = refused("fraud", error), auditor.look("fraud")
    assert again is not None and refused("fraud", again) == alarm
    assert alarm.severity == "critical" and f"({reason})" in alarm.summary
    # And when it is put right, that is known too
    redis.set(model_key("fraud", "artefact:2"), good)
    assert auditor.look("fraud") is None
    over = accepted(alarm)
    assert over.status == "resolved" and over.alarm_id != alarm.alarm_id
    assert over.fingerprint == alarm.fingerprint


def test_a_pointer_that_came_back(auditor: Auditor, redis: Redis, registry: ModelRegistry) -> None:
    # Given a signed pointer of a turn that is over
    registry.promote("fraud", 1, expected=None, **BY)
    stolen: Any = redis.hget(model_key("fraud", "records"), "champion")
    registry.promote("fraud", 2, expected=1, **BY)
    assert auditor.look("fraud") is None
    # When somebody without the key puts it back, or makes one up
    for pointer, reason in ((stolen, "old"), (b"0" * 64 + stolen[64:], "signature")):
        redis.hset(model_key("fraud", "records"), "champion", pointer)
        error = auditor.look("fraud")
        assert error is not None and error.reason == reason


def test_a_model_without_a_champion_is_nothing_to_be_refused(auditor: Auditor) -> None:
    assert auditor.look("fraud") is None
    assert auditor.look("nobody") is None
