"""The door itself: what is answered, who may enter, and what hostile callers get."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import resource
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamgauge.ingest.budget import Budget, Busy
from streamgauge.ingest.guard import OPEN
from streamgauge.ingest.tokens import TokenError, Tokens, check_exposure
from tests.ingest.conftest import NOW, Door, Open, until

TOKEN = "t" * 32
JSON = {"Content-Type": "application/json"}


async def raw(url: str, data: bytes, *, wait: float = 10.0) -> bytes:
    """What is answered to bytes on a bare connection, until it is closed."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        await writer.drain()
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(reader.read(), wait)
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class TestAnswers:
    async def test_one_event(self, serve: Open, prediction: dict[str, Any]) -> None:
        async with serve() as door:
            status, document, headers = await door.post(prediction)
            assert (status, document) == (
                202,
                {"accepted": 1, "refused": [], "prediction_ids": ["p-1"]},
            )
            assert not [name for name in headers if name.startswith("Access-Control")]
            assert door.bench.log.events == [prediction]

    async def test_some_of_a_batch(self, serve: Open, prediction: dict[str, Any]) -> None:
        async with serve() as door:
            batch = [prediction, prediction | {"status": "eror"}, 5, prediction | {"model": "b"}]
            status, document, _ = await door.post(batch, params={"type": "prediction"})
            assert (status, document["accepted"]) == (207, 2)
            assert [each["index"] for each in document["refused"]] == [1, 2]
            assert document["refused"][0] == {
                "index": 1,
                "reason": "schema",
                "detail": "status: expected one of ok, error, fallback; did you mean 'error'?",
                "field": "status",
                "expected": "one of ok, error, fallback",
                "did_you_mean": "error",
            }
            assert len(door.bench.log.records) == 2

    @pytest.mark.parametrize(
        ("body", "status", "reason"),
        [
            (b"{", 400, "decode"),
            (b'{"model": NaN}', 400, "decode"),
            (b"\xff", 400, "decode"),
            (b"", 400, "decode"),
            (b"{}", 422, "schema"),
            (b"7", 422, "schema"),
            (b"[]", 422, "schema"),
            (b'[{"model":"m"}]', 422, "schema"),
            (b"[" * 1000, 413, "too_large"),
            (b'{"features":' * 100_000, 413, "too_large"),
        ],
    )
    async def test_none(self, serve: Open, body: bytes, status: int, reason: str) -> None:
        async with serve() as door:
            told = await door.post(body, headers=JSON)
            assert told[0] == status
            assert told[1]["type"] == f"urn:streamgauge:problem:{reason}"
            assert door.bench.log.records == []

    async def test_a_future_event_is_refused_and_may_not_be_repeated(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        async with serve() as door:
            status, document, headers = await door.post(prediction | {"timestamp": NOW + 1e4})
            assert (status, document["refused"][0]["reason"]) == (422, "future")
            assert "Retry-After" not in headers

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/x-www-form-urlencoded"},
            {"Content-Type": "multipart/form-data; boundary=x"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            {"Content-Type": "application/cloudevents+xml"},
        ],
    )
    async def test_other_media_types(self, serve: Open, headers: dict[str, str]) -> None:
        async with serve() as door:
            for path in ("/v1/events", "/v1/oip/m"):
                if path != "/v1/events" and headers.get("Content-Type", "").endswith("+xml"):
                    continue
                status, document, _ = await door.post(
                    b"{}",
                    path=path,
                    headers=headers,
                    skip_auto_headers=["Content-Type"],
                )
                assert (status, document["type"][-10:]) == (415, "media_type")

    async def test_kafka_away(self, serve: Open, prediction: dict[str, Any]) -> None:
        async with serve() as door:
            door.bench.log.problem = "MSG_TIMED_OUT"
            status, document, headers = await door.post([prediction, 5])
            assert status == 503
            assert int(headers["Retry-After"]) >= 1
            # What will never be taken is told all the same
            assert (document["accepted"], document["refused"][0]["index"]) == (0, 1)

    async def test_without_policies_nothing_is_taken(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        async with serve() as door:
            door.bench.policies.known = False
            for path in ("/v1/events", "/v1/oip/m"):
                status, document, headers = await door.post(prediction, path=path)
                assert (status, "Redis" in document["detail"]) == (503, True)
                assert "Retry-After" in headers

    async def test_a_call_tells_its_ids(self, serve: Open) -> None:
        call = {
            "request": {"inputs": [{"name": "x", "shape": [2], "data": [1, 2]}]},
            "response": {"outputs": [{"name": "y", "shape": [2], "data": [0.1, 0.2]}]},
            "id": "c",
        }
        async with serve() as door:
            status, document, _ = await door.post(call, path="/v1/oip/iris%2Fv%C3%A4st")
            assert (status, document["prediction_ids"]) == (202, ["c-0", "c-1"])
            assert {event["model"] for event in door.bench.log.events} == {"iris/väst"}
            status, document, _ = await door.post({"response": {}}, path="/v1/oip/iris")
            assert (status, document["refused"][0]["field"]) == (422, "response")

    async def test_probes_and_metrics(self, serve: Open, prediction: dict[str, Any]) -> None:
        reasons: list[str | None] = ["Kafka does not answer", None]
        async with serve(token=TOKEN, ready=lambda: reasons[0]) as door:
            await door.post(prediction, headers={"Authorization": f"Bearer {TOKEN}"})
            await door.post({}, path="/<script>/{x}", headers={"Authorization": f"Bearer {TOKEN}"})
            for path, status, told in (
                ("/healthz", 200, "ok\n"),
                ("/readyz", 503, "Kafka does not answer\n"),
            ):
                async with door.session.get(door.url + path) as response:
                    assert (response.status, await response.text()) == (status, told)
            reasons.pop(0)
            async with door.session.get(door.url + "/readyz") as response:
                assert response.status == 200
            async with door.session.get(door.url + "/metrics") as response:
                text = await response.text()
            assert (
                'streamgauge_ingest_events_total{kind="prediction",outcome="accepted"} 1.0' in text
            )
            assert 'ingest_requests_total{route="/v1/events",status="202"} 1.0' in text
            # A path of somebody's choice is no label
            assert "script" not in text

    async def test_a_traced_request_is_its_buckets_exemplar(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        async with serve() as door:
            traces = {}
            for sent in ("<script>", f"00-{'a' * 32}-{'b' * 16}-01"):
                status, _, _ = await door.post(prediction, headers={"traceparent": sent})
                assert status == 202
                async with door.session.get(door.url + "/metrics", headers=accept) as response:
                    families = list(text_string_to_metric_families(await response.text()))  # type: ignore[no-untyped-call]
                traces[sent] = [s.exemplar for f in families for s in f.samples if s.exemplar]
        assert traces.pop("<script>") == []
        ((exemplar,),) = traces.values()
        assert exemplar.labels == {"trace_id": "a" * 32}


class TestWhoMayEnter:
    def routes(self, door: Door) -> list[tuple[str, str]]:
        """Every route there is, and one that is not."""
        known = [
            (route.method, route.resource.canonical)
            for route in door.routes.application().router.routes()
            if route.resource is not None
        ]
        return [*known, ("GET", "/v1/events"), ("POST", "/nothing"), ("PUT", "/metrics")]

    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN}t",
            f"Bearer {TOKEN.upper()}",
            f"Token {TOKEN}",
            TOKEN,
            "Basic !!!",
            "Basic " + base64.b64encode(b"streamgauge:wrong").decode(),
            "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        ],
    )
    async def test_no_route_opens_without_the_token(
        self, serve: Open, authorization: str | None
    ) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        async with serve(token=TOKEN) as door:
            for method, path in self.routes(door):
                async with door.session.request(
                    method, door.url + path.replace("{model}", "m"), headers=headers, data=b"{}"
                ) as response:
                    open_to_all = path in OPEN and method in ("GET", "HEAD")
                    assert (response.status == 401) == (not open_to_all), (method, path)
                    if response.status == 401:
                        assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert door.bench.log.records == []

    @pytest.mark.parametrize(
        "authorization",
        [
            f"Bearer {TOKEN}",
            f"bearer {TOKEN}",
            f"Bearer {'u' * 40}",
            "Basic " + base64.b64encode(f"streamgauge:{TOKEN}".encode()).decode(),
        ],
    )
    async def test_each_of_the_tokens_opens(
        self, serve: Open, prediction: dict[str, Any], authorization: str
    ) -> None:
        async with serve(token=f"{TOKEN}\n{'u' * 40}\n") as door:
            headers = {"Authorization": authorization}
            assert (await door.post(prediction, headers=headers))[0] == 202
            assert (await door.post(prediction, path="/nothing", headers=headers))[0] == 404

    async def test_a_page_in_a_browser_here_may_not_post(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        async with serve() as door:
            headers = {"Origin": "https://evil.example"}
            assert (await door.post(prediction, headers=headers))[0] == 403
            async with door.session.options(
                door.url + "/v1/events",
                headers=headers | {"Access-Control-Request-Method": "POST"},
            ) as response:
                assert response.status >= 400
                assert not [n for n in response.headers if n.startswith("Access-Control")]
            assert door.bench.log.records == []

    @pytest.mark.parametrize(
        ("host", "alone"),
        [
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("[::1]", True),
            ("localhost", True),
            ("0.0.0.0", False),
            ("::", False),
            ("10.0.0.7", False),
            ("ingest", False),
            ("localhost.evil.example", False),
        ],
    )
    def test_only_this_machine_is_served_without_a_token(self, host: str, alone: bool) -> None:
        check_exposure(host, Tokens.of(TOKEN))
        if alone:
            check_exposure(host, Tokens.of(None))
        else:
            with pytest.raises(TokenError, match="STREAMGAUGE_INGEST__TOKEN"):
                check_exposure(host, Tokens.of(" \n"))

    def test_a_short_token_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(TokenError, match="openssl") as raised:
            Tokens.of(f"{TOKEN} canary-4711")
        assert "canary" not in str(raised.value)


class TestHostileCallers:
    async def test_a_body_of_64_mib_is_not_read(self, serve: Open) -> None:
        async with serve() as door:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            zeros = io.BytesIO(bytes(64 * 1024 * 1024))
            status, document, _ = await door.post(zeros, headers=JSON)
            assert (status, document["type"][-9:]) == (413, "too_large")
            # And without an announced length, piece by piece
            sent = 0

            async def pieces() -> AsyncIterator[bytes]:
                nonlocal sent
                for _ in range(640):
                    sent += 100 * 1024
                    yield b"[" * 100 * 1024

            with contextlib.suppress(aiohttp.ClientError):
                status, _, _ = await door.post(pieces(), headers=JSON)
                assert status == 413
            assert door.budget.bytes == 0
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            # The 64 MiB are the test's own.
            assert after - before < (64 + 50) * 1024

    async def test_half_a_body_is_none(self, serve: Open) -> None:
        async with serve(read_seconds=0.3) as door:
            head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            answer = await raw(door.url, head + b"Content-Length: 100\r\n\r\n{")
            assert b" 408 " in answer
            answer = await raw(door.url, head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{")
            assert b" 400 " in answer or answer == b""
            assert (door.budget.bytes, door.bench.log.records) == (0, [])

    async def test_somebody_who_goes_away_in_the_middle_costs_nothing(self, serve: Open) -> None:
        async with serve() as door:
            host, port = door.url.removeprefix("http://").split(":")
            for _ in range(5):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.write(
                    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 100\r\n\r\n{"
                )
                await writer.drain()
                writer.close()
                await writer.wait_closed()
            await until(lambda: not door.listener.connections and not door.budget.bytes)
            assert door.bench.log.records == []

    async def test_a_slow_head_loses_its_connection(self, serve: Open) -> None:
        async with serve(read_seconds=0.3) as door:
            host, port = door.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            # A byte now and then keeps nobody
            with contextlib.suppress(ConnectionError):
                for letter in b"POST /v1/events HTTP/1.1\r\nX-A: aaaaaaaaaaaaa":
                    writer.write(bytes([letter]))
                    await writer.drain()
                    await asyncio.sleep(0.02)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            await until(lambda: not door.listener.connections)

    async def test_so_many_connections_and_no_more(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        async with serve(max_connections=3) as door:
            host, port = door.url.removeprefix("http://").split(":")
            held = [await asyncio.open_connection(host, int(port)) for _ in range(3)]
            await until(lambda: door.listener.connections == 3)
            with pytest.raises(aiohttp.ClientError):
                await door.post(prediction)
            assert door.listener.turned_away >= 1
            for _, writer in held:
                writer.close()
                await writer.wait_closed()
            await until(lambda: not door.listener.connections)
            assert (await door.post(prediction))[0] == 202

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/events HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\n" + b"ce-x: y\r\n" * 20_000 + b"\r\n",
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        ],
        ids=["version", "TLS", "negative", "two lengths", "many headers", "long header"],
    )
    async def test_what_is_no_http(self, serve: Open, request_: bytes) -> None:
        async with serve(read_seconds=0.5) as door:
            answer = await raw(door.url, request_)
            assert answer == b"" or b" 400 " in answer
            assert (await door.post([5]))[0] == 422

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer canary\x01\r\n\r\n",
            b"GET /?token=canary\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nCookie: canary" + b"y" * 9_000 + b"\r\n\r\n",
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b'Transfer-Encoding: chunked\r\n\r\n{"mail": "canary"}\r\n',
        ],
        ids=["token", "address", "cookie", "event"],
    )
    async def test_what_is_no_http_is_not_repeated_in_the_log(
        self, serve: Open, request_: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with serve(read_seconds=0.5) as door:
            await raw(door.url, request_)
        assert "canary" not in caplog.text
        assert "Traceback" not in caplog.text


class TestBackPressure:
    async def test_what_does_not_fit_is_sent_away(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        # Given a log that does not answer, and room for three events
        async with serve(max_inflight_events=3) as door:
            answered = asyncio.Event()
            door.bench.log.gate = answered.wait
            waiting = [
                asyncio.create_task(door.post([prediction, prediction])),
                asyncio.create_task(door.post(prediction)),
            ]
            await until(lambda: door.budget.events == 3)
            # When one more comes, Then it is told to come again
            status, document, headers = await door.post(prediction)
            assert (status, document["type"][-4:]) == (429, "busy")
            assert headers["Retry-After"] == "1"
            # And what was under way is answered, and leaves room
            answered.set()
            assert [(await task)[0] for task in waiting] == [202, 202]
            assert (await door.post(prediction))[0] == 202
            assert (door.budget.events, door.budget.bytes) == (0, 0)

    async def test_bytes_count_from_the_first(
        self, serve: Open, prediction: dict[str, Any]
    ) -> None:
        async with serve(max_inflight_bytes=1_000) as door:
            answered = asyncio.Event()
            door.bench.log.gate = answered.wait
            # One alone may be larger than the room
            large = prediction | {"tags": {"a": "x" * 1000}}
            waiting = asyncio.create_task(door.post(large))
            await until(lambda: door.budget.bytes >= 1_000)
            assert (await door.post(prediction))[0] == 429
            answered.set()
            assert (await waiting)[0] == 202

    def test_a_budget_is_whole_again_whatever_happens(self) -> None:
        budget = Budget(max_events=2, max_bytes=10)
        with budget.share() as first:
            first.take(events=5, size=50)
            with pytest.raises(Busy), budget.share() as second:
                second.take(size=1)
        assert (budget.events, budget.bytes) == (0, 0)


async def test_a_defect_is_answered_and_hides_the_event(
    serve: Open, prediction: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with serve() as door:

        async def broken() -> None:
            raise RuntimeError("a defect")

        door.bench.log.gate = broken
        status, document, _ = await door.post(prediction | {"tags": {"x": "canary-81"}})
        assert (status, document["detail"]) == (500, "internal error, see the log")
        assert "a defect" in caplog.text
        assert "canary-81" not in caplog.text + orjson.dumps(document).decode()
