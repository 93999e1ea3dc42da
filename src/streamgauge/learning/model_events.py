"""What a learner decides, as events that others hear."""

from __future__ import annotations

import orjson

from streamgauge.learning.promotion import Decision
from streamgauge_client.events import ModelEvent

#: Who says so.
ACTOR = "learner"
#: What a step is called where it changes no champion.
_ACTIONS = {"failed": "retired", "abandoned": "retired"}


def event_of(decision: Decision) -> ModelEvent:
    """A decision with its evidence; a person's bears their name."""
    return ModelEvent.model_validate(
        {
            "model": decision.model,
            "version": decision.challenger,
            "action": decision.action or _ACTIONS.get(decision.after, "snapshot"),
            "timestamp": decision.time,
            "previous_version": decision.champion,
            "actor": decision.by or ACTOR,
            "reason": decision.reason,
            "evidence": orjson.loads(orjson.dumps(decision.as_dict())),
            "data": {"pipeline": decision.challenger},
        }
    )
