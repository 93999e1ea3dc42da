from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.rules import ALERTS, Rule
from tests.missing import missing

CONFIG = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
pytestmark = pytest.mark.integration


def amtool(*arguments: str) -> str:
    if shutil.which("amtool") is None:
        missing("no amtool on PATH (Debian: prometheus-alertmanager)")
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def receiver(**labels: str) -> str:
    told = [f"{name}={value}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={CONFIG}", *told).strip()


def test_amtool_takes_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_goes_where_its_severity_says(alert: Rule) -> None:
    wanted = {"critical": "pager", "warning": "team", "info": "nobody", "none": "dead-man"}
    assert receiver(alertname=alert.name, **alert.labels) == wanted[alert.labels["severity"]]


def test_the_dead_mans_switch_has_a_receiver_of_its_own() -> None:
    assert receiver(alertname="Watchdog", severity="none") == "dead-man"
    assert receiver(alertname="Whatever", severity="critical") == "pager"


def test_alerts_are_grouped_by_model_and_name() -> None:
    assert yaml.safe_load(CONFIG.read_text())["route"]["group_by"] == ["model", "alertname"]
