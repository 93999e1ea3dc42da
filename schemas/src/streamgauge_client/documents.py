"""The optional fields of each event: how what a caller gave becomes what the contract has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from streamgauge_client.events.base import check_plain
from streamgauge_client.events.feedback import FEEDBACK_KINDS
from streamgauge_client.fields import identifier, number, string_map, text, vector
from streamgauge_client.moments import seconds
from streamgauge_client.outputs import class_name, scores_by_name
from streamgauge_client.stats import Counters
from streamgauge_client.unfit import Unfit

#: (given, field's name, counters) → JSON value, or None to leave the field out.
Converter = Callable[[Any, str, Counters], Any]
Given = Iterable[tuple[str, Any]]


def fill(
    document: dict[str, Any], converters: Mapping[str, Converter], given: Given, counters: Counters
) -> None:
    """Put the fields that were given into the document. Raises ``Unfit``."""
    for name, value in given:
        if value is not None:
            converted = converters[name](value, name, counters)
            if converted is not None:
                document[name] = converted


def feedback_kind(given: object) -> str:
    """A kind with a meaning of its own, or ``custom:<name>``."""
    if isinstance(given, str) and (
        given in FEEDBACK_KINDS or (given.startswith("custom:") and 7 < len(given) <= 107)
    ):
        return given
    raise Unfit(
        f"feedback kind {str(given)[:100]!r} is unknown; "
        f"give one of {', '.join(FEEDBACK_KINDS)}, or custom:<name>"
    )


def one_of(*choices: str) -> Converter:
    """A word from a list."""
    allowed = frozenset(choices)

    def convert(given: Any, name: str, counters: Counters) -> str:
        if isinstance(given, str) and given in allowed:
            return given
        raise Unfit(f"{name} {str(given)[:100]!r} is unknown; give one of {', '.join(choices)}")

    return convert


def _identifier(given: Any, name: str, counters: Counters) -> str:
    return identifier(given, name)


def _seconds(given: Any, name: str, counters: Counters) -> float | str:
    return seconds(given, name=name)


def _not_negative(given: Any, name: str, counters: Counters) -> float | None:
    value = number(given, name, counters)
    if value is not None and value < 0:
        raise Unfit(f"{name} is negative")
    return value


def _latency(given: Any, name: str, counters: Counters) -> float | None:
    value = number(given, name, counters)
    if value is not None and value < 0:
        # A clock that was set back is no reason to lose the prediction.
        counters.adjusted("latency")
        return None
    return value


def _share(given: Any, name: str, counters: Counters) -> float | None:
    value = _not_negative(given, name, counters)
    if value is not None and value > 1:
        raise Unfit(f"{name} is above 1")
    return value


def _count(given: Any, name: str, counters: Counters) -> int:
    value = number(given, name, counters)
    if value is None or value < 0 or value != int(value):
        raise Unfit(f"{name} is not a whole number from 0")
    return int(value)


def _class(given: Any, name: str, counters: Counters) -> str:
    return class_name(given)


def _mapping(given: Any, name: str) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise Unfit(f"{name} is a {type(given).__name__}; give a dictionary")
    return given


def _plain(given: Any, name: str, counters: Counters) -> dict[str, Any]:
    try:
        return check_plain(dict(_mapping(given, name)))
    except ValueError as error:
        raise Unfit(f"{name} {error}") from error


def _boolean(given: Any, name: str, counters: Counters) -> bool:
    if not isinstance(given, bool):
        raise Unfit(f"{name} is a {type(given).__name__}; give True or False")
    return given


def _scores(given: Any, name: str, counters: Counters) -> dict[str, float]:
    return scores_by_name(_mapping(given, name), counters, name)


def _by_name(convert: Converter) -> Converter:
    def convert_all(given: Any, name: str, counters: Counters) -> dict[str, Any]:
        converted = {
            identifier(key, f"a key of {name}"): convert(value, f"{name}[{key!r}]", counters)
            for key, value in _mapping(given, name).items()
        }
        return {key: value for key, value in converted.items() if value is not None}

    return convert_all


def _vector(given: Any, name: str, counters: Counters) -> list[Any] | None:
    if hasattr(given, "tolist"):
        given = given.tolist()
    if not isinstance(given, (list, tuple)):
        raise Unfit(f"{name} is a {type(given).__name__}; give a list of numbers")
    return vector(given, name, counters)


_reset = one_of("detectors", "reference", "none")


def _resets(given: Any, name: str, counters: Counters) -> list[str]:
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, (list, tuple)):
        raise Unfit(f"{name} is a {type(given).__name__}; give a list of words")
    return [_reset(word, name, counters) for word in words]


PREDICTION: Mapping[str, Converter] = {
    "latency_ms": _latency,
    "segment": string_map,
    "variant": one_of("champion", "challenger", "shadow", "canary"),
    "step": _identifier,
    "parent_id": _identifier,
    "lineage": string_map,
    "tags": string_map,
    "error_type": text,
    "entity_id": _identifier,
    "interaction_id": _identifier,
    "embedding": _by_name(_vector),
    "tokens": _by_name(_count),
    "cost": number,
}
LABEL: Mapping[str, Converter] = {
    "source": one_of("human", "system", "delayed_batch"),
    "annotator": _identifier,
    "revision": _count,
    "weight": _not_negative,
    "confidence": _share,
    "scores": _scores,
    "horizon": _identifier,
    "value": number,
    "tags": string_map,
}
FEEDBACK: Mapping[str, Converter] = {
    "prediction_id": _identifier,
    "interaction_id": _identifier,
    "name": text,
    "score": number,
    "label": _class,
    "explanation": text,
    "from_mode": _identifier,
    "to_mode": _identifier,
    "dwell_ms": _not_negative,
    "edit_distance_ratio": _not_negative,
    "user_hash": _identifier,
}
MODEL: Mapping[str, Converter] = {
    "previous_version": _identifier,
    "feature_schema": string_map,
    "reference": _plain,
    "reset": _resets,
    "actor": _identifier,
    "reason": text,
    "evidence": _plain,
    "data": _plain,
    "effective_at": _seconds,
    "shadow": _boolean,
}
STATUS = one_of("ok", "error", "fallback")
ACTION = one_of(
    "registered",
    "promoted",
    "rolled_back",
    "retired",
    "reference_set",
    "retrain_requested",
    "snapshot",
)
