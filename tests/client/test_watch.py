"""``Publisher.watch``: a function's calls become predictions, and its caller notices nothing."""

from __future__ import annotations

import asyncio
import functools
import operator
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from streamgauge_client import PredictionEvent, Publisher
from streamgauge_client.testing import Captured, capture

TINY_QUEUE = {"queue.buffering.max.messages": 3}


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(model="m", version="1")


def only(events: Captured) -> PredictionEvent:
    (event,) = events
    assert isinstance(event, PredictionEvent) and events.invalid == []
    return event


class Payment(BaseModel):
    amount: float
    country: str = "SE"


@dataclass
class Order:
    amount: float
    country: str = "SE"


class Row(NamedTuple):
    amount: float
    country: str = "SE"


class Attrs:
    """As attrs makes them."""

    __attrs_attrs__ = (type("A", (), {"name": "amount"}), type("A", (), {"name": "country"}))
    amount, country = 12.5, "SE"


class HTTPConnection(dict[str, Any]):
    """A request of Starlette's is a mapping, of everything about the connection."""


class TestBare:
    @pytest.mark.parametrize(
        "given",
        [
            {"amount": 12.5, "country": "SE"},
            Payment(amount=12.5),
            Order(12.5),
            Row(12.5),
            Attrs(),
        ],
        ids=lambda given: type(given).__name__,
    )
    def test_features_are_the_first_argument_with_names(
        self, publisher: Publisher, given: Any
    ) -> None:
        @publisher.watch()
        def predict(request: Any, number: int, record: Any, other: Any = None) -> float:
            return 0.5

        with capture() as events:
            assert predict(HTTPConnection(path="/"), 3, record=given) == 0.5
        event = only(events)
        assert event.features == {"amount": 12.5, "country": "SE"} and event.output == 0.5

    def test_without_such_an_argument_there_are_none(self, publisher: Publisher) -> None:
        predict = publisher.watch(lambda number: number * 2)
        with capture() as events:
            assert predict(3) == 6
        assert only(events).features == {}

    def test_what_the_call_changes_is_not_published(self, publisher: Publisher) -> None:
        @publisher.watch
        def predict(features: dict[str, Any]) -> float:
            features["amount"] = -1.0
            return 0.5

        with capture() as events:
            predict({"amount": 1.0})
        assert only(events).features == {"amount": 1.0}

    def test_the_object_of_a_method_is_no_argument(self, publisher: Publisher) -> None:
        @dataclass
        class Model:
            secret: str = "weights"

            @publisher.watch()
            def predict(self, features: dict[str, Any]) -> float:
                return 0.5

        with capture() as events:
            assert Model().predict({"amount": 1.0}) == 0.5
        assert only(events).features == {"amount": 1.0}


