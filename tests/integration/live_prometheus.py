"""A real Prometheus that scrapes processes of this machine, and answers as Grafana asks it."""

from __future__ import annotations

import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from services.stack.ports import free_port
from tests.missing import missing

CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: anything
    static_configs: [{{targets: [{targets}]}}]
"""


class Prometheus:
    """``with Prometheus(directory, ports) as prometheus: …``; it ends with the block."""

    def __init__(self, directory: Path, ports: Iterable[int]) -> None:
        program = shutil.which("prometheus")
        if program is None:
            missing("no prometheus on PATH")
        self._port = free_port()
        self._log = directory / "prometheus.log"
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        configuration = directory / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(targets=targets))
        self._command = [
            program,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory / 'series'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        with self._log.open("wb") as sink:
            self._process = subprocess.Popen(self._command, stdout=sink, stderr=subprocess.STDOUT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=15)

    def ready(self) -> bool:
        """Whether it answers. Raises where it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()[-1000:]
        try:
            self.has_data("vector(1)")
        except urllib.error.URLError:
            return False
        return True

    def has_data(self, expr: str) -> bool:
        """Whether there is a sample that is a number. Raises for what is no PromQL."""
        result = self._get("query", {"query": expr})["result"]
        return any(not math.isnan(float(sample["value"][1])) for sample in result)

    def label_values(self, metric: str, label: str) -> list[str]:
        """As Grafana's ``label_values(metric, label)``."""
        return list(self._get(f"label/{label}/values", {"match[]": metric}))

    def _get(self, path: str, asked: Mapping[str, str]) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return orjson.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            with error:
                # While it starts it says so; anything else is a query that it does not understand.
                if error.code == 503:
                    raise urllib.error.URLError("starting") from error
                raise AssertionError(f"{asked}: {error.read().decode()}") from error
