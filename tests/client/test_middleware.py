"""The middlewares: events of a request are tied to it, and the application is left alone."""

from __future__ import annotations

import asyncio
import io
import json
import wsgiref.util
import wsgiref.validate
from collections.abc import Iterator
from typing import Any

import pytest

from streamgauge_client import ASGIMiddleware, Publisher, WSGIMiddleware
from streamgauge_client.recording import recorders

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Headers:
    """Records the headers of what is published."""

    def __init__(self) -> None:
        self.all: list[dict[str, str]] = []

    def record(self, topic: str, key: bytes, value: bytes, headers: Any) -> None:
        self.all.append({name: content.decode() for name, content in headers})

    def names(self) -> list[str]:
        return [headers["ce_id"] for headers in self.all]


@pytest.fixture
def sent() -> Iterator[Headers]:
    recorder = Headers()
    recorders.append(recorder)
    yield recorder
    recorders.remove(recorder)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(model="m", version="1")


async def ask(app: Any, headers: Any = (), **scope: Any) -> list[dict[str, Any]]:
    """What an ASGI application sends to a request."""
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app({"type": "http", "path": "/", "headers": headers, **scope}, receive, send)
    return messages


def head(messages: list[dict[str, Any]]) -> dict[bytes, bytes]:
    return dict(messages[0]["headers"])


