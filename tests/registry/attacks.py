"""A registry with versions of one model, and what somebody without the key makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamgauge.registry.publish import publish
from streamgauge.registry.registry import ModelRegistry
from tests.registry.examples import KEY, envelope, learned, rows

ROWS = [row for row, _ in rows(50)]
BY: dict[str, Any] = {"at": 1.0, "actor": "ann", "reason": "better"}

#: By name: the reason of the refusal, and what becomes of version 2 (good, and version 1).
ATTACKS: dict[str, tuple[str, Callable[[bytes, bytes], bytes]]] = {
    "a flipped bit": (
        "signature",
        lambda good, _: good[:900] + bytes((good[900] ^ 1,)) + good[901:],
    ),
    "cut off": ("format", lambda good, _: good[:-1]),
    "an old version under the new name": ("mismatch", lambda _, old: old),
    "another key": ("signature", lambda *_: envelope(version=2, key=b"theirs")),
    "a pickle": ("format", lambda *_: b"\x80\x05cos\nsystem\n(S'true'\ntR."),
    "a gadget with our signature": (
        "mismatch",
        lambda *_: envelope(b"\x80\x05cos\nsystem\n(S'true'\ntR.", version=2),
    ),
    "another content with our signature": ("mismatch", lambda *_: envelope(version=2)),
    "too large": ("size", lambda good, _: good + bytes(20_000)),
}


def put(registry: ModelRegistry, count: int, name: str = "scaled logistic") -> int:
    record = publish(
        registry,
        learned(name, count),
        key=KEY,
        model="fraud",
        pipeline="online",
        created_at=float(count),
        actor="learner",
        rows=ROWS,
    )
    return record.version
