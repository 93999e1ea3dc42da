"""The sections ``defaults`` and ``reference`` of a spec."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from streamgauge.specs.accepted import AcceptedSpec
from streamgauge.specs.base import SpecPart
from streamgauge.specs.scalars import (
    Duration,
    Integer,
    ReferenceId,
    between,
    refuse,
    show_duration,
)

Severity = Literal["info", "warning", "critical"]

_DAY = 86_400.0


def _lasting(low: float, high: float) -> AfterValidator:
    return between(low, high, f"a duration from {show_duration(low)} to {show_duration(high)}")


_COUNT = between(1, 2**53, "a whole number of 1 or more")


class DefaultsSpec(SpecPart):
    """How the model's windows are cut, and how loud its alarms are.

    Panes of ``pane`` are merged until a window has both ``min_duration`` and ``min_events``, at
    most ``max_duration``; panes close ``grace`` behind the watermark.
    """

    planned = {"cooldown": "a cool-down between alarms"}

    pane_seconds: Annotated[Duration, _lasting(0.1, 3600.0)] = Field(
        10.0, alias="pane", description="The grain of time: panes are merged into windows."
    )
    min_duration_seconds: Annotated[Duration, _lasting(0.1, 30 * _DAY)] = Field(
        60.0, alias="min_duration", description="A window is at least so long."
    )
    min_events: Annotated[Integer, _COUNT] = Field(
        500, description="A window holds at least so many events."
    )
    max_duration_seconds: Annotated[Duration, _lasting(1.0, 90 * _DAY)] = Field(
        _DAY,
        alias="max_duration",
        description="After so long a window closes, even with too few events.",
    )
    grace_seconds: Annotated[Duration, _lasting(0.0, _DAY)] = Field(
        30.0,
        alias="grace",
        description="How far behind the newest event a pane closes; what comes later is late.",
    )
    severity: Severity = Field(
        "warning", description="Of the model's alarms, where nothing else says it."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        # Only what the spec itself says is judged: the rest may come from the process' settings.
        given = self.model_fields_set
        if {
            "min_duration_seconds",
            "max_duration_seconds",
        } <= given and self.min_duration_seconds > self.max_duration_seconds:
            raise refuse(
                f"a duration of min_duration ({show_duration(self.min_duration_seconds)}) or more",
                at=("max_duration",),
            )
        if {
            "pane_seconds",
            "min_duration_seconds",
        } <= given and self.pane_seconds > self.min_duration_seconds:
            raise refuse(
                f"a duration of one pane ({show_duration(self.pane_seconds)}) or more",
                at=("min_duration",),
            )
        if {
            "pane_seconds",
            "max_duration_seconds",
        } <= given and self.pane_seconds > self.max_duration_seconds:
            raise refuse(
                f"a duration of one pane ({show_duration(self.pane_seconds)}) or more",
                at=("max_duration",),
            )
        return self


class ReferenceSpec(SpecPart):
    """What the present is compared with: a stored profile, or what the stream itself shows.

    A learned reference needs both ``min_events`` and ``min_duration`` before it judges; one that
    was accepted is there at once.
    """

    kind: Literal["learned", "profile"] = Field(
        "learned", description="From the stream itself, or a profile of training data."
    )
    id: ReferenceId | None = Field(
        None,
        description="Of a profile alone, as `streamgauge reference build` prints it.",
    )
    min_events: Annotated[Integer, _COUNT] = Field(
        1000, description="Events that a learned reference needs before it judges."
    )
    min_duration_seconds: Annotated[Duration, _lasting(0.0, 90 * _DAY)] = Field(
        _DAY,
        alias="min_duration",
        description="Time that a learned reference needs before it judges.",
    )
    accepted: AcceptedSpec | None = Field(
        None,
        description="What is the new normal; `streamgauge reference accept` writes it.",
    )

    planned = {"version": "a reference taken from another version of the model"}

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        given = self.model_fields_set
        if self.kind == "profile":
            if self.id is None:
                raise refuse(
                    "an id beside `kind: profile` (`streamgauge reference build` prints it)"
                )
            for field, key in (
                ("min_events", "min_events"),
                ("min_duration_seconds", "min_duration"),
            ):
                if field in given:
                    raise refuse(
                        f"no `{key}` beside `kind: profile`: only a learned reference waits for it",
                        at=(key,),
                    )
            if self.accepted is not None:
                raise refuse(
                    "no `accepted` beside `kind: profile`: what is accepted takes its place",
                    at=("accepted",),
                )
        elif self.id is not None:
            raise refuse("no id, or `kind: profile` beside it", at=("id",))
        return self
