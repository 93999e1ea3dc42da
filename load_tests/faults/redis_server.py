"""A real Redis on a directory, every write synced, that can be killed and started again."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import redis

from services.stack.ports import free_port
from services.stack.redis_server import real_server

START_SECONDS = 10.0


class RedisServer:
    """``redis-server`` without the stack's wrapper: the rig kills it and swaps its files."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self.client: Any = redis.Redis.from_url(self.url, socket_timeout=2, decode_responses=True)

    def start(self, *, wait: bool = True, **options: str | int) -> None:
        """Start it; wait until it serves, or only until its port is open."""
        server = real_server()
        if server is None:
            raise RuntimeError("neither redis-server nor valkey-server is on PATH; install one")
        self._directory.mkdir(exist_ok=True)
        wanted = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self._directory,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }
        given = wanted | {name.replace("_", "-"): value for name, value in options.items()}
        command = [server, *(p for name, v in given.items() for p in (f"--{name}", str(v)))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while self.answer() not in (("PONG",) if wait else ("PONG", "LOADING")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start on port {self.port}")
            time.sleep(0.01)

    def answer(self) -> str:
        """What it says to PING: PONG, LOADING, or nothing."""
        try:
            return "PONG" if self.client.ping() else ""
        except redis.BusyLoadingError:
            return "LOADING"
        except (redis.RedisError, OSError):
            return ""

    def lengthen_log(self, commands: int) -> None:
        """Give it so many commands more to load: while it loads it answers every 1,024th."""
        pipeline = self.client.pipeline(transaction=False)
        for number in range(commands):
            pipeline.set("faults:long-log", number)
        pipeline.execute()

    def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def copy_files(self, to: Path) -> None:
        """Keep what is on its disk now. The log is appended to, so a copy of it is a prefix."""
        shutil.copytree(self._directory, to)

    def put_back(self, files: Path) -> None:
        """Replace what is on its disk. Only while it is down."""
        shutil.rmtree(self._directory)
        shutil.copytree(files, self._directory)
