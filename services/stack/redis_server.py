"""A Redis for one machine: ``redis-server`` or ``valkey-server`` on PATH, else fakeredis.

The real one has its own directory, listens on loopback and syncs every write to disk, because
checkpoints are few and must stand. fakeredis keeps everything in memory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Literal

from services.stack.child import Child, until_stopped, write_state
from services.stack.ports import free_port

Kind = Literal["real", "fake"]


def real_server() -> str | None:
    """The path of a real server, or None where there is none."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


class EmbeddedRedis(Child):
    """``with EmbeddedRedis() as redis: redis.url, redis.kind``.

    ``kind`` is ``real`` where a server is on PATH, else ``fake``; say which to insist. With a
    ``directory`` and a ``port`` a real one can be started again on what an earlier one wrote.
    """

    def __init__(
        self, kind: Kind | None = None, *, port: int = 0, directory: Path | None = None
    ) -> None:
        wanted: Kind = kind or ("real" if real_server() else "fake")
        args = [f"--kind={wanted}", f"--port={port}"]
        if directory is not None:
            args.append(f"--directory={directory}")
        super().__init__("services.stack.redis_server", *args)
        self.kind: Kind = wanted

    def __enter__(self) -> EmbeddedRedis:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        return self.state["url"]

    @property
    def pid(self) -> int:
        """The server's own process, for tests that kill it."""
        return int(self.state["pid"])


def main() -> None:
    """Run the server until the parent ends or says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-file", type=Path, required=True)
    parser.add_argument("--kind", choices=["real", "fake"], required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--directory", type=Path)
    args = parser.parse_args()
    port = args.port or free_port()
    if args.kind == "fake":
        _run_fake(args.state_file, port)
        return
    with tempfile.TemporaryDirectory(prefix="streamgauge-redis-") as temporary:
        _run_real(args.state_file, port, args.directory or Path(temporary))


def _run_real(state_file: Path, port: int, directory: Path) -> None:
    server = real_server()
    if server is None:
        raise SystemExit("neither redis-server nor valkey-server is on PATH; install one")
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(directory),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    command = [server, *(part for name, value in options.items() for part in (f"--{name}", value))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    alive = threading.Event()
    alive.set()
    threading.Thread(target=_clear_at_exit, args=(process, alive), daemon=True).start()
    try:
        _wait_for_port(port, alive)
        url = f"redis://127.0.0.1:{port}/0"
        write_state(state_file, {"url": url, "kind": "real", "pid": str(process.pid)})
        until_stopped(alive)
    finally:
        process.terminate()
        process.wait()


def _clear_at_exit(process: subprocess.Popen[bytes], alive: threading.Event) -> None:
    process.wait()
    alive.clear()


def _run_fake(state_file: Path, port: int) -> None:
    # Imported here, because it is an extra that a machine with a real server does not need.
    from fakeredis import TcpFakeServer

    server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"redis://127.0.0.1:{port}/0"
    write_state(state_file, {"url": url, "kind": "fake", "pid": str(os.getpid())})
    until_stopped()


def _wait_for_port(port: int, alive: threading.Event) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and alive.is_set():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SystemExit(f"the Redis server did not open port {port}; is it in use?")


if __name__ == "__main__":
    main()
