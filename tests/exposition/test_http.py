from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamgauge.exposition import http as http_module
from streamgauge.exposition.http import MAX_REQUESTS, PortInUse, TelemetryServer


@contextmanager
def serving(registry: CollectorRegistry | None = None, **options: object) -> Iterator[int]:
    server = TelemetryServer(registry or CollectorRegistry(), **options)  # type: ignore[arg-type]
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


def ask(
    port: int, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def test_metrics_negotiate_openmetrics() -> None:
    registry = CollectorRegistry()
    Counter("seen", "Seen.", registry=registry).inc(3)
    with serving(registry) as port:
        status, plain, headers = ask(port, "/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"seen_total 3.0" in plain
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        status, body, headers = ask(port, "/metrics", headers=accept)
        assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        families = list(text_string_to_metric_families(body.decode()))  # type: ignore[no-untyped-call]
        assert [family.name for family in families] == ["seen"]


@pytest.mark.parametrize(
    ("path", "reason", "status", "body"),
    [
        ("/healthz", "not asked", 200, b"ok\n"),
        ("/readyz", None, 200, b"ok\n"),
        ("/livez", None, 200, b"ok\n"),
        ("/readyz", "Redis is away", 503, b"Redis is away\n"),
        ("/livez", "stuck for 31 s", 503, b"stuck for 31 s\n"),
    ],
)
def test_health_gives_its_reason(path: str, reason: str | None, status: int, body: bytes) -> None:
    with serving(ready=lambda: reason, live=lambda: reason) as port:
        assert ask(port, path)[:2] == (status, body)


def test_what_is_not_there_is_not_found_and_a_broken_check_is_no_answer() -> None:
    def broken() -> str | None:
        raise RuntimeError("secret inside")

    with serving(ready=broken) as port:
        assert ask(port, "/healthz")[2]["X-Content-Type-Options"] == "nosniff"
        assert ask(port, "/healthz", method="HEAD")[:2] == (200, b"")
        assert ask(port, "/nothing")[0] == 404
        assert ask(port, "/", method="POST")[0] == 405
        status, body, _ = ask(port, "/readyz")
        assert status == 500
        assert b"secret" not in body
        # and it still serves
        assert ask(port, "/healthz")[0] == 200


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=zzz", "\x01;;=,", ""])
def test_a_strange_accept_header_never_kills_it(accept: str) -> None:
    with serving() as port:
        ask(port, "/metrics", headers={"Accept": accept})
        assert ask(port, "/healthz")[0] == 200


def test_idle_connections_do_not_shut_others_out() -> None:
    # Given as many silent connections as there are slots, and one more that was refused
    with serving() as port:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(MAX_REQUESTS + 4)]
        # When they go, Then the next request is answered
        for connection in silent:
            connection.close()
        for _ in range(100):
            try:
                assert ask(port, "/healthz")[0] == 200
                break
            except (http.client.HTTPException, OSError):
                continue
        else:
            pytest.fail("no answer after the silent connections had gone")


def test_who_takes_too_long_for_a_request_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # As also who sends a byte now and then: the time is that of the whole request
    monkeypatch.setattr(http_module, "REQUEST_SECONDS", 0.1)
    with (
        serving() as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
    ):
        connection.sendall(b"GET /healthz")
        assert connection.recv(1) == b""
        assert ask(port, "/healthz")[0] == 200


def test_a_taken_port_says_which_and_what_to_do() -> None:
    with serving() as port:
        second = TelemetryServer(
            CollectorRegistry(), port=port, setting="STREAMGAUGE_EXPORTER__PORT"
        )
        with pytest.raises(PortInUse) as caught:
            second.start()
        assert str(caught.value) == (
            f"can't listen on 127.0.0.1:{port}: the port is in use; stop what uses it or set "
            "STREAMGAUGE_EXPORTER__PORT to another (0 takes a free one)"
        )


def test_ipv6_loopback_works_too() -> None:
    server = TelemetryServer(CollectorRegistry(), host="::1")
    try:
        server.start()
    except PortInUse:
        pytest.skip("this machine has no IPv6")
    try:
        assert server.url == f"http://[::1]:{server.port}"
        with socket.create_connection(("::1", server.port), timeout=5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert b" 200 " in connection.recv(100)
    finally:
        server.stop()
