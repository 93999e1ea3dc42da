"""Why an artefact is refused: a word for counters, a sentence for people."""

from __future__ import annotations

from typing import Literal, get_args

#: ``key``: none is set. ``size``: larger than allowed. ``format``: no envelope, or cut off.
#: ``signature``: damaged, forged, or another key. ``mismatch``: another model or version than
#: asked for. ``old``: older than what was seen already. ``versions``: other libraries.
#: ``payload``: holds what is not allowed. ``self_test``: answers otherwise. ``missing``: gone.
Reason = Literal[
    "key",
    "size",
    "format",
    "signature",
    "mismatch",
    "old",
    "versions",
    "payload",
    "self_test",
    "missing",
]

REASONS: tuple[Reason, ...] = get_args(Reason)


class Rejected(ValueError):
    """An artefact that is not loaded. ``reason`` is one of ``REASONS``; the text says more."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def require_key(key: bytes) -> None:
    """Without a key nothing is signed, so nothing can be trusted. Raises ``Rejected``."""
    if not key:
        raise Rejected(
            "key",
            "models are kept and loaded only signed, and there is no key; set"
            " STREAMGAUGE_STATE__KEY (or STREAMGAUGE_STATE__KEY_FILE) to the same secret for all"
            " processes",
        )
