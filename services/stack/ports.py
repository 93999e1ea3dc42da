"""Ports of this machine that a process of ours may listen on."""

from __future__ import annotations

import random
import socket


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

    Ports that the system chooses (``bind`` to 0) are those of outgoing connections too (Linux from
    32,768, others from 49,152): one of those may be taken before a process gets to listen.
    """
    for port in random.Random().sample(range(20_000, 32_000), 100):
        if port_is_free(host, port):
            return port
    raise OSError(f"100 ports between 20,000 and 32,000 were tried on {host}; none is free")
