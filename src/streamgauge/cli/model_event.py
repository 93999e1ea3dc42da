"""What a person decided about a model, as the event that others hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamgauge.registry.record import Champion
    from streamgauge_client.events import ModelEvent


def decided(
    champion: Champion,
    action: str,
    *,
    pipeline: str,
    previous: int | None,
    actor: str,
    reason: str,
) -> ModelEvent:
    """Who is champion now, and instead of whom."""
    from streamgauge_client.events import ModelEvent

    return ModelEvent.model_validate(
        {
            "model": champion.model,
            "version": str(champion.version),
            "action": action,
            "timestamp": champion.at,
            "previous_version": None if previous is None else str(previous),
            "actor": actor,
            "reason": reason,
            "evidence": {"turn": champion.turn, "sha256": champion.sha256},
            "data": {"pipeline": pipeline},
        }
    )


def retraining(model: str, *, at: float, actor: str, reason: str) -> ModelEvent:
    """That somebody asks for a new model."""
    from streamgauge_client.events import ModelEvent

    return ModelEvent.model_validate(
        {
            "model": model,
            "version": "next",
            "action": "retrain_requested",
            "timestamp": at,
            "actor": actor,
            "reason": reason,
        }
    )
