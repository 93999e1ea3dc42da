"""What a running process says of itself, in a key that expires when it stops saying so."""

from __future__ import annotations

from streamgauge.state.keys import process_key
from streamgauge.state.views import View

#: How long a process that has fallen silent counts as running; it speaks three times as often.
EXPIRY_SECONDS = 15
ANNOUNCE_SECONDS = 5.0


class ProcessView(View):
    """One process: who it is, since when, where its telemetry is. Times in seconds since 1970.

    ``partitions`` are those that it owns, where it owns any.
    """

    service: str
    instance: str
    version: str = ""
    started_at: float
    url: str | None = None
    partitions: list[int] = []

    @property
    def key(self) -> str:
        return process_key(self.service, self.instance)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()
