"""What a browser may ask to be done about an alarm: a JSON body for each act."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from streamgauge.console.alarm_rows import handled, verdict_row
from streamgauge.console.roles import Role
from streamgauge.console.scene import Document
from streamgauge.handling.found import Found
from streamgauge.handling.handler import Handler

#: The longest silence of an operator, in seconds.
OPERATOR_SECONDS = 7 * 86_400.0


class Asked(BaseModel):
    """``alarm`` is the whole id, ``by`` is who says it. ``event``: whether others are told."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    alarm: str
    by: str
    reason: str = ""
    event: bool = True

    #: Whether there is an event to tell.
    told: ClassVar[bool] = False

    @property
    def needed(self) -> Role:
        """The least role that may."""
        return Role.OPERATOR

    @abstractmethod
    def done(self, handler: Handler, found: Found) -> Document:
        """Do it; what the alarm's row says from now on. Raises as the handler does."""


class Acknowledge(Asked):
    """Somebody looks after it."""

    told = True

    def done(self, handler: Handler, found: Found) -> Document:
        held = handler.acknowledge(found, by=self.by, reason=self.reason)
        return {"handled": handled(found.alarm, held, now=held.at)}


class Silence(Asked):
    """Nothing is to be heard of its cause for so many ``seconds``."""

    told = True
    seconds: Annotated[float, Field(allow_inf_nan=False)]

    @property
    def needed(self) -> Role:
        return Role.ADMIN if self.seconds > OPERATOR_SECONDS else Role.OPERATOR

    def done(self, handler: Handler, found: Found) -> Document:
        held = handler.silence(found, by=self.by, seconds=self.seconds, reason=self.reason)
        return {"handled": handled(found.alarm, held, now=held.at)}


class Lift(Asked):
    """It is everybody's again."""

    def done(self, handler: Handler, found: Found) -> Document:
        # Nothing that held is no error: somebody else was faster, or the click was a double one.
        handler.lift(found)
        return {"handled": None}


class Judge(Asked):
    """``right`` is whether the alarm was."""

    right: bool

    def done(self, handler: Handler, found: Found) -> Document:
        verdict = handler.judge(found, right=self.right, by=self.by, reason=self.reason)
        return {"verdict": verdict_row(verdict)}


ACTS: dict[str, type[Asked]] = {
    "acknowledge": Acknowledge,
    "silence": Silence,
    "lift": Lift,
    "judge": Judge,
}
