"""The models' privacy policies, kept fresh from their specs, applied before events are sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from redis import asyncio as aioredis

from streamgauge.specs.version import SpecVersion
from streamgauge.state.spec_store import read_all
from streamgauge_client.privacy import PrivacyPolicy

logger = logging.getLogger(__name__)

Refused = Callable[[str], None]
_TEXTS = ("segment", "tags")


class PolicyUnusable(Exception):
    """A model's policy can't be applied, so nothing of the model is taken. The text says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a model's newest spec says of its events: shards, and a policy or why there is none."""

    number: int
    shards: int
    policy: PrivacyPolicy | None
    fields: frozenset[str] = frozenset()
    unusable: str = ""


_NONE = Rules(0, 1, None)


class Policies:
    """Rules by model. A new spec counts from when it is read: no event waits for its moment.

    Parameters
    ----------
    key
        What ``hash`` hashes with.
    """

    def __init__(self, *, key: bytes | None) -> None:
        self._key = key
        self._rules: dict[str, Rules] = {}
        #: Whether the specs were ever read; until then nobody knows what may be kept.
        self.known = False

    async def refresh(self, redis: aioredis.Redis) -> None:
        """Read what is new. Raises ``RedisError`` or ``OSError``, and then the known rules hold."""
        known = {model: rules.number for model, rules in self._rules.items()}
        self.take(await read_all(redis, known=known))
        self.known = True

    def take(self, versions: Iterable[SpecVersion]) -> None:
        """Rules of these specs, each model's oldest first."""
        for model, version in {version.spec.model: version for version in versions}.items():
            fields: Mapping[str, Any] = getattr(version.spec, "privacy", None) or {}
            policy, unusable = None, ""
            try:
                policy = PrivacyPolicy.of(fields, key=self._key) if fields else None
            except ValueError as error:
                unusable = str(error)
                logger.error("model %r: %s; its events are refused until then", model, error)
            self._rules[model] = Rules(
                version.number, version.spec.shards, policy, frozenset(fields), unusable
            )

    def shards(self, model: str) -> int:
        return self._rules.get(model, _NONE).shards

    def applied(
        self, model: str, kind: str, value: bytes, refused: Refused, *, derived: bool = False
    ) -> bytes:
        """An event as it may be sent; ``refused`` is told of fields that a policy does not fit.

        What no policy is about passes byte for byte. Where features were ``derived`` from tensors,
        the policy of ``x`` is that of ``x[0]`` and of ``x.mean`` too. Raises ``PolicyUnusable``,
        and ``ValueError`` for an event that holds a number beyond all JSON readers.
        """
        rules = self._rules.get(model, _NONE)
        if rules.unusable:
            raise PolicyUnusable(f"the privacy policy of model {model!r}: {rules.unusable}")
        if rules.policy is None or not kind.startswith("prediction"):
            return value
        document = orjson.loads(value)
        if kind == "prediction_batch":
            _protect_columns(document, rules.policy, refused)
        else:
            _protect(document, rules, refused, derived=derived)
        return orjson.dumps(document)


def _protect(document: dict[str, Any], rules: Rules, refused: Refused, *, derived: bool) -> None:
    policy = cast(PrivacyPolicy, rules.policy)
    if "features" in document:
        features = document["features"]
        document["features"] = (
            _parts(features, policy, rules.fields, refused)
            if derived
            else policy.apply(features, refused)
        )
    named = policy.named()
    for field in _TEXTS:
        if field in document:
            document[field] = named.apply(document[field], refused)
    if "entity_id" in document:
        document.update(named.apply({"entity_id": document.pop("entity_id")}, refused))


def _parts(
    features: Mapping[str, Any], policy: PrivacyPolicy, fields: frozenset[str], refused: Refused
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in features.items():
        whole = _whole(name, fields)
        may = policy.apply({whole: value}, refused)
        if whole in may:
            kept[name] = may[whole]
    return kept


def _whole(name: str, fields: frozenset[str]) -> str:
    """What a feature is a part of, as far as a policy names it: ``x`` for ``x[0]``."""
    part = name
    while part not in fields:
        cut = max(part.rfind("["), part.rfind("."))
        if cut <= 0:
            return name
        part = part[:cut]
    return part


def _protect_columns(document: dict[str, Any], policy: PrivacyPolicy, refused: Refused) -> None:
    if "features" in document:
        document["features"] = _columns(document["features"], policy, refused)
    named = policy.named()
    for field in _TEXTS:
        if field in document:
            document[field] = _columns(document[field], named, refused)
    if "entity_id" in document:
        document.update(_columns({"entity_id": document.pop("entity_id")}, named, refused))


def _columns(columns: Mapping[str, Any], policy: PrivacyPolicy, refused: Refused) -> dict[str, Any]:
    """Columns as they may be sent: where a row's value does not fit its policy, null."""
    kept: dict[str, Any] = {}
    for name, column in columns.items():
        # A null stays under each policy but "drop".
        if name not in policy.apply({name: None}):
            continue
        if isinstance(column, list):
            kept[name] = [policy.apply({name: cell}, refused).get(name) for cell in column]
        else:
            kept.update(policy.apply({name: column}, refused))
    return kept
