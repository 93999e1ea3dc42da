"""``docker-compose.yml`` as compose reads it: anchors resolved, variables put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")

Service = Mapping[str, Any]


def services(environment: Mapping[str, str] | None = None) -> dict[str, Service]:
    """All services by name, with the variables of an environment, else with their defaults."""
    told = environment or {}
    text = _VARIABLE.sub(lambda m: told.get(m[1]) or m[2] or "", FILE.read_text())
    found: dict[str, Service] = yaml.safe_load(text)["services"]
    return found


def variables() -> set[str]:
    """What the file takes from the environment."""
    # Without the comments, which speak of some as an example.
    lines = [line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    return {match[1] for match in _VARIABLE.finditer("\n".join(lines))}


def ours(environment: Mapping[str, str] | None = None) -> dict[str, Service]:
    """The services that run our image."""
    found = services(environment)
    return {name: each for name, each in found.items() if each["image"] == "streamgauge"}


def module(service: Service) -> str:
    """What ``python -m`` runs."""
    python, flag, name = service["command"][:3]
    assert (python, flag) == ("python", "-m")
    return str(name)


def health_port(service: Service) -> int:
    """The port that the healthcheck asks."""
    found = re.search(r"http://127\.0\.0\.1:(\d+)/readyz", service["healthcheck"]["test"][-1])
    assert found is not None, "the healthcheck asks no /readyz"
    return int(found[1])
