"""Names to addresses, once: what is connected to is exactly what was checked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from aiohttp.abc import AbstractResolver, ResolveResult

from streamgauge.routing.target import Target

#: From a name and a port to addresses as text. Raises ``OSError`` where there are none.
Lookup = Callable[[str, int], Awaitable[list[str]]]


async def system_lookup(host: str, port: int) -> list[str]:
    """What the machine's own resolver says, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedResolver(AbstractResolver):
    """Resolves one target's name at each connection, and gives out checked addresses alone.

    aiohttp connects to what comes from here and asks nobody else, so that a name which answers
    differently a moment later (DNS rebinding) changes nothing. Name and certificate stay those of
    the URL. Raises ``UnsafeTarget``.
    """

    def __init__(self, target: Target, *, lookup: Lookup = system_lookup) -> None:
        self._target = target
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The checked addresses of ``host``."""
        addresses = await self._lookup(host, port)
        if not addresses:
            raise OSError(None, f"{host} has no address")
        self._target.check(addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""
