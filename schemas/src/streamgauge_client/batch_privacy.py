"""A privacy policy over columns: what it does to single events, done to each value of a column."""

from __future__ import annotations

from typing import Any

from streamgauge_client.privacy import PrivacyPolicy
from streamgauge_client.stats import Counters


def protect(document: dict[str, Any], policy: PrivacyPolicy, counters: Counters) -> None:
    """Apply a policy to a document of columns, in place.

    A value that its policy does not go with is null afterwards, which is counted once a column.
    """
    named = policy.named()
    for field, rules in (("features", policy), ("segment", named), ("tags", named)):
        if field in document:
            document[field] = _protected(document[field], rules, counters)
    if "entity_id" in document:
        document |= _protected({"entity_id": document.pop("entity_id")}, named, counters)


def _protected(
    columns: dict[str, Any], policy: PrivacyPolicy, counters: Counters
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    probe = object()
    for name, column in policy.without_dropped(columns.items()).items():
        # Only a policy that keeps gives back what no other can take: most columns end here.
        if policy.apply({name: probe}).get(name) is probe:
            kept[name] = column
            continue
        refused: list[str] = []
        values = column if isinstance(column, list) else [column]
        changed = [policy.apply({name: value}, refused.append).get(name) for value in values]
        if refused:
            counters.adjusted("privacy")
        if isinstance(column, list):
            kept[name] = changed
        elif not refused:
            kept[name] = changed[0]
    return kept
