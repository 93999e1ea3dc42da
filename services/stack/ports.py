"""Ports of this machine that a process of ours may listen on."""

from __future__ import annotations

import os
import socket
from itertools import count

#: Below those that outgoing connections are given (Linux from 32,768, others from 49,152).
FIRST, PORTS = 20_000, 12_000
#: No port is told twice, and processes that are started one after the other begin far apart: until
#: somebody listens on a port, nothing else keeps it from being told to another.
_told = count(os.getpid() * 97)


def port_is_free(host: str, port: int) -> bool:
    """Whether we could listen there. 0, any free port, always is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses just now, and that no outgoing connection will be given.

    Ports that the system chooses (``bind`` to 0) are those of outgoing connections too: one of
    those may be taken before a process gets to listen.
    """
    for _ in range(100):
        port = FIRST + next(_told) % PORTS
        if port_is_free(host, port):
            return port
    raise OSError(f"100 ports from {FIRST:,} on were tried on {host}; none is free")
