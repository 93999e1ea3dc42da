"""What model servers log becomes predictions: v1, Open Inference v2, and values of any shape."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamgauge.ingest import direct
from streamgauge.ingest.checked import Checked, check
from streamgauge.ingest.inference import Identity, predictions_of, rows_of
from streamgauge.ingest.posted import Posted, Refusal
from streamgauge.ingest.row import Unmapped
from streamgauge.ingest.tensors import features_of, flat

NOW = 1_700_000_000.0


def tensor(name: str, shape: list[int], data: Any, datatype: str = "FP32") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def call(request: dict[str, Any] | None, response: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Features and output of each prediction, all of them as the monitor takes them."""
    posted = predictions_of(
        rows_of(request, response), Identity("c", "m", "1"), index=0, attributes={}
    )
    for each in posted:
        checked = check(each, prefix="a", now=NOW)
        assert isinstance(checked, Checked), checked
    events = [orjson.loads(each.payload) for each in posted]
    several = len(events) > 1
    assert [event["prediction_id"] for event in events] == (
        [f"c-{n}" for n in range(len(events))] if several else ["c"]
    )
    return [(event["features"], event["output"]) for event in events]


class TestV2:
    def test_the_first_dimension_is_the_row(self) -> None:
        request = {"inputs": [tensor("x", [2, 2], [1, 2, 3, 4]), tensor("age", [2], [40, 50])]}
        response = {"outputs": [tensor("y", [2], [0.1, 0.2]), tensor("more", [1], [9])]}
        assert call(request, response) == [
            ({"x[0]": 1, "x[1]": 2, "age": 40}, 0.1),
            ({"x[0]": 3, "x[1]": 4, "age": 50}, 0.2),
        ]

    def test_data_may_be_nested(self) -> None:
        request = {"inputs": [tensor("x", [2, 2], [[1, 2], [3, 4]])]}
        response = {"outputs": [tensor("y", [2, 1], [[0.1], [0.2]])]}
        assert [features["x[1]"] for features, _ in call(request, response)] == [2, 4]

    def test_a_call_whose_tensors_disagree_is_one_row(self) -> None:
        request = {"inputs": [tensor("x", [3], [1, 2, 3])]}
        response = {"outputs": [tensor("y", [1], [0.5])]}
        assert call(request, response) == [({"x[0]": 1, "x[1]": 2, "x[2]": 3}, 0.5)]

    def test_outputs_of_any_kind(self) -> None:
        request = {"inputs": [tensor("x", [1], [1])]}
        for output, expected in (
            (tensor("y", [1, 3], [0.2, 0.3, 0.5]), [0.2, 0.3, 0.5]),
            (tensor("y", [1], ["cat"], "BYTES"), "cat"),
            (tensor("y", [1], [True], "BOOL"), "true"),
            (tensor("y", [1], [None]), None),
        ):
            assert call(request, {"outputs": [output]}) == [({"x": 1}, expected)]

    def test_a_response_alone(self) -> None:
        assert call(None, {"outputs": [tensor("y", [2], [1, 2])]}) == [({}, 1), ({}, 2)]

    def test_a_failed_call_is_an_error(self) -> None:
        (row,) = rows_of({"inputs": [tensor("x", [1], [7])]}, {"error": "out of memory"})
        assert (row.status, row.output, row.features) == ("error", None, {"x": [7]})
        (several,) = rows_of({"inputs": [tensor("x", [2], [7, 8])]}, {"error": "x"})
        assert several.features == {}
        assert rows_of(None, {"error": ""})[0].features == {}


class TestV1:
    def test_instances_with_names(self) -> None:
        request = {"instances": [{"age": 41, "at": {"lat": 1.5}}, {"age": 42, "tags": ["a", "b"]}]}
        assert call(request, {"predictions": ["yes", {"label": "no", "score": 0.7}]}) == [
            ({"age": 41, "at.lat": 1.5}, "yes"),
            ({"age": 42, "tags[0]": "a", "tags[1]": "b"}, {"label": "no", "score": 0.7}),
        ]

    def test_instances_without_names(self) -> None:
        request = {"instances": [[1.5, 2.5], [[3.5], [4.5]], 7]}
        assert call(request, {"predictions": [1, [0.4, 0.6], {"a": 0.4, "b": 0.6}]}) == [
            ({"input[0]": 1.5, "input[1]": 2.5}, 1),
            ({"input[0]": 3.5, "input[1]": 4.5}, [0.4, 0.6]),
            ({"input": 7}, {"label": "b", "score": 0.6, "scores": {"a": 0.4, "b": 0.6}}),
        ]


