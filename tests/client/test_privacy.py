"""Privacy policies: what must not leave the process does not, in no field and no message."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamgauge_client import PredictionEvent, PrivacyPolicy, Publisher
from streamgauge_client.recording import recorders
from streamgauge_client.redaction import bucketed_by_width
from streamgauge_client.testing import Captured, capture

KEY = b"a key of these tests"
CANARY = "anna.canary@example.org"


def policy(**fields: Any) -> PrivacyPolicy:
    return PrivacyPolicy.of(fields, key=KEY)


def hash_of(text: str) -> str:
    return "h:" + hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()[:16]


class TestRules:
    def test_keep_drop_and_what_is_not_named(self) -> None:
        found = policy(a="keep", b="drop").apply({"a": 1, "b": 2, "c": 3})
        assert found == {"a": 1, "c": 3}

    def test_a_star_is_all_others(self) -> None:
        allow = PrivacyPolicy.of({"amount": "keep", "mail": "hash", "*": "drop"}, key=KEY)
        assert allow.apply({"amount": 1.5, "mail": "x", "new": "secret"}) == {
            "amount": 1.5,
            "mail": hash_of("x"),
        }

    @pytest.mark.parametrize(
        ("value", "text"),
        [("SE", "SE"), ("", ""), (3, "3"), (3.0, "3"), (2.5, "2.5"), (True, "true")],
    )
    def test_hash(self, value: Any, text: str) -> None:
        assert policy(x="hash").apply({"x": value}) == {"x": hash_of(text)}

    @pytest.mark.parametrize(
        ("value", "bucket"),
        [(47, 40), (40, 40), (39.99, 30), (-1, -10), (0, 0), (2**53, 2**53 // 10 * 10)],
    )
    def test_buckets_of_a_width(self, value: float, bucket: float) -> None:
        assert policy(x={"bucket": 10}).apply({"x": value}) == {"x": bucket}

    def test_an_edge_is_in_its_own_bucket_whatever_doubles_make_of_it(self) -> None:
        assert bucketed_by_width(0.1)(0.3) == pytest.approx(0.3)
        assert bucketed_by_width(0.1)(0.29) == pytest.approx(0.2)

    @pytest.mark.parametrize(
        ("value", "label"),
        [
            (-5, "< 0"),
            (0, "0 – 18"),
            (17.9, "0 – 18"),
            (18, "18 – 65"),
            (65, "≥ 65"),
            (1e9, "≥ 65"),
        ],
    )
    def test_buckets_of_edges(self, value: float, label: str) -> None:
        # 18 and 18.0 are one edge: files of both kinds are written.
        for edges in ([0, 18, 65], (0.0, 18.0, 65.0)):
            assert policy(x={"bucket": edges}).apply({"x": value}) == {"x": label}

    @pytest.mark.parametrize("rule", ["hash", {"bucket": 10}, {"bucket": [0]}])
    def test_what_is_missing_stays_missing(self, rule: Any) -> None:
        assert policy(x=rule).apply({"x": None}) == {"x": None}

    @pytest.mark.parametrize(
        ("rule", "value"),
        [
            ("hash", [1.0, 2.0]),
            ({"bucket": 10}, "47"),
            ({"bucket": 10}, True),
            ({"bucket": 10}, [1.0]),
            ({"bucket": 1e-308}, 1e308),
            ({"bucket": 10}, math.inf),
            ({"bucket": [0, 18]}, "18 - 65"),
            ({"bucket": [0, 18]}, math.nan),
        ],
        ids=str,
    )
    def test_what_a_rule_does_not_go_with_is_left_out_and_told(self, rule: Any, value: Any) -> None:
        refused: list[str] = []
        assert policy(x=rule).apply({"x": value, "y": 1}, refused.append) == {"y": 1}
        assert refused == ["x"]

    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(
        st.sampled_from(
            ["hash", "drop", "keep", {"bucket": 10}, {"bucket": 0.1}, {"bucket": 0.37}]
            + [{"bucket": [0, 18, 65]}, {"bucket": [-1.5, 1e6]}]
        ),
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20),
    )
    def test_applied_twice_is_applied_once(self, rule: Any, value: Any) -> None:
        once = policy(x=rule).apply({"x": value})
        assert policy(x=rule).apply(once) == once

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"x": "hsh"}, "did you mean 'hash'"),
            ({"x": None}, "give"),
            ({"x": {"bucket": 0}}, "width above 0"),
            ({"x": {"bucket": -1}}, "width above 0"),
            ({"x": {"bucket": True}}, "width above 0"),
            ({"x": {"bucket": math.nan}}, "width above 0"),
            ({"x": {"bucket": []}}, "edges that rise"),
            ({"x": {"bucket": [3, 1]}}, "edges that rise"),
            ({"x": {"bucket": [1, "2"]}}, "edges that rise"),
            ({"x": {"buckets": 3}}, "give"),
            ({3: "drop"}, "name is text"),
            ("hash", "give a dictionary"),
        ],
        ids=str,
    )
    def test_a_policy_that_is_none_says_what_to_write(self, fields: Any, told: str) -> None:
        with pytest.raises(ValueError, match=told):
            PrivacyPolicy.of(fields, key=KEY)


class TestKey:
    def test_without_one_nothing_can_be_hashed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("STREAMGAUGE_PRIVACY__KEY", "STREAMGAUGE_PRIVACY__KEY_FILE"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(ValueError, match=r"STREAMGAUGE_PRIVACY__KEY.*openssl"):
            Publisher(model="m", version="1", privacy={"mail": "hash"})
        # And what needs none works without.
        Publisher(model="m", version="1", privacy={"mail": "drop"})

    def test_from_the_environment_or_a_file(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = tmp_path / "key"
        path.write_bytes(KEY + b"\n")
        for name, value in (("KEY", KEY.decode()), ("KEY_FILE", str(path))):
            with monkeypatch.context() as environment:
                environment.setenv(f"STREAMGAUGE_PRIVACY__{name}", value)
                events, _ = publish({"mail": "hash"}, features={"mail": CANARY})
            assert prediction(events).features == {"mail": hash_of(CANARY)}

    def test_a_file_that_is_not_there_is_told(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("STREAMGAUGE_PRIVACY__KEY_FILE", str(tmp_path / "none"))
        with pytest.raises(ValueError, match="KEY_FILE names"):
            Publisher(model="m", version="1", privacy={"mail": "hash"})


def publish(privacy: Any, **fields: Any) -> tuple[Captured, Publisher]:
    publisher = Publisher(model="m", version="1", privacy=privacy)
    with capture() as events:
        publisher.log(output=1.0, **fields)
    assert events.invalid == []
    return events, publisher


def prediction(events: Captured) -> PredictionEvent:
    (event,) = events.of(PredictionEvent)
    return event


class TestPublisher:
    def test_features_as_any_library_gives_them(self) -> None:
        events, publisher = publish(
            policy(age={"bucket": 10}, mail="hash", day="hash", n={"bucket": 2}, v="hash"),
            features={
                "age": np.int64(47),
                "mail": np.str_(CANARY),
                "day": date(2026, 11, 21),
                "n": np.float32(3.5),
                "v": np.array([1.0, 2.0]),
            },
        )
        assert prediction(events).features == {
            "age": 40,
            "mail": hash_of(CANARY),
            "day": hash_of("2026-11-21"),
            "n": 2,
        }
        assert publisher.stats().adjusted == {"privacy": 1}

    def test_what_is_dropped_may_be_what_no_event_could_hold(self) -> None:
        events, publisher = publish(
            policy(image="drop"), features={"image": object(), "amount": 1.0}
        )
        assert prediction(events).features == {"amount": 1.0}
        assert publisher.stats().adjusted == {}, "as its owner wanted it"

    def test_a_name_means_the_same_wherever_it_stands(self) -> None:
        events, publisher = publish(
            policy(country="hash", mail="drop", entity_id="hash", age={"bucket": 10}),
            features={"country": "SE"},
            segment={"country": "SE", "plan": "free"},
            tags={"mail": CANARY, "age": "47"},
            entity_id=CANARY,
        )
        event = prediction(events)
        assert event.segment == {"country": hash_of("SE"), "plan": "free"}
        assert event.tags == {} and event.entity_id == hash_of(CANARY)
        assert publisher.stats().adjusted == {"privacy": 1}

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [("keep", CANARY), ("drop", None), ({"bucket": 10}, None), ("hash", hash_of(CANARY))],
        ids=str,
    )
    def test_the_entity(self, rule: Any, expected: Any) -> None:
        events, _ = publish(policy(entity_id=rule), entity_id=CANARY)
        assert prediction(events).entity_id == expected

    def test_a_star_is_about_features_alone(self) -> None:
        star = PrivacyPolicy.of({"*": "drop"}, key=None)
        events, _ = publish(star, features={"x": 1}, segment={"a": "b"}, entity_id="e")
        event = prediction(events)
        assert (event.features, event.segment, event.entity_id) == ({}, {"a": "b"}, "e")

    def test_watched_functions_too(self) -> None:
        publisher = Publisher(model="m", version="1", privacy=policy(mail="hash"))
        with capture() as events:
            publisher.watch()(lambda features: 1.0)({"mail": CANARY})
        assert prediction(events).features == {"mail": hash_of(CANARY)}

    @pytest.mark.parametrize(
        "features",
        [
            {"secret": CANARY},
            {"secret": [CANARY]},
            {"secret": {"deep": CANARY}},
            {"secret": CANARY, "broken": object()},
            {"secret": CANARY * 100},
            [CANARY],
            CANARY,
        ],
        ids=lambda features: type(features).__name__,
    )
    @pytest.mark.parametrize("rule", ["drop", "hash", {"bucket": 10}], ids=str)
    def test_the_raw_value_is_in_no_record_log_or_error(
        self, features: Any, rule: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        records: list[Any] = []

        class Recorder:
            def record(self, *record: Any) -> None:
                records.append(record)

        publisher = Publisher(model="m", version="1", privacy=policy(secret=rule))
        recorder = Recorder()
        recorders.append(recorder)
        with caplog.at_level(logging.DEBUG):
            publisher.log(features=features, output=1.0)
        recorders.remove(recorder)
        told = str(records) + caplog.text + str(publisher.stats())
        assert "canary" not in told
