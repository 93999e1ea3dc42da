"""Whatever a caller gives, ``Publisher`` neither raises nor sends what breaks the contract."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge_client import PredictionEvent, PrivacyPolicy, Publisher
from streamgauge_client.testing import Captured, capture


class Colour(Enum):
    RED = "red"


class Explosive:
    """Raises at every touch."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("touched")

    def __str__(self) -> str:
        raise RuntimeError("printed")

    __repr__ = __str__

    def __len__(self) -> int:
        raise RuntimeError("counted")


class PandasRow:
    """Has items() and is no Mapping."""

    def items(self) -> Any:
        return {"a": np.float64(1.5)}.items()


def publish(**fields: Any) -> tuple[Captured, Publisher]:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        publisher.log(**fields)
    assert events.invalid == [], "nothing may be sent that the monitor would refuse"
    return events, publisher


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (True, True),
        (None, None),
        ("x", "x"),
        (2.5, 2.5),
        (2**53, 2**53),
        (2**60, float(2**60)),
        (2**70, float(2**70)),
        (float("nan"), None),
        (float("-inf"), None),
        (np.float64("nan"), None),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_("s"), "s"),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        (np.array(4.0), 4.0),
        (np.array([1.0, np.nan]), None),
        ([1, 2.5], [1, 2.5]),
        ((1, 2), [1, 2]),
        (Decimal("1.5"), 1.5),
        (Colour.RED, "red"),
        (date(2026, 11, 21), "2026-11-21"),
        (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        ("x" * 2000, "x" * 1024),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_features_value_becomes_what_the_contract_has(value: Any, expected: Any) -> None:
    # Given it for the first time and again, since known names take a shorter way
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        for _ in range(2):
            publisher.log(features={"good": 1.0, "f": value}, output=1.0)
    assert events.invalid == []
    for event in events.of(PredictionEvent):
        assert event.features == {"good": 1.0, "f": expected}
    assert publisher.stats().sent == 2


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({1: 2.0, "b": 1}, {"1": 2.0, "b": 1}),
        (PandasRow(), {"a": 1.5}),
        ({}, {}),
        (None, {}),
    ],
    ids=["integer names", "pandas row", "empty", "none"],
)
def test_features_come_in_several_shapes(features: Any, expected: Any) -> None:
    events, _ = publish(features=features, output=1.0)
    assert events.of(PredictionEvent)[0].features == expected


