"""A real Redis by TLS, with the users of ``deploy/security/users.acl``."""

from __future__ import annotations

import hashlib
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.stack.ports import free_port
from services.stack.redis_server import real_server
from streamgauge.access.redis import redis_client
from streamgauge.settings import RedisSecurity, RedisSettings
from tests.integration.conftest import START
from tests.integration.secured.certificates import Authority, Pair
from tests.missing import missing

USERS = START.parents[1] / "security" / "users.acl"


@dataclass(frozen=True)
class SecureRedis:
    """Its ports, and the users' passwords. ``root`` may do all: it is the test's own."""

    port: int
    plain_port: int
    ca: Path
    passwords: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0"

    def settings(self, user: str, *, url: str = "", **changes: object) -> RedisSettings:
        security: dict[str, Any] = {
            "username": user,
            "password": SecretStr(self.passwords[user]),
            "ca_file": self.ca,
            **changes,
        }
        return RedisSettings(url=SecretStr(url or self.url), security=RedisSecurity(**security))

    def root(self) -> Any:
        return redis_client(self.settings("root"), decode_responses=True)


@contextmanager
def secure_redis(
    directory: Path, authority: Authority, *, certificate: Pair | None = None, mutual: bool = False
) -> Iterator[SecureRedis]:
    """Run it. ``mutual``: whoever has no certificate of the authority gets no answer."""
    server = real_server()
    if server is None:
        missing("no redis-server on PATH")
    port, plain_port = free_port(), free_port()
    own = certificate or authority.sign("redis")
    passwords: dict[str, str] = {}
    lines = []
    for line in USERS.read_text().splitlines():
        user = line.split()[1]
        if user != "default":
            passwords[user] = f"canary-redis-{user}-{secrets.token_hex(8)}"
            line += f" #{hashlib.sha256(passwords[user].encode()).hexdigest()}"
        lines.append(line)
    passwords["root"] = secrets.token_hex(16)
    lines.append(f"user root on ~* &* +@all >{passwords['root']}")
    (directory / "users.acl").write_text("\n".join(lines) + "\n")
    configuration = directory / "redis.conf"
    configuration.write_text(
        f"bind 127.0.0.1\nport {plain_port}\ntls-port {port}\ndir {directory}\n"
        f"tls-cert-file {own.certificate}\ntls-key-file {own.key}\n"
        f"tls-ca-cert-file {authority.ca}\ntls-auth-clients {'yes' if mutual else 'no'}\n"
        f"aclfile {directory}/users.acl\nsave ''\nappendonly yes\nappendfsync always\n"
        "maxmemory-policy noeviction\nloglevel warning\n"
    )
    process = subprocess.Popen([server, str(configuration)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield SecureRedis(port, plain_port, authority.ca, passwords)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            # Debian's is built with TLS; others may not be.
            missing("redis-server does not start with TLS")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("redis-server did not open its port")
