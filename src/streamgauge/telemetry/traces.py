"""Trace ids for exemplars: one case of what a number counts, to be looked up where traces are.

Prometheus shows them where it was asked for OpenMetrics and stores exemplars.
"""

from __future__ import annotations

import re

#: Of an exemplar; what Grafana's link from a metric to its trace looks for.
TRACE_LABEL = "trace_id"

_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def trace_id(traceparent: bytes | str | None) -> str | None:
    """The id in a W3C ``traceparent``; None where there is none. What else it says is dropped.

    >>> trace_id("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    '0af7651916cd43dd8448eb211c80319c'
    >>> trace_id(b"somebody's name"), trace_id(None)
    (None, None)
    """
    if traceparent is None:
        return None
    raw = traceparent.encode(errors="replace") if isinstance(traceparent, str) else traceparent
    found = _TRACEPARENT.fullmatch(raw)
    return found[1].decode() if found else None