@pytest.mark.parametrize(
    ("fields", "reason", "told"),
    [
        ({"features": {"f": object()}}, "unencodable", "feature 'f' is a object"),
        ({"features": {"f": b"x"}}, "unencodable", "feature 'f' is a bytes"),
        ({"features": {"f": {"nested": 1}}}, "unencodable", "feature 'f' is a dict"),
        ({"features": {"f": Explosive()}}, "error", "touched"),
        ({"features": Explosive()}, "error", "touched"),
        ({"features": {"f": "\ud800"}}, "unencodable", "UTF-8"),
        ({"features": {"f": 10**400}}, "invalid", "too large"),
        ({"features": {"f": [[1.0]]}}, "invalid", "a list"),
        ({"features": {"f": [0.0] * 5000}}, "invalid", "4096"),
        ({"features": {"": 1}}, "invalid", "0 characters"),
        ({"features": {"n" * 129: 1}}, "invalid", "129 characters"),
        ({"features": {None: 1}}, "invalid", "NoneType"),
        ({"features": {f"f{n}": n for n in range(1001)}}, "invalid", "1001 features"),
        ({"features": 42}, "invalid", "dict(zip(names, row))"),
        ({"features": np.zeros(3)}, "invalid", "dict(zip(names, row))"),
        ({"features": {f"f{n}": "x" * 1000 for n in range(900)}}, "too_large", "262144"),
        ({"output": object()}, "invalid", "output is a object"),
        ({"output": {"a": "high"}}, "invalid", "the score of class 'a'"),
        ({"output": {"label": ""}}, "invalid", "0 characters"),
        ({"output": {"label": "a", "scores": 3}}, "invalid", "dictionary"),
        ({"output": [0.0] * 5000}, "invalid", "4096"),
        ({"output": ["a", "b"]}, "invalid", "number"),
        ({"prediction_id": "x" * 129}, "invalid", "129 characters"),
        ({"prediction_id": ""}, "invalid", "0 characters"),
        ({"prediction_id": object()}, "invalid", "prediction_id is a object"),
        ({"timestamp": 1_790_000_000_000}, "invalid", "milliseconds"),
        ({"timestamp": float("nan")}, "invalid", "timestamp"),
        ({"timestamp": -1.0}, "invalid", "before 1970"),
        ({"timestamp": "yesterday"}, "invalid", "RFC 3339"),
        ({"timestamp": datetime(2026, 1, 1)}, "invalid", "timezone"),
        ({"timestamp": True}, "invalid", "bool"),
        ({"latency_ms": "fast"}, "invalid", "latency_ms is a str"),
        ({"status": "fine"}, "invalid", "ok, error, fallback"),
        ({"status": []}, "invalid", "ok, error, fallback"),
        ({"variant": "blue"}, "invalid", "canary"),
        ({"segment": "SE"}, "invalid", "segment is a str"),
        ({"segment": {"a": object()}}, "invalid", "give text"),
        ({"tags": {"a" * 200: "x"}}, "invalid", "200 characters"),
        ({"embedding": {"e": 3}}, "invalid", "list of numbers"),
        ({"tokens": {"input": -1}}, "invalid", "whole number"),
        ({"version": ""}, "invalid", "version"),
    ],
    ids=lambda value: repr(value)[:50] if isinstance(value, str) else "",
)
def test_what_cannot_be_sent_is_dropped_with_its_reason(
    fields: dict[str, Any], reason: str, told: str
) -> None:
    events, publisher = publish(**fields)
    assert events == []
    stats = publisher.stats()
    assert stats.dropped == {reason: 1}
    assert stats.last_error is not None and told in stats.last_error
    # And the publisher goes on.
    with capture() as events:
        publisher.log(output=1.0)
    assert len(events) == 1


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"prediction_id": 42}, "prediction_id", "42"),
        ({"prediction_id": uuid.UUID(int=1)}, "prediction_id", str(uuid.UUID(int=1))),
        ({"timestamp": np.float64(1.5e9)}, "timestamp", 1.5e9),
        ({"timestamp": datetime(2026, 1, 1, tzinfo=UTC)}, "timestamp", 1767225600.0),
        ({"timestamp": "2026-01-01T00:00:00Z"}, "timestamp", "2026-01-01T00:00:00Z"),
        ({"latency_ms": np.float32(4.5)}, "latency_ms", 4.5),
        ({"latency_ms": -3.0}, "latency_ms", None),
        ({"latency_ms": float("inf")}, "latency_ms", None),
        ({"segment": {"eu": True, "tier": 3, "x": None}}, "segment", {"eu": "true", "tier": "3"}),
        ({"embedding": {"e": np.array([1.0])}}, "embedding", {"e": [1.0]}),
        ({"tokens": {"input": 3}}, "tokens", {"input": 3}),
    ],
    ids=repr,
)
def test_kinds_that_are_near_enough_are_taken(
    fields: dict[str, Any], name: str, expected: Any
) -> None:
    events, _ = publish(output=1.0, **fields)
    assert getattr(events.of(PredictionEvent)[0], name) == expected


@pytest.mark.parametrize(
    ("model", "version", "service"),
    [("m" * 129, "1", None), ("", "1", None), (None, "1", None), ("ж" * 100, "1", None)]
    + [("m", None, None), ("m", "1", object()), (object(), "1", None)],
    ids=["long", "empty", "none", "many bytes", "no version", "bad service", "an object"],
)
def test_a_publisher_with_a_bad_name_drops_all(model: Any, version: Any, service: Any) -> None:
    publisher = Publisher(model=model, version=version, service=service)
    with capture() as events:
        publisher.log(output=1.0)
        publisher.label("p", True)
        publisher.feedback("p", "redo")
        publisher.model_event("promoted")
    assert events == [] and events.invalid == []
    assert publisher.stats().dropped == {"invalid": 4}


