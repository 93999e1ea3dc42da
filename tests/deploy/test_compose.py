from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from streamgauge.settings import Settings, load_settings
from tests.deploy import compose
from tests.deploy.compose import FILE, ROOT
from tests.missing import missing

OURS = compose.ours()
ALL = compose.services()
ENV_EXAMPLE = ROOT / ".env.example"
#: It ends when its work is done, so that there is no health to ask about.
ONE_SHOT = "topics"
#: What compose itself reads from .env.
COMPOSES_OWN = {"COMPOSE_PROFILES"}
#: What our processes read beside the settings.
NO_SETTINGS = {"DEMO_SECONDS", "LOAD_RATE"}


def test_every_service_of_the_repository_is_there() -> None:
    folders = {path.parent.name for path in ROOT.glob("services/*/__main__.py")} - {"stack"}
    assert set(OURS) == folders | {"topics", "demo", "load"}
    assert {name for each in ALL.values() for name in each.get("profiles", [])} == {
        "ingest",
        "learner",
        "demo",
        "load",
    }


@pytest.mark.parametrize("name", OURS)
def test_its_command_exists(name: str) -> None:
    module = compose.module(OURS[name])
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"there is no {module}"
    if spec.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{module}.__main__") is not None


@pytest.mark.parametrize("name", OURS)
def test_it_writes_nowhere_and_may_do_nothing(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service and "privileged" not in service, "the image's user is not root"
    assert not service.get("volumes")


def test_the_image_is_not_roots() -> None:
    users = re.findall(r"^USER (.+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)
    assert users and users[-1].isdigit() and int(users[-1]) >= 10_000


@pytest.mark.parametrize("name", ALL)
def test_everything_has_a_healthcheck(name: str) -> None:
    if name == ONE_SHOT:
        waiting = [each["depends_on"][name] for each in OURS.values() if name in each["depends_on"]]
        assert waiting and all(w["condition"] == "service_completed_successfully" for w in waiting)
        return
    check = ALL[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", [name for name in OURS if name != ONE_SHOT])
def test_the_healthcheck_asks_where_the_service_listens(name: str) -> None:
    port = compose.health_port(OURS[name])
    section = getattr(load_settings(), name, None)
    command = OURS[name]["command"]
    assert port == (section.port if section else int(command[command.index("--port") + 1]))


def known(name: str) -> bool:
    """Whether a variable is a field of the settings; of a secret also the file that holds it."""
    section, double, key = name.lower().removeprefix("streamgauge_").partition("__")
    field = Settings.model_fields.get(section)
    if not double or field is None:
        return False
    assert isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    return key.removesuffix("_file") in field.annotation.model_fields


@pytest.mark.parametrize("name", OURS)
def test_it_is_told_nothing_that_it_does_not_know(name: str) -> None:
    told = set(OURS[name]["environment"])
    assert [v for v in told if v not in NO_SETTINGS and not known(v)] == []
    assert not known("STREAMGAUGE_KAFKA__BOOTSTRAP_SERVER") and not known("STREAMGAUGE_REDIS_URL")


def test_the_example_explains_every_variable_and_no_other() -> None:
    explained = set(re.findall(r"^#? ?([A-Z_]+)=", ENV_EXAMPLE.read_text(), re.M))
    assert explained == compose.variables() | COMPOSES_OWN


def test_defaults_of_the_example_are_those_of_the_file() -> None:
    text = FILE.read_text()
    for name, value in re.findall(r"^# ([A-Z_]+)=(.+)$", ENV_EXAMPLE.read_text(), re.M):
        assert name in COMPOSES_OWN or f"${{{name}:-{value}}}" in text


@pytest.mark.parametrize("name", ALL)
def test_ports_are_this_machines_and_images_pinned(name: str) -> None:
    service = ALL[name]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert name in OURS or re.search(r":v?\d[\w.]*$", service["image"])


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "grafana"])
def test_what_is_mounted_is_read_only(name: str) -> None:
    files = [v for v in ALL[name]["volumes"] if v.startswith(".")]
    assert files and all(volume.endswith(":ro") for volume in files)
    for volume in files:
        source = ROOT / volume.partition(":")[0]
        # Compose would make what is missing: an empty directory of root's.
        assert source.is_dir() or (name == "grafana" and not source.parent.exists())


def test_prometheus_scrapes_where_the_services_listen() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    scraped: dict[str, Any] = {}
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            (scraped[job["job_name"]],) = [(name, found["port"]) for name in found["names"]]
    assert scraped == {
        f"streamgauge-{name}": (name, compose.health_port(service))
        for name, service in OURS.items()
        # The demo's service is the kind that is watched, and has no metrics of its own.
        if name not in (ONE_SHOT, "demo")
    }


@pytest.mark.integration
def test_compose_takes_the_file() -> None:
    text = FILE.read_text()
    if shutil.which("docker") and _works("docker", "compose", "version"):
        command = ["docker", "compose"]
    elif shutil.which("docker-compose") is not None:
        # Debian's is 1.29, which knows all of it but the name.
        command = ["docker-compose"]
        text = re.sub(r"^name: .*\n", "", text, flags=re.M)
    else:
        missing("neither docker compose nor docker-compose (Debian) is here")
    done = subprocess.run(
        [*command, "--file", "-", "--project-directory", str(ROOT), "config", "--quiet"],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