class TestExtractors:
    def test_by_name_from_the_left_and_as_they_come(self, publisher: Publisher) -> None:
        def predict(payment: Payment, country: str = "SE", *, retries: int = 0) -> dict[str, float]:
            return {"risk": 0.9}

        for extractor, expected in (
            (lambda payment: {"a": payment.amount}, {"a": 1.0}),
            (lambda p: {"a": p.amount}, {"a": 1.0}),
            (lambda p, c: {"a": p.amount, "c": c}, {"a": 1.0, "c": "SE"}),
            (lambda country, payment, rate=2: {"a": payment.amount * rate}, {"a": 2.0}),
            (lambda *, retries: {"r": retries}, {"r": 0}),
            (lambda: {"constant": 1}, {"constant": 1}),
            (operator.attrgetter("__dict__"), {"amount": 1.0, "country": "SE"}),
            (Payment.model_dump, {"amount": 1.0, "country": "SE"}),
        ):
            watched = publisher.watch(features=extractor, output=lambda r: r["risk"])(predict)
            # Frameworks call by keyword, people by position.
            by_position: tuple[Any, Any] = ((Payment(amount=1.0),), {})
            by_keyword: tuple[Any, Any] = ((), {"payment": Payment(amount=1.0)})
            for args, kwargs in (by_position, by_keyword):
                with capture() as events:
                    assert watched(*args, **kwargs) == {"risk": 0.9}
                event = only(events)
                assert event.features == expected and event.output == 0.9

    def test_open_extractors_get_the_call_as_it_was(self, publisher: Publisher) -> None:
        @publisher.watch(features=lambda *args, **kwargs: {"n": len(args), **kwargs})
        def predict(*args: Any, **kwargs: Any) -> float:
            return 1.0

        with capture() as events:
            predict(1, 2, x=3)
        assert only(events).features == {"n": 2, "x": 3}

    def test_fields_are_values_or_functions_of_the_call(self, publisher: Publisher) -> None:
        @publisher.watch(
            prediction_id=lambda payment: f"p-{payment['id']}",
            segment=lambda payment: {"country": payment["country"]},
            step="rank",
        )
        def predict(payment: dict[str, Any]) -> float:
            return 1.0

        with capture() as events:
            predict({"id": 7, "country": "SE"})
        event = only(events)
        assert (event.prediction_id, event.step) == ("p-7", "rank")
        assert event.segment == {"country": "SE"}

    @pytest.mark.parametrize("where", ["features", "output", "segment"])
    def test_one_that_raises_costs_the_event_and_nothing_else(
        self, publisher: Publisher, where: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        def breaks(_: Any) -> Any:
            raise ValueError("anna@example.org")

        watched = publisher.watch(**{where: breaks})(lambda features: "result")
        with capture() as events:
            assert watched({"a": 1}) == "result"
        stats = publisher.stats()
        assert not events and stats.dropped == {"error": 1}
        # It says where, and never what: that may be somebody's data.
        assert stats.last_error is not None and "ValueError at " in stats.last_error
        assert where in stats.last_error and "anna" not in stats.last_error + caplog.text


class TestUntouched:
    def test_result_and_names(self, publisher: Publisher) -> None:
        result = object()

        @publisher.watch(output=lambda _: 1.0)
        def predict(x: int) -> object:
            """Says something."""
            return result

        with capture() as events:
            assert predict(1) is result
        assert (predict.__name__, predict.__doc__) == ("predict", "Says something.")
        assert only(events).latency_ms is not None

    def test_exceptions_go_on_and_are_published(self, publisher: Publisher) -> None:
        error = KeyError("anna@example.org")

        @publisher.watch()
        def predict(features: dict[str, Any]) -> None:
            raise error

        with capture() as events, pytest.raises(KeyError) as caught:
            predict({"a": 1})
        assert caught.value is error
        event = only(events)
        assert (event.status, event.error_type, event.output) == ("error", "KeyError", None)
        assert event.features == {"a": 1}

    def test_a_call_with_wrong_arguments_says_what_it_always_said(
        self, publisher: Publisher
    ) -> None:
        @publisher.watch()
        def predict(features: dict[str, Any]) -> None: ...

        with capture() as events, pytest.raises(TypeError, match="missing 1 required"):
            predict()  # type: ignore[call-arg]
        assert not events and publisher.stats().dropped == {"error": 1}

    def test_a_full_queue_does_not_take_the_results_place(self) -> None:
        publisher = Publisher(
            "127.0.0.1:1", model="m", version="1", on_full="raise", kafka=TINY_QUEUE
        )
        predict = publisher.watch(lambda: 1.0)
        assert [predict() for _ in range(5)] == [1.0] * 5
        assert publisher.stats().dropped == {"full": 2}
        publisher.close(0)

    def test_an_output_that_is_no_output_is_dropped(self, publisher: Publisher) -> None:
        result = object()
        with capture() as events:
            assert publisher.watch(lambda: result)() is result
        assert not events and publisher.stats().dropped == {"invalid": 1}


class TestAsync:
    async def test_it_is_awaited_timed_and_published(self, publisher: Publisher) -> None:
        @publisher.watch(features=lambda x: {"x": x}, output=lambda r: r["score"])
        async def predict(x: int) -> dict[str, float]:
            await asyncio.sleep(0.02)
            return {"score": 0.5}

        assert asyncio.iscoroutinefunction(predict)
        with capture() as events:
            assert await predict(3) == {"score": 0.5}
        event = only(events)
        assert event.features == {"x": 3} and event.output == 0.5
        assert event.latency_ms is not None and event.latency_ms >= 20

    async def test_cancelling_goes_on_and_is_published(self, publisher: Publisher) -> None:
        begun = asyncio.Event()

        @publisher.watch()
        async def predict() -> None:
            begun.set()
            await asyncio.sleep(60)

        with capture() as events:
            task = asyncio.create_task(predict())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert only(events).error_type == "CancelledError"

    async def test_async_behind_another_decorator(self, publisher: Publisher) -> None:
        async def predict(x: int) -> float:
            return x / 2

        class Callable_:
            async def __call__(self, x: int) -> float:
                return x / 2

        hidden: Callable[[int], Any] = lambda x: predict(x)  # noqa: E731
        for function in (hidden, functools.partial(predict), Callable_()):
            with capture() as events:
                assert await publisher.watch()(function)(3) == 1.5
            assert only(events).output == 1.5

    async def test_concurrent_calls_do_not_mix(self, publisher: Publisher) -> None:
        @publisher.watch(features=lambda x: {"x": x})
        async def predict(x: int) -> int:
            await asyncio.sleep(0.001 * (5 - x))
            return x

        with capture() as events:
            await asyncio.gather(*(predict(x) for x in range(5)))
        assert sorted(e.output for e in events.of(PredictionEvent)) == [0, 1, 2, 3, 4]  # type: ignore[type-var]
        assert all(e.features == {"x": e.output} for e in events.of(PredictionEvent))


class TestRefused:
    def generator(self) -> Any:
        yield 1

    async def async_generator(self) -> Any:
        yield 1

    @pytest.mark.parametrize("name", ["generator", "async_generator"])
    def test_generators(self, publisher: Publisher, name: str) -> None:
        with pytest.raises(TypeError, match=r"publisher\.prediction"):
            publisher.watch()(getattr(self, name))

    @pytest.mark.parametrize(
        ("function", "told"),
        [
            (3, "is none"),
            (Payment, "watch a method"),
            (classmethod(lambda cls: 1), "below @classmethod"),
        ],
        ids=["number", "class", "classmethod"],
    )
    def test_what_is_no_function(self, publisher: Publisher, function: Any, told: str) -> None:
        with pytest.raises(TypeError, match=told):
            publisher.watch()(function)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"features": {"a": 1}}, "features=lambda request"),
            ({"output": "score"}, "output=lambda result"),
            ({"segmnt": {}}, "did you mean segment"),
            ({"features": lambda a, b, c: {}}, "asks for a, b, c"),
            ({"features": lambda *, amount: {}}, "asks for amount"),
        ],
    )
    def test_what_it_could_not_do(
        self, publisher: Publisher, arguments: dict[str, Any], told: str
    ) -> None:
        with pytest.raises(TypeError, match=told):
            publisher.watch(**arguments)(lambda x, y: 1.0)


def test_many_threads(publisher: Publisher) -> None:
    predict = publisher.watch(features=lambda x: {"x": x})(lambda x: x)
    with capture() as events:
        threads = [
            threading.Thread(target=lambda n=n: [predict(n) for _ in range(50)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(events) == 200
    assert all(e.features == {"x": e.output} for e in events.of(PredictionEvent))