def test_nonfinite_and_truncated_values_are_counted() -> None:
    _, publisher = publish(features={"a": float("nan"), "b": "x" * 2000}, output=float("inf"))
    assert publisher.stats().adjusted == {"nonfinite": 2, "truncated": 1}


def test_names_that_were_good_do_not_pile_up_without_end() -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        for start in range(0, 30_000, 1000):
            publisher.log(features={f"n{start + n}": 1.0 for n in range(1000)}, output=1.0)
    assert len(events) == 30
    assert len(publisher._features._known) <= 10_000


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.decimals()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: ANYTHING
            for name in [
                "features",
                "output",
                "prediction_id",
                "timestamp",
                "latency_ms",
                "status",
                "segment",
                "variant",
                "step",
                "parent_id",
                "lineage",
                "tags",
                "error_type",
                "entity_id",
                "interaction_id",
                "embedding",
                "tokens",
                "cost",
            ]
        },
    )
)
def test_every_event_is_either_sent_and_valid_or_dropped_and_counted(
    fields: dict[str, Any],
) -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        assert isinstance(publisher.log(**fields), str)
    assert events.invalid == []
    stats = publisher.stats()
    assert stats.sent == len(events)
    assert stats.sent + sum(stats.dropped.values()) == 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_labels_feedback_and_model_events_too(a: Any, b: Any, c: Any, d: Any) -> None:
    publisher = Publisher(model="m", version="1")
    with capture() as events:
        publisher.label(a, b, observed_at=c, revision=d)
        publisher.label("p", b, source=a, scores=c, tags=d, weight=c, confidence=d, value=a)
        publisher.feedback(a, b, score=c, label=d)
        publisher.feedback("p", "redo", name=a, dwell_ms=b, timestamp=c, user_hash=d)
        publisher.model_event(a, version=b)
        publisher.model_event("promoted", reset=a, effective_at=b, shadow=c, reason=d)
        publisher.model_event("promoted", reference=a, evidence=b, data=c, feature_schema=d)
    assert events.invalid == []
    stats = publisher.stats()
    assert stats.sent == len(events)
    assert stats.sent + sum(stats.dropped.values()) == 7


POLICIES = {
    "a": "hash",
    "b": "drop",
    "c": {"bucket": 10},
    "entity_id": "hash",
    "*": {"bucket": [0]},
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from("abcd"), ANYTHING) | ANYTHING, ANYTHING, ANYTHING)
def test_with_sampling_and_privacy_too(features: Any, segment: Any, entity: Any) -> None:
    policy = PrivacyPolicy.of(POLICIES, key=b"key")
    publisher = Publisher(model="m", version="1", sample_rate=0.5, privacy=policy)
    with capture() as events:
        publisher.log(features, 1.0, segment=segment, entity_id=entity)
    assert events.invalid == []
    stats = publisher.stats()
    assert stats.sent == len(events)
    assert stats.sent + stats.sampled_out + sum(stats.dropped.values()) == 1


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(ANYTHING), st.dictionaries(st.text(), ANYTHING), ANYTHING, ANYTHING)
def test_a_watched_function_returns_what_it_returns(
    args: list[Any], kwargs: dict[str, Any], result: Any, extracted: Any
) -> None:
    publisher = Publisher(model="m", version="1")

    def function(*args: Any, **kwargs: Any) -> Any:
        return result

    with capture() as events:
        assert publisher.watch()(function)(*args, **kwargs) is result
        take = publisher.watch(features=lambda *a, **k: extracted, output=lambda r: extracted)
        assert take(function)(*args, **kwargs) is result
        assert publisher.watch(segment=lambda *a, **k: extracted)(function)() is result
    assert events.invalid == []
    stats = publisher.stats()
    assert stats.sent + sum(stats.dropped.values()) == 3
