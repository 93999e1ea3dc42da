"""Ids of alarms: functions of the log alone, so that a replay repeats them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

#: Raised when a rule's meaning changes: another rule, another id.
RULE_VERSION = 1


def fingerprint(model: str, kind: str, scope: Mapping[str, str], *, partition: int) -> str:
    """What stays the same from firing to resolved: one cause, on one shard.

    A model whose events came to two partitions has two alarms, and each must be told apart.
    """
    return _digest(model, kind, *_flat(scope), str(partition))


def alarm_id(
    *,
    topic: str,
    partition: int,
    model: str,
    kind: str,
    scope: Mapping[str, str],
    edge: str,
    window_end: float,
) -> str:
    """One edge of one alarm."""
    return _digest(
        topic, str(partition), model, kind, *_flat(scope), str(RULE_VERSION), edge, repr(window_end)
    )


def handling_id(alarm_id: str, status: str, *, by: str, at: float) -> str:
    """What one person did about one alarm at one time, in seconds since 1970."""
    return _digest(alarm_id, status, by, repr(at))


def _flat(scope: Mapping[str, str]) -> list[str]:
    return [part for key in sorted(scope) for part in (key, scope[key])]


def _digest(*parts: str) -> str:
    # Lengths first: ("ab", "c") and ("a", "bc") must not meet.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
