"""Telemetry of a client: a heartbeat, and how its process fares."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from streamgauge_client.events.base import Event, Identifier, Number, Timestamp


class TelemetryEvent(Event):
    """A client process reports that it lives, and what it uses.

    ``measurements`` are named with their unit: ``cpu_ratio``, ``memory_bytes``, ``load_1m``.
    """

    model: Identifier
    service: Identifier
    instance: Identifier
    version: Identifier | None = None
    timestamp: Timestamp | None = None
    sequence: Annotated[int, Field(ge=0, le=2**53)] | None = None
    measurements: Annotated[dict[Identifier, Number], Field(max_length=100)] = Field(
        default_factory=dict
    )