@pytest.mark.parametrize(
    ("request_", "response", "told"),
    [
        (None, {}, "response: has neither"),
        (None, {"outputs": []}, "outputs: expected a list"),
        (None, {"outputs": {}}, "outputs: expected a list"),
        (None, {"outputs": [1]}, r"outputs\[0\]: expected an object"),
        (None, {"outputs": [{"shape": [1], "data": [1]}]}, r"outputs\[0\].name: expected text"),
        (None, {"outputs": [{"name": "y", "shape": [1]}]}, "binary data are not read"),
        (None, {"outputs": [tensor("y", [2, 2], [1, 2, 3])]}, "3 values do not fill the shape"),
        (None, {"outputs": [tensor("y", [-1], [1])]}, "whole numbers"),
        (None, {"outputs": [tensor("y", [True], [1])]}, "whole numbers"),
        (None, {"outputs": [tensor("y", [2**40, 2**40], [1])]}, "do not fill"),
        (None, {"outputs": [tensor("y", [0], [])]}, "empty"),
        (None, {"outputs": [tensor("y", [1, 2], ["a", "b"])]}, "outputs.y"),
        ({"inputs": 1}, {"outputs": [tensor("y", [1], [1])]}, "inputs: expected"),
        (None, {"predictions": [1] * 10_001}, "10,001 rows; at most 10,000"),
        (None, {"outputs": [tensor("y", [10_001], [1] * 10_001)]}, "10,001 rows"),
        (None, {"predictions": 1}, "predictions: expected a list"),
        (None, {"predictions": []}, "predictions: expected a list"),
        ({"instances": [1, 2]}, {"predictions": [1]}, "1 of them answer 2 instances"),
        ({"instances": [1]}, {"predictions": [{"a": "x"}]}, r"predictions\[0\]"),
    ],
)
def test_what_is_no_call_names_the_field(
    request_: dict[str, Any] | None, response: dict[str, Any], told: str
) -> None:
    with pytest.raises(Unmapped, match=told):
        rows_of(request_, response)


class TestFeatures:
    def test_a_tensor_too_large_for_an_event_is_summed_up(self) -> None:
        features = features_of({"image": [[1.0] * 40] * 25 + [[3.0] * 40] * 25, "age": 4})
        assert features == {
            "image.mean": 2.0,
            "image.std": 1.0,
            "image.min": 1.0,
            "image.max": 3.0,
            "age": 4,
        }

    def test_several_that_are_too_many_together(self) -> None:
        features = features_of({"a": list(range(600)), "b": list(range(600)), "c": [1, 2]})
        assert len(features) == 10
        assert features["c[1]"] == 2

    def test_long_texts_are_measured_and_not_kept(self) -> None:
        assert features_of({"prompt": "x" * 1025}) == {"prompt.length": 1025}
        assert features_of({"words": ["x"] * 2000}) == {"words.length": 2000}

    @given(
        st.dictionaries(
            st.text(min_size=1, max_size=3),
            st.recursive(
                st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
                lambda inner: (
                    st.lists(inner, max_size=4)
                    | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=3)
                ),
                max_leaves=20,
            ),
            max_size=4,
        )
    )
    def test_any_values_become_scalars(self, values: dict[str, Any]) -> None:
        features = features_of(values)
        assert all(isinstance(each, int | float | str | None) for each in features.values())
        assert len(features) <= 1000

    def test_depth_is_the_senders_and_costs_no_stack(self) -> None:
        deep: Any = 1
        for _ in range(100_000):
            deep = [deep]
        assert flat(deep) == [1]
        named: Any = 1
        for _ in range(300):
            named = {"a": named}
        assert len(features_of({"x": named})) == 1
        # Freed step by step, since freeing it at once would recurse.
        while isinstance(deep, list):
            deep = deep.pop()


class TestDirect:
    REQUEST = {"id": "r-1", "inputs": [tensor("x", [1], [1])]}
    RESPONSE = {"model_version": "7", "outputs": [tensor("y", [1], [0.5])]}

    def posted(self, **changes: Any) -> list[Posted] | Refusal:
        body = {"request": self.REQUEST, "response": self.RESPONSE, **changes}
        return direct.predictions("iris", orjson.dumps(body))

    def event(self, **changes: Any) -> dict[str, Any]:
        posted = self.posted(**changes)
        assert isinstance(posted, list), posted
        checked = check(posted[0], prefix="a", now=NOW)
        assert isinstance(checked, Checked), checked
        document: dict[str, Any] = orjson.loads(posted[0].payload)
        return document

    def test_what_the_servers_say_is_taken(self) -> None:
        event = self.event()
        assert (event["model"], event["version"], event["prediction_id"]) == ("iris", "7", "r-1")
        assert event["features"] == {"x": 1}

    def test_what_the_caller_says_wins(self) -> None:
        event = self.event(
            model_version="8", id="mine", latency_ms=4.5, timestamp=NOW, segment={"country": "SE"}
        )
        assert (event["version"], event["prediction_id"]) == ("8", "mine")
        assert (event["latency_ms"], event["timestamp"]) == (4.5, NOW)
        assert event["segment"] == {"country": "SE"}

    def test_without_a_version_or_an_id(self) -> None:
        response = {"outputs": self.RESPONSE["outputs"]}
        first, second = (self.event(request=None, response=response) for _ in range(2))
        assert first["version"] == "unversioned"
        assert first["prediction_id"] != second["prediction_id"]

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"response": None}, "response: expected an object"),
            ({"request": []}, "request: expected an object"),
            ({"response": {}}, "response: has neither"),
        ],
    )
    def test_what_is_wrong_is_named(self, changes: dict[str, Any], told: str) -> None:
        refused = self.posted(**changes)
        assert isinstance(refused, Refusal)
        assert refused.detail.startswith(told)

    def test_what_is_no_json(self) -> None:
        for body in (b"", b"\x00\x01binary", b'{"response": NaN}', b"[" * 5000):
            refused = direct.predictions("iris", body)
            assert isinstance(refused, Refusal)
            assert refused.reason == "decode"
