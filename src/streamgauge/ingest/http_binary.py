"""CloudEvents in HTTP's binary mode: attributes in ``ce-`` headers, the event as the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from streamgauge.ingest.posted import Incoming, Posted, Refusal, oversized, passed_on

_PREFIX = "ce-"
_NAME = re.compile(r"[a-z0-9]{1,64}")
_ESCAPED = re.compile(r"\\(.)")


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether there is a header of CloudEvents."""
    return any(name.startswith(_PREFIX) for name in headers)


def binary(incoming: Incoming) -> Posted | Refusal:
    """The event of a request. Headers whose names no attribute can have are left out."""
    found = {
        f"ce_{name}": attribute_value(value).encode(errors="replace")
        for header, value in incoming.headers.items()
        if header.startswith(_PREFIX) and _NAME.fullmatch(name := header.removeprefix(_PREFIX))
    }
    attributes = passed_on(found)
    event_type = attributes.pop("ce_type", None)
    if event_type is None:
        return Refusal(0, "schema", "ce-type: missing; binary mode needs it", field="ce-type")
    if problem := oversized(attributes):
        return Refusal(0, "too_large", problem)
    return Posted(0, event_type.decode(), attributes, incoming.body)


def attribute_value(header: str) -> str:
    r"""An attribute out of its header: quotes taken off, then percent signs decoded.

    >>> attribute_value("Euro%20%E2%82%AC"), attribute_value('"say \\"hi\\""')
    ('Euro €', 'say "hi"')

    References
    ----------
    HTTP Protocol Binding for CloudEvents 1.0.2, section 3.1.3.2.
    """
    if len(header) >= 2 and header[0] == header[-1] == '"':
        header = _ESCAPED.sub(r"\1", header[1:-1])
    return unquote(header)
