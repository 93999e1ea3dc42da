"""Looks whether what is to serve would be loaded, before somebody has to load it."""

from __future__ import annotations

import hashlib

from streamgauge.registry.publish import revived
from streamgauge.registry.registry import ModelRegistry
from streamgauge.registry.rejected import Rejected
from streamgauge_client.events import AlarmEvent

RULE = "ArtefactRefused"


class Auditor:
    """Verifies champions: the pointer, the artefact, and that it answers as it did.

    A service that has loaded a model serves on whatever becomes of the registry; the next one to
    start would serve nothing. So damage is to be known before.

    Parameters
    ----------
    registry
        What is looked at, with the key that verifies it.
    """

    def __init__(self, registry: ModelRegistry) -> None:
        self._registry = registry
        #: By model: the highest turn that was seen, and the content that answered as it did.
        self._turns: dict[str, int] = {}
        self._tested: dict[str, str] = {}

    def look(self, model: str) -> Rejected | None:
        """Why its champion is refused; None where it is not, or there is none.

        Raises ``StoreFailed`` where Redis or the archive does not answer.
        """
        try:
            self._verify(model)
        except Rejected as error:
            return error
        return None

    def _verify(self, model: str) -> None:
        pointer = self._registry.champion(model)
        if pointer is None:
            return
        seen = self._turns.get(model, pointer.turn)
        if pointer.turn < seen:
            raise Rejected(
                "old",
                f"the registry's champion of {model} is version {pointer.version} of turn"
                f" {pointer.turn}; turn {seen} was seen. If Redis was restored from a copy, promote"
                " a version anew, and restart the learner",
            )
        self._turns[model] = pointer.turn
        artefact = self._registry.fetch(model, pointer.version)
        if artefact.header.payload_sha256 != pointer.sha256:
            raise Rejected(
                "mismatch",
                f"version {pointer.version} of {model} is not the content that was promoted",
            )
        # Reading a model is slow, and the same bytes answer the same.
        if self._tested.get(model) != pointer.sha256:
            revived(artefact)
            self._tested[model] = pointer.sha256


def refused(model: str, error: Rejected) -> AlarmEvent:
    """The alarm about a champion that is refused; the same for the same reason and text."""
    cause = f"{model}\0pipeline\0{RULE}"
    return AlarmEvent(
        alarm_id=_digest(f"{cause}\0{error.reason}\0{error}"),
        fingerprint=_digest(cause),
        status="firing",
        severity="critical",
        kind="pipeline",
        scope={},
        model=model,
        rule=RULE,
        reason=error.reason,
        summary=f"The champion of {model} is refused ({error.reason}): {error}. What serves goes"
        " on; who starts now serves nothing. Roll back or promote another version.",
    )


def accepted(fired: AlarmEvent) -> AlarmEvent:
    """The end of it."""
    return fired.model_copy(
        update={
            "alarm_id": _digest(f"{fired.alarm_id}\0over"),
            "status": "resolved",
            "summary": f"The champion of {fired.model} verifies again.",
        }
    )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
