"""Our processes, each under its own user, with passwords in files and what it says kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from services.stack.ports import free_port
from tests.integration.first_light import ROOT, SETTINGS
from tests.integration.secured.kafka import SecureKafka
from tests.integration.secured.redis import SecureRedis

STATE_KEY = "canary-state-key-of-a-test-that-is-long-enough"
INGEST_TOKEN = "canary-ingest-token-of-a-test-that-is-long-enough"
PORTS = ("MONITOR", "LEARNER", "EXPORTER", "INGEST", "NOTIFIER")


class Services:
    """Start them with ``start``; ``stop`` ends all that still run."""

    def __init__(self, kafka: SecureKafka, redis: SecureRedis, directory: Path) -> None:
        self.kafka, self.redis = kafka, redis
        self.ports = {name: free_port() for name in PORTS}
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []

    def environment(self, user: str, **changes: str) -> dict[str, str]:
        """What a service of this user is told; ``changes`` without ``STREAMGAUGE_``."""
        kafka, redis = self.kafka, self.redis
        told = {
            "KAFKA__BOOTSTRAP_SERVERS": kafka.listeners["SASL"],
            "KAFKA__SECURITY__PROTOCOL": "SASL_SSL",
            "KAFKA__SECURITY__USERNAME": user,
            "KAFKA__SECURITY__PASSWORD_FILE": self._file("kafka", user, kafka.passwords.get(user)),
            "KAFKA__SECURITY__CA_FILE": str(kafka.ca),
            "REDIS__URL": redis.url,
            "REDIS__SECURITY__USERNAME": user,
            "REDIS__SECURITY__PASSWORD_FILE": self._file("redis", user, redis.passwords.get(user)),
            "REDIS__SECURITY__CA_FILE": str(redis.ca),
            "STATE__KEY_FILE": self._file("state", "key", STATE_KEY),
            "INGEST__TOKEN_FILE": self._file("ingest", "token", INGEST_TOKEN),
            "LOG__LEVEL": "debug",
            **{f"{name}__PORT": str(port) for name, port in self.ports.items()},
            **{f"MONITORING__{name}": str(value) for name, value in SETTINGS.items()},
            **changes,
        }
        ours = {name: v for name, v in os.environ.items() if not name.startswith("STREAMGAUGE_")}
        return ours | {f"STREAMGAUGE_{name}": value for name, value in told.items()}

    def start(self, service: str, **changes: str) -> subprocess.Popen[bytes]:
        with self.log(service).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"services.{service}"],
                cwd=ROOT,
                env=self.environment(service, **changes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running.append(process)
        return process

    def log(self, service: str) -> Path:
        return self._directory / f"{service}.log"

    def said(self, service: str) -> str:
        return self.log(service).read_text(errors="replace")

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _file(self, of: str, name: str, secret: str | None) -> str:
        path = self._directory / f"{of}-{name}.secret"
        path.write_text(f"{secret or 'none'}\n")
        return str(path)
