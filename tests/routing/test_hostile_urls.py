"""Every way in which a URL was ever made to point inside: none of them opens a connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streamgauge.routing.guarded_post import GuardedPost
from streamgauge.routing.target import Target, UnsafeTarget
from tests.routing.conftest import Receiver, answering

PUBLIC = "93.184.216.34"
#: URLs by what the text of them tries; {port} is a port at which somebody listens on loopback.
REFUSED_BY_TEXT = [
    "https://127.0.0.1:{port}/",
    "https://127.8.8.8:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://0x7f.1:{port}/",
    "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0300.0250.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://017700000001:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://127。0。0。1:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:7f00:1::]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://[fc00::1]:{port}/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://[ff02::1]:{port}/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/latest/meta-data/",
    "https://100.64.0.1/",
    "https://168.63.129.16/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://user@127.0.0.1:{port}/",
    "https://hooks.example.com@127.0.0.1:{port}/",
    "https://hooks.example.com:443@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@hooks.example.com/",
    "https://hooks.example.com\\@127.0.0.1:{port}/",
    "https://hooks.example.com #@127.0.0.1:{port}/",
    "https://hooks.example.com\t@127.0.0.1:{port}/",
    "https://hooks.example.com\r\nHost: 127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https://:{port}/",
    "https://[127.0.0.1]:{port}/",
    "https://[v1.x]:{port}/",
    "https://-.example:{port}/",
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://hooks.example.com/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    f"https://{'a' * 64}.example/",
    "https://hooks.example.com/" + "a" * 4000,
    "",
]
#: What a name that looks well resolves to.
REFUSED_BY_ANSWER = [
    ["127.0.0.1"],
    ["127.0.0.2"],
    ["::1"],
    ["0.0.0.0"],
    ["::"],
    ["::ffff:127.0.0.1"],
    ["::ffff:0:127.0.0.1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::1"],
    ["169.254.169.254"],
    ["fd00:ec2::254"],
    ["10.1.2.3"],
    ["192.168.0.1"],
    ["100.64.1.1"],
    ["fe80::1"],
    ["fe80::1%lo"],
    ["ff02::1"],
    ["4000::1"],
    ["no address"],
    # One bad answer spoils the good ones, wherever it stands.
    [PUBLIC, "127.0.0.1"],
    ["127.0.0.1", PUBLIC],
    [PUBLIC, "2606:2800:220:1::1", "::1"],
]


@pytest.fixture
async def connects(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that anything tries to connect to; the outside is never really asked."""
    tried: list[Any] = []
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def spy(sock: Any, address: Any) -> None:
        tried.append(address[0])
        if address[0] == PUBLIC:
            raise ConnectionRefusedError(111, "not from a test")
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", spy)
    return tried


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED_BY_TEXT) >= 40


@pytest.mark.parametrize("url", REFUSED_BY_TEXT, ids=lambda url: ascii(url)[:60])
async def test_a_url_that_points_inside_is_refused_at_the_start(
    url: str, receiver: Receiver, connects: list[Any]
) -> None:
    with pytest.raises(UnsafeTarget):
        Target.of(url.format(port=receiver.port))
    assert (receiver.connections, connects) == (0, [])


@pytest.mark.parametrize("addresses", REFUSED_BY_ANSWER, ids=", ".join)
async def test_a_name_that_points_inside_is_refused_when_it_is_resolved(
    addresses: list[str], receiver: Receiver, connects: list[Any]
) -> None:
    # Given a name that only its resolver knows to be inside
    target = Target.of(f"https://hooks.example.com:{receiver.port}/")
    async with GuardedPost(target, lookup=answering(*addresses)) as post:
        # When an alarm is to be sent there
        answer = await post(b"{}", {})
    # Then nothing is connected to, and it is not tried again
    assert (receiver.connections, connects) == (0, [])
    assert (answer.status, answer.recoverable) == (0, False)
    assert "hooks.example.com" in answer.reason and "nothing is sent there" in answer.reason


async def test_localhost_is_refused_by_the_machines_own_resolver(
    receiver: Receiver, connects: list[Any]
) -> None:
    async with GuardedPost(Target.of(f"https://localhost:{receiver.port}/")) as post:
        answer = await post(b"{}", {})
    assert (receiver.connections, connects) == (0, [])
    assert not answer.recoverable and "loopback" in answer.reason


async def test_a_name_that_changes_its_answer_is_connected_to_where_it_was_checked(
    receiver: Receiver, connects: list[Any]
) -> None:
    # Given a resolver that says outside when asked first, and inside ever after
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    target = Target.of(f"https://hooks.example.com:{receiver.port}/")
    async with GuardedPost(target, lookup=rebinding) as post:
        # When an alarm is sent, Then one question is asked, and its answer is where we connect
        first = await post(b"{}", {})
        assert (asked, connects) == (["hooks.example.com"], [PUBLIC])
        assert first.status == 0 and first.recoverable
        # And at the next alarm the new answer is refused
        second = await post(b"{}", {})
    assert not second.recoverable
    assert (len(asked), connects, receiver.connections) == (2, [PUBLIC], 0)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1"], ["fc00::1"], ["192.168.7.7", "::1"]], ids=", ".join
)
def test_allow_private_opens_loopback_and_private_networks(addresses: list[str]) -> None:
    Target.of("https://hooks.internal/", allow_private=True).check(addresses)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.64.0.1",
        "0.0.0.0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fe80::1",
        "224.0.0.1",
    ],
)
def test_allow_private_opens_nothing_else(address: str) -> None:
    with pytest.raises(UnsafeTarget, match="nothing is sent there$"):
        Target.of("https://hooks.internal/", allow_private=True).check([address])


@pytest.mark.parametrize("address", ["10.0.0.1", PUBLIC, "192.168.7.7"])
def test_plain_http_is_for_this_machine_alone(address: str) -> None:
    target = Target.of("http://hooks.internal/", allow_private=True)
    target.check(["127.0.0.1", "::1"])
    with pytest.raises(UnsafeTarget, match="give https"):
        target.check([address])
    with pytest.raises(UnsafeTarget):
        Target.of(f"http://{address}/", allow_private=True)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://hooks.example.com/a", True),
        ("https://HOOKS.example.com./a", True),
        ("https://eu.hooks.example.org/a", True),
        ("https://example.org/a", False),
        ("https://evilexample.org/a", False),
        ("https://hooks.example.com.evil.net/a", False),
        ("https://93.184.216.34/a", False),
    ],
)
def test_with_a_list_of_hosts_nothing_else_is_a_target(url: str, good: bool) -> None:
    allowed = ["hooks.example.com", "*.example.org"]
    if good:
        Target.of(url, allowed_hosts=allowed)
        return
    with pytest.raises(UnsafeTarget, match="not among the allowed hosts"):
        Target.of(url, allowed_hosts=allowed)


def test_a_target_shows_neither_path_nor_query() -> None:
    target = Target.of("https://hooks.example.com:8443/T0/canary?token=canary")
    assert str(target) == "https://hooks.example.com:8443"
    assert "canary" not in repr(target)
    with pytest.raises(UnsafeTarget) as caught:
        Target.of("https://user:canary@hooks.example.com/canary")
    assert "canary" not in str(caught.value)
