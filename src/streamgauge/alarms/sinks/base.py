"""What a sink is: it takes one alarm, and says whether it arrived and whether to try again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from streamgauge.plugins import Registered
from streamgauge_client.events import AlarmEvent


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one attempt. ``reason`` says in words why an alarm did not arrive.

    ``recoverable`` alone decides whether the same alarm is sent again.
    """

    delivered: bool
    recoverable: bool = False
    reason: str = ""


ARRIVED = Delivery(delivered=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a post: an HTTP status and the beginning of the body as text.

    Status 0: nothing came back, for the ``reason``; ``recoverable`` tells whether it may later.
    """

    status: int
    text: str = ""
    reason: str = ""
    recoverable: bool = True


class Post(Protocol):
    """Sends a body to the sink's own address. Never raises for what the network does.

    The address is not an argument: it comes from the configuration, and nothing in an alarm can
    change it.
    """

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST ``body`` and return what came back."""


class AlarmSink(Registered, package="streamgauge.alarms.sinks"):
    """A place where alarms go.

    A sink that ``posts`` is given by keyword a ``post``, bound to the URL of its configuration,
    and a ``clock``; the others have neither. Every other keyword of ``__init__`` is an option of
    the configuration.
    """

    #: Whether it is sent over HTTP, so needs a URL.
    posts: ClassVar[bool] = False

    def wants(self, alarm: AlarmEvent) -> bool:
        """Whether it has words for it: for an alarm that was acknowledged not every place has."""
        return True

    @abstractmethod
    async def send(self, alarm: AlarmEvent) -> Delivery:
        """Send one alarm, once. The same alarm may be sent again when that failed."""
