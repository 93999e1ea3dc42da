"""The privacy policy: what leaves the process of each field of an event."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from streamgauge_client.redaction import (
    Inapplicable,
    Rule,
    bucketed_by_edges,
    bucketed_by_width,
    hashed,
)

#: The name whose policy all fields have that are not named.
OTHERS = "*"
_WORDS = ("keep", "drop", "hash")
_ALLOWED = 'give "keep", "drop", "hash", {"bucket": 10} or {"bucket": [0, 18, 65]}'


class PrivacyPolicy:
    """Drops, hashes or buckets fields by name. Applied twice it changes nothing more.

    >>> policy = PrivacyPolicy.of({"age": {"bucket": 10}, "mail": "hash", "name": "drop"}, key=b"k")
    >>> policy.apply({"age": 47, "mail": "a@example.org", "name": "Anna", "amount": 12.5})
    {'age': 40, 'mail': 'h:895124f1f6e438dc', 'amount': 12.5}
    """

    __slots__ = ("_default", "_rules")

    def __init__(self, rules: Mapping[str, Rule | None], default: Rule | None) -> None:
        self._rules = rules
        self._default = default

    @classmethod
    def of(cls, fields: Mapping[str, Any], *, key: bytes | None) -> PrivacyPolicy:
        """Read a policy. Raises ``ValueError``, which says what to write instead.

        Parameters
        ----------
        fields
            By name: ``"keep"``, ``"drop"``, ``"hash"``, ``{"bucket": width}`` (the lower edge of
            the bucket of that width), or ``{"bucket": [edges]}`` (its name, such as ``18 – 65``).
            The name ``*`` is about all others; without it they are kept.
        key
            What hashes are made with. The same key gives the same hashes: producers that shall be
            comparable share one, and a new key makes all of them new.
        """
        if not isinstance(fields, Mapping):
            raise ValueError(f"privacy is a {type(fields).__name__}; give a dictionary of fields")
        rules = {_name(name): _rule(name, policy, key) for name, policy in fields.items()}
        return cls(rules, rules.pop(OTHERS, None))

    def apply(
        self, features: Mapping[str, Any], refused: Callable[[str], None] | None = None
    ) -> dict[str, Any]:
        """Features as they may be sent. Missing values stay missing.

        A feature whose policy does not go with its value is left out, and ``refused`` is told
        its name.
        """
        kept: dict[str, Any] = {}
        for name, value in features.items():
            rule = self._rules.get(name, self._default)
            if rule is None or (value is None and rule is not _drop):
                kept[name] = value
                continue
            try:
                kept[name] = rule(value)
            except Inapplicable:
                if rule is not _drop and refused is not None:
                    refused(name)
        return kept

    def without_dropped(self, features: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
        """What is not dropped, as it is: a dropped feature may be what no event could hold."""
        rules, default = self._rules, self._default
        return {name: value for name, value in features if rules.get(name, default) is not _drop}

    def named(self) -> PrivacyPolicy:
        """The policy of the named fields alone: for places other than the features."""
        return self if self._default is None else PrivacyPolicy(self._rules, None)


def _name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"privacy names {name!r}; a field's name is text")
    return name


def _rule(name: str, policy: object, key: bytes | None) -> Rule | None:
    from difflib import get_close_matches  # here: for who mistypes alone

    if policy == "keep":
        return None
    if policy == "drop":
        return _drop
    if policy == "hash":
        if not key:
            raise ValueError(
                f"privacy of {name!r} is hash, and there is no key; set STREAMGAUGE_PRIVACY__KEY "
                "or STREAMGAUGE_PRIVACY__KEY_FILE (openssl rand -hex 32 makes one)"
            )
        return hashed(key)
    if isinstance(policy, Mapping) and set(policy) == {"bucket"}:
        return _bucket(name, policy["bucket"])
    close = get_close_matches(policy, _WORDS, 1) if isinstance(policy, str) else []
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ValueError(f"privacy of {name!r} is {str(policy)[:100]!r}; {hint}{_ALLOWED}")


def _bucket(name: str, given: Any) -> Rule:
    if _is_number(given) and given > 0:
        whole = isinstance(given, float) and given.is_integer()
        return bucketed_by_width(int(given) if whole else given)
    if isinstance(given, (list, tuple)) and given and all(_is_number(edge) for edge in given):
        edges = list(given)
        if all(low < high for low, high in zip(edges, edges[1:], strict=False)):
            return bucketed_by_edges(edges)
    raise ValueError(
        f"bucket of {name!r} is {str(given)[:100]!r}; "
        "give a width above 0, or edges that rise, such as [0, 18, 65]"
    )


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)


def _drop(value: Any) -> Any:
    raise Inapplicable
