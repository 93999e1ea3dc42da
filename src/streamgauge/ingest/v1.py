"""KServe's v1 protocol: ``instances`` in, as many ``predictions`` out.

An instance with names gives features by name. One without is called ``input``: a number alone is
that feature, a list is ``input[0]``, ``input[1]``, …
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamgauge.ingest.row import Row, Unmapped, check_rows, output_of

UNNAMED = "input"


def rows(request: dict[str, Any] | None, response: dict[str, Any]) -> list[Row]:
    """Raises ``Unmapped``, which names the field."""
    predictions = _list(response, "predictions")
    given = asked(request) if request is not None else [{} for _ in predictions]
    if len(given) != len(predictions):
        raise Unmapped(f"predictions: {len(predictions):,} of them answer {len(given):,} instances")
    return [
        Row(features, output_of(answer, f"predictions[{index}]"))
        for index, (features, answer) in enumerate(zip(given, predictions, strict=True))
    ]


def asked(request: dict[str, Any]) -> list[Mapping[str, Any]]:
    """What was given, instance by instance."""
    return [
        instance if isinstance(instance, dict) else {UNNAMED: instance}
        for instance in _list(request, "instances")
    ]


def _list(document: dict[str, Any], field: str) -> list[Any]:
    found = document.get(field)
    if not isinstance(found, list) or not found:
        raise Unmapped(f"{field}: expected a list with an entry for each row")
    check_rows(len(found), field)
    return found
