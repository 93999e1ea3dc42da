"""The post: what it sends, and what a receiver can't make it do."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import time
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from pathlib import Path

import pytest

from streamgauge.routing import guarded_post
from streamgauge.routing.guarded_post import MAX_ANSWER_BYTES, GuardedPost
from streamgauge.routing.target import Target
from tests.routing.conftest import Receiver, answering


def local(receiver: Receiver, path: str = "/hook") -> Target:
    return Target.of(f"http://127.0.0.1:{receiver.port}{path}", allow_private=True)


async def test_body_headers_and_nothing_of_ours_arrive(receiver: Receiver) -> None:
    async with GuardedPost(local(receiver, "/hook?x=%20y")) as post:
        answer = await post(b'{"a": 1}', {"Idempotency-Key": "k", "Content-Type": "text/x"})
    assert (answer.status, answer.text) == (200, "ok")
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert body == b'{"a": 1}'
    assert head.startswith(b"POST /hook?x=%20y HTTP/1.1\r\n")
    names = sorted(line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:])
    assert b"idempotency-key" in names and b"content-type" in names
    assert not {b"authorization", b"cookie", b"proxy-authorization"} & set(names)


async def test_the_host_is_the_name_and_the_connection_goes_to_the_checked_address(
    receiver: Receiver,
) -> None:
    target = Target.of(f"http://hooks.internal:{receiver.port}/", allow_private=True)
    async with GuardedPost(target, lookup=answering("127.0.0.1")) as post:
        assert (await post(b"", {})).status == 200
    assert f"Host: hooks.internal:{receiver.port}\r\n".encode() in receiver.requests[0]


async def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    async def elsewhere(_: Reader, writer: Writer) -> None:
        place = f"http://127.0.0.1:{receiver.port}/inside"
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {place}\r\n\r\n".encode())
        await writer.drain()

    receiver.behaviour = elsewhere
    async with GuardedPost(local(receiver)) as post:
        assert (await post(b"{}", {})).status == 302
    assert receiver.connections == 1


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"])
async def test_proxies_of_the_environment_are_not_asked(
    variable: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with GuardedPost(local(receiver)) as post:
        assert (await post(b"{}", {})).status == 200


async def test_what_a_receiver_sets_it_does_not_get_back(receiver: Receiver) -> None:
    async def cookie(_: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    receiver.behaviour = cookie
    target = Target.of(f"http://hooks.internal:{receiver.port}/", allow_private=True)
    async with GuardedPost(target, lookup=answering("127.0.0.1")) as post:
        await post(b"{}", {})
        await post(b"{}", {})
    assert receiver.connections == 2 and b"ookie" not in receiver.requests[1]


async def hang(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def drip(_: Reader, writer: Writer) -> None:
    """A byte of a header at a time, for ever: no single wait is long."""
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless_headers(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def nothing(_: Reader, writer: Writer) -> None:
    return


async def half_a_status(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 2")
    await writer.drain()


async def no_http(_: Reader, writer: Writer) -> None:
    writer.write(b"\x15\x03\x01\x00\x02\x02\x16" * 10)
    await writer.drain()


@pytest.mark.parametrize(
    "behaviour", [hang, drip, endless_headers, nothing, half_a_status, no_http]
)
async def test_a_receiver_that_does_not_answer_is_given_up_in_time_and_tried_again(
    behaviour: object, receiver: Receiver
) -> None:
    receiver.behaviour = behaviour  # type: ignore[assignment]
    started = time.monotonic()
    async with GuardedPost(local(receiver), total_seconds=0.5) as post:
        answer = await post(b"{}", {})
    assert time.monotonic() - started < 2.0
    assert (answer.status, answer.recoverable) == (0, True)
    assert f"http://127.0.0.1:{receiver.port}" in answer.reason and "/hook" not in answer.reason


async def test_five_seconds_are_the_limit() -> None:
    assert guarded_post.TOTAL_SECONDS == 5.0


async def test_an_answer_without_end_is_cut_and_counts_by_its_status(receiver: Receiver) -> None:
    sent = 0

    async def endless(_: Reader, writer: Writer) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            await writer.drain()
            sent += 0x2000

    receiver.behaviour = endless
    started = time.monotonic()
    async with GuardedPost(local(receiver)) as post:
        answer = await post(b"{}", {})
    # At once, and not after the five seconds; the rest is what the sockets' buffers hold.
    assert time.monotonic() - started < 2.0
    assert answer.status == 500 and answer.text == "x" * 200
    assert sent < 100 * MAX_ANSWER_BYTES


@pytest.mark.parametrize("then", ["hangs", "breaks off"])
async def test_who_said_yes_has_it_whatever_happens_to_the_body(
    then: str, receiver: Receiver
) -> None:
    async def half(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        if then == "hangs":
            await reader.read()

    receiver.behaviour = half
    async with GuardedPost(local(receiver), total_seconds=0.5) as post:
        assert (await post(b"{}", {})).status == 200


async def test_a_compressed_answer_is_not_unpacked(receiver: Receiver) -> None:
    body = gzip.compress(b"unpacked")

    async def compressed(_: Reader, writer: Writer) -> None:
        head = f"HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    receiver.behaviour = compressed
    async with GuardedPost(local(receiver)) as post:
        answer = await post(b"{}", {})
    assert answer.status == 400 and answer.text.isprintable() and "unpacked" not in answer.text


async def test_nobody_there_is_recoverable_and_told_by_the_host_alone() -> None:
    target = Target.of("http://127.0.0.1:1/canary", allow_private=True)
    async with GuardedPost(target) as post:
        answer = await post(b"{}", {})
    assert (answer.status, answer.recoverable) == (0, True)
    assert "refused" in answer.reason.lower() and "canary" not in answer.reason


async def test_a_name_that_is_not_known_is_recoverable() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    for lookup in (unknown, answering()):
        async with GuardedPost(Target.of("https://hooks.example.com/"), lookup=lookup) as post:
            answer = await post(b"{}", {})
        assert (answer.status, answer.recoverable) == (0, True)


async def test_a_header_that_would_break_the_request_is_not_sent(receiver: Receiver) -> None:
    async with GuardedPost(local(receiver)) as post:
        answer = await post(b"{}", {"X": "a\r\nHost: b"})
    assert (answer.status, answer.recoverable, receiver.requests) == (0, False, [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hooks.internal, signed by itself, with its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=hooks.internal"),
            *("-addext", "subjectAltName=DNS:hooks.internal", "-keyout", path, "-out", path),
        ],
        check=True,
        capture_output=True,
    )
    key = path.read_text()
    if "CERTIFICATE" not in key or "PRIVATE KEY" not in key:
        # Older versions write the one over the other.
        pytest.skip("this openssl can't write both into one file")
    return path


@pytest.mark.parametrize(
    ("host", "trusted", "good"),
    [
        ("hooks.internal", True, True),
        ("hooks.internal", False, False),
        ("others.internal", True, False),
    ],
)
async def test_the_certificate_must_be_that_of_the_name(
    host: str, trusted: bool, good: bool, certificate: Path
) -> None:
    # Given a receiver with TLS for hooks.internal, which notes the name it is asked for
    asked: list[object] = []
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    server_side.sni_callback = lambda _, name, __: asked.append(name)

    async def serve(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    client_side = ssl.create_default_context(cafile=str(certificate)) if trusted else None
    target = Target.of(f"https://{host}:{port}/", allow_private=True)
    # When an alarm is posted to a name that resolves to it
    async with GuardedPost(target, lookup=answering("127.0.0.1"), tls=client_side) as post:
        answer = await post(b"{}", {})
    server.close()
    # Then the name of the URL was asked for, and only the right certificate is enough
    assert asked == [host]
    assert answer.status == (204 if good else 0)
    assert good or "certificate is not trusted" in answer.reason