def answering(publisher: Publisher, *ids: str, status: int = 200, headers: Any = ()) -> Any:
    """An application that makes predictions, then answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for prediction_id in ids:
            publisher.log(output=1.0, prediction_id=prediction_id)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


class TestASGI:
    async def test_events_and_response_are_tied_to_the_request(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        # Given a service behind the middleware
        app = ASGIMiddleware(answering(publisher, "p-1", "p-2"), publisher=publisher)
        # When a traced request comes
        headers = [
            (b"x-request-id", b"r-1"),
            (b"Traceparent", TRACE.encode()),
            (b"tracestate", b"a=b"),
        ]
        messages = await ask(app, headers)
        # Then each event tells of it, for its origin and for the hop
        for event in sent.all:
            assert event["ce_correlationid"] == "r-1"
            assert event["traceparent"] == event["ce_traceparent"] == TRACE
            assert event["tracestate"] == event["ce_tracestate"] == "a=b"
        # And the response tells of the predictions
        assert head(messages) == {b"x-request-id": b"r-1", b"x-prediction-id": b"p-1, p-2"}
        assert messages[1] == {"type": "http.response.body", "body": b"ok"}
        # And events outside do not
        publisher.log(output=1.0)
        assert "traceparent" not in sent.all[-1] and "ce_correlationid" not in sent.all[-1]

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [(b"x-request-id", b"a\r\nset-cookie: x"), (b"traceparent", b"00-zz")],
            [(b"x-request-id", b"x" * 129), (b"traceparent", TRACE.upper().encode())],
            [(b"x-request-id", b""), (b"traceparent", b"00-" + b"0" * 32 + b"-" + b"1" * 16)],
            [(b"x-request-id", b"\xff\xfe"), (b"traceparent", b"ff" + TRACE[2:].encode())],
            [("x-request-id", 3)],
            None,
            [(b"one",)],
        ],
        ids=str,
    )
    async def test_what_is_wrong_with_a_request_is_not_carried_on(
        self, publisher: Publisher, sent: Headers, headers: Any
    ) -> None:
        app = ASGIMiddleware(answering(publisher, "p-1"), publisher=publisher)
        messages = await ask(app, headers)
        (event,) = sent.all
        assert "traceparent" not in event and "ce_traceparent" not in event
        # The id is a fresh one, the same in the event and in the response.
        assert len(event["ce_correlationid"]) == 36
        assert head(messages)[b"x-request-id"].decode() == event["ce_correlationid"]
        assert head(messages)[b"x-prediction-id"] == b"p-1"

    async def test_ids_of_any_text_make_a_header_of_ascii(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        app = ASGIMiddleware(answering(publisher, "a,b", "é\r\n", "1 %"), publisher=publisher)
        messages = await ask(app)
        assert head(messages)[b"x-prediction-id"] == b"a%2Cb, %C3%A9%0D%0A, 1%20%25"

    async def test_a_response_names_twenty_predictions_at_most(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        app = ASGIMiddleware(
            answering(publisher, *(f"p-{n}" for n in range(100))), publisher=publisher
        )
        messages = await ask(app)
        assert len(sent.all) == 100
        assert head(messages)[b"x-prediction-id"].count(b",") == 19

    async def test_headers_of_the_applications_own_win(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        own = [(b"X-Request-ID", b"mine"), (b"x-prediction-id", b"other"), (b"a", b"b")]
        app = ASGIMiddleware(answering(publisher, "p-1", headers=own), publisher=publisher)
        assert (await ask(app))[0]["headers"] == own

    async def test_a_dropped_prediction_is_not_named(self, publisher: Publisher) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            publisher.log(output=object(), prediction_id="p-1")
            await send({"type": "http.response.start", "status": 200})

        messages = await ask(ASGIMiddleware(app, publisher=publisher))
        assert b"x-prediction-id" not in head(messages)

    async def test_predictions_of_threads_and_tasks_belong_to_their_request(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            name = scope["path"]
            log = publisher.log
            await asyncio.to_thread(log, output=1.0, prediction_id=f"thread{name}")
            await asyncio.create_task(asyncio.to_thread(log, output=1.0, prediction_id=f"t{name}"))
            await send({"type": "http.response.start", "status": 200})

        middleware = ASGIMiddleware(app, publisher=publisher)
        answers = await asyncio.gather(*(ask(middleware, path=f"-{n}") for n in range(5)))
        for number, messages in enumerate(answers):
            expected = f"thread-{number}, t-{number}".encode()
            assert head(messages)[b"x-prediction-id"] == expected
        assert len({event["ce_correlationid"] for event in sent.all}) == 5

    async def test_a_task_that_outlives_its_request_is_no_part_of_it(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        done = asyncio.Event()
        tasks = []

        async def later() -> None:
            await done.wait()
            publisher.log(output=1.0)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            tasks.append(asyncio.create_task(later()))
            await send({"type": "http.response.start", "status": 200})

        await ask(ASGIMiddleware(app, publisher=publisher), [(b"traceparent", TRACE.encode())])
        done.set()
        await tasks[0]
        assert "traceparent" not in sent.all[0]

    async def test_requests_errors_and_those_in_flight_are_counted(
        self, publisher: Publisher
    ) -> None:
        async def raising(scope: Any, receive: Any, send: Any) -> None:
            assert publisher.requests.snapshot().in_flight == 1
            raise LookupError("no")

        async def silent(scope: Any, receive: Any, send: Any) -> None: ...

        async def hanging(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(60)

        for app, errors in (
            (answering(publisher), 0),
            (answering(publisher, status=404), 0),
            (answering(publisher, status=503), 1),
            (silent, 2),
        ):
            await ask(ASGIMiddleware(app, publisher=publisher))
            assert publisher.requests.snapshot().errors == errors
        with pytest.raises(LookupError):
            await ask(ASGIMiddleware(raising, publisher=publisher))
        # A client that went away is no failure of the service.
        task = asyncio.create_task(ask(ASGIMiddleware(hanging, publisher=publisher)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert publisher.requests.snapshot().in_flight == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        now = publisher.requests.snapshot()
        assert (now.started, now.errors, now.in_flight) == (6, 3, 0)

    @pytest.mark.parametrize("kind", ["websocket", "lifespan", "something.new"])
    async def test_other_connections_pass_untouched(self, publisher: Publisher, kind: str) -> None:
        given: list[Any] = []

        async def app(*arguments: Any) -> None:
            given.extend(arguments)

        scope, receive, send = {"type": kind}, object(), object()
        await ASGIMiddleware(app, publisher=publisher)(scope, receive, send)  # type: ignore[arg-type]
        assert given[0] is scope and given[1] is receive and given[2] is send
        assert publisher.requests.snapshot().started == 0

    async def test_what_is_streamed_passes_piece_by_piece(self, publisher: Publisher) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "trailers": True})
            for piece in (b"1", b"2"):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.trailers", "headers": []})

        messages = await ask(ASGIMiddleware(app, publisher=publisher))
        assert messages[0]["trailers"] is True
        assert [message.get("body") for message in messages[1:]] == [b"1", b"2", None]

    @pytest.mark.parametrize(
        "start",
        [
            {"status": "200"},
            {"status": 200, "headers": 5},
            {"status": 200, "headers": [("text", "text")]},
            {},
        ],
        ids=str,
    )
    async def test_a_response_that_it_does_not_understand_passes_as_it_is(
        self, publisher: Publisher, start: dict[str, Any]
    ) -> None:
        message = {"type": "http.response.start", **start}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(message)

        assert await ask(ASGIMiddleware(app, publisher=publisher)) == [message]

    async def test_a_coroutine_thrown_away_elsewhere_closes_quietly(
        self, publisher: Publisher
    ) -> None:
        async def hanging(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(60)

        import contextvars

        middleware = ASGIMiddleware(hanging, publisher=publisher)
        request = middleware({"type": "http", "headers": []}, None, None)  # type: ignore[arg-type]
        contextvars.copy_context().run(request.send, None)
        request.close()
        assert publisher.requests.snapshot().in_flight == 0


def call(app: Any, **environ: Any) -> tuple[str, dict[str, str], Any]:
    """Status, headers and response of a WSGI application; the response is not closed."""
    given: dict[str, Any] = {"QUERY_STRING": "", **environ}
    wsgiref.util.setup_testing_defaults(given)
    started: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started[:] = [status, dict(headers)]
        return io.BytesIO().write

    response = app(given, start_response)
    # A generator starts its response with its first piece.
    pieces = list(response)
    status, headers = started
    return status, headers, (response, pieces)


class TestWSGI:
    def test_events_and_response_are_tied_to_the_request(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        def app(environ: Any, start_response: Any) -> Any:
            publisher.log(output=1.0, prediction_id="p-1")
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"ok"]

        _, headers, (response, _) = call(
            WSGIMiddleware(app, publisher=publisher),
            HTTP_X_REQUEST_ID="r-1",
            HTTP_TRACEPARENT=TRACE,
        )
        assert headers == {
            "Content-Type": "text/plain",
            "X-Request-ID": "r-1",
            "X-Prediction-Id": "p-1",
        }
        assert response == [b"ok"], "a whole response stays the list that servers know"
        (event,) = sent.all
        assert event["ce_correlationid"] == "r-1"
        assert event["traceparent"] == event["ce_traceparent"] == TRACE
        publisher.log(output=1.0)
        assert "traceparent" not in sent.all[-1]
        now = publisher.requests.snapshot()
        assert (now.started, now.errors, now.in_flight) == (1, 0, 0)

    def test_a_streamed_response_belongs_to_the_request_until_it_is_closed(
        self, publisher: Publisher, sent: Headers
    ) -> None:
        closed = []

        def app(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            try:
                for number in range(3):
                    publisher.log(output=1.0, prediction_id=f"p-{number}")
                    yield b"%d" % number
            finally:
                closed.append(True)

        middleware = WSGIMiddleware(app, publisher=publisher)
        environ: dict[str, Any] = {"HTTP_TRACEPARENT": TRACE}
        wsgiref.util.setup_testing_defaults(environ)
        response = middleware(environ, lambda *arguments: None)
        pieces = iter(response)
        assert next(pieces) == b"0"
        publisher.log(output=1.0, prediction_id="outside")
        assert next(pieces) == b"1"
        assert publisher.requests.snapshot().in_flight == 1
        response.close()  # type: ignore[attr-defined]
        response.close()  # type: ignore[attr-defined]
        assert closed and publisher.requests.snapshot().in_flight == 0
        assert sent.names() == ["p-0", "outside", "p-1"]
        assert ["traceparent" in event for event in sent.all] == [True, False, True]

    def test_it_keeps_to_the_rules_of_wsgi(self, publisher: Publisher) -> None:
        def app(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return iter([b"a", b"b"])

        strict = wsgiref.validate.validator(
            WSGIMiddleware(wsgiref.validate.validator(app), publisher=publisher)
        )
        environ: dict[str, Any] = {"QUERY_STRING": ""}
        wsgiref.util.setup_testing_defaults(environ)
        response = strict(environ, lambda status, headers, exc_info=None: io.BytesIO().write)
        assert list(response) == [b"a", b"b"]
        response.close()  # type: ignore[attr-defined]

    def test_exceptions_go_on_and_are_errors(self, publisher: Publisher) -> None:
        def raising(environ: Any, start_response: Any) -> Any:
            raise LookupError("no")

        def breaking(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            yield b"a"
            raise LookupError("no")

        def failing(environ: Any, start_response: Any) -> Any:
            start_response("503 Service Unavailable", [])
            return [b""]

        with pytest.raises(LookupError):
            call(WSGIMiddleware(raising, publisher=publisher))
        response = WSGIMiddleware(breaking, publisher=publisher)({}, lambda *arguments: None)
        with pytest.raises(LookupError):
            list(response)
        response.close()  # type: ignore[attr-defined]
        call(WSGIMiddleware(failing, publisher=publisher))
        now = publisher.requests.snapshot()
        assert (now.started, now.errors, now.in_flight) == (3, 3, 0)

    def test_a_file_stays_what_its_server_sends_by_itself(self, publisher: Publisher) -> None:
        def app(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))

        environ: dict[str, Any] = {"wsgi.file_wrapper": wsgiref.util.FileWrapper}
        response = WSGIMiddleware(app, publisher=publisher)(environ, lambda *arguments: None)
        assert isinstance(response, wsgiref.util.FileWrapper)
        assert publisher.requests.snapshot().in_flight == 0

    def test_a_start_that_it_does_not_understand_passes_as_it_is(
        self, publisher: Publisher
    ) -> None:
        started: list[Any] = []

        def app(environ: Any, start_response: Any) -> Any:
            start_response("hm", None)
            return []

        environ: dict[str, Any] = {"HTTP_X_REQUEST_ID": 3}
        WSGIMiddleware(app, publisher=publisher)(environ, lambda *given: started.extend(given))
        assert started == ["hm", None]


async def test_with_starlette(publisher: Publisher, sent: Headers) -> None:
    """Through a real framework, and a real client."""
    import httpx
    from fastapi import FastAPI

    app = FastAPI()
    app.add_middleware(ASGIMiddleware, publisher=publisher)

    @app.get("/predict")
    def predict() -> dict[str, Any]:  # in Starlette's thread pool
        return {"id": publisher.log(output=1.0)}

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/predict", headers={"traceparent": TRACE})
    assert answer.headers["x-prediction-id"] == json.loads(answer.text)["id"]
    assert sent.all[0]["ce_traceparent"] == TRACE
