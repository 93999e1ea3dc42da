"""Where events go while a test captures them. ``testing.capture`` is the public side."""

from __future__ import annotations

from typing import Protocol

from streamgauge_client.codec import Headers


class Recorder(Protocol):
    """Takes records in a producer's place."""

    def record(self, topic: str, key: bytes, value: bytes, headers: Headers) -> None: ...


#: Nested captures; the innermost takes all. One list for all threads, since the code under test
#: may publish from any.
recorders: list[Recorder] = []
