"""The layers hold, and each contract that guards them is proven by breaking it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    "streamgauge_client": ROOT / "schemas/src/streamgauge_client",
    "streamgauge": ROOT / "src/streamgauge",
    "services": ROOT / "services",
}
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
#: By contract: who imports whom where that is forbidden.
BREAKS = {
    "contract, domain, processes: dependencies point one way": [
        ("streamgauge_client.topics", "streamgauge.processing"),
        ("streamgauge.monitor", "services.stack"),
    ],
    "inside the domain": [
        ("streamgauge.windows", "streamgauge.monitor"),
        ("streamgauge.detectors", "streamgauge.distances"),
        ("streamgauge.clock", "streamgauge.processing"),
    ],
    "processes meet only in topics and state": [
        ("services.exporter", "services.monitor"),
        ("services.stack", "services.monitor"),
    ],
    "the domain does no input or output": [
        ("streamgauge.detectors", "redis"),
        ("streamgauge.monitor", "aiohttp"),
    ],
    "Faust in one place": [("streamgauge.state", "faust"), ("services.monitor", "faust")],
}


def lint_imports(directory: Path) -> tuple[int, str]:
    """Run import-linter on the packages that are found in ``directory``."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(directory), "COLUMNS": "200"},
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The checkout's modules, all of them empty, under the checkout's contracts."""
    for package, source in SOURCES.items():
        for path in source.rglob("*.py"):
            empty = tmp_path / package / path.relative_to(source)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


def write_import(directory: Path, importer: str, imported: str) -> None:
    path = directory.joinpath(*importer.split("."))
    module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert module.exists()
    module.write_text(f"import {imported}\n")


def children(package: str) -> set[str]:
    """The modules directly inside a package, by full name."""
    return {
        f"{package}.{path.stem}"
        for path in SOURCES[package].iterdir()
        if (path.suffix == ".py" and path.stem not in ("__init__", "__main__"))
        or (path / "__init__.py").exists()
    }


def test_the_checkout_keeps_every_contract() -> None:
    code, output = lint_imports(ROOT)
    assert code == 0, output


def test_every_contract_has_a_break_that_proves_it() -> None:
    assert set(CONTRACTS) == set(BREAKS)


def test_no_service_is_outside_the_independence_contract() -> None:
    contract = CONTRACTS["processes meet only in topics and state"]
    # What services are wired with is no process.
    assert set(contract["modules"]) == children("services") - {
        "services.preflight",
        "services.worker",
    }


def test_no_part_of_the_domain_may_import_faust_but_streaming() -> None:
    guarded = set(CONTRACTS["Faust in one place"]["source_modules"])
    assert guarded == {"streamgauge_client", "services"} | children("streamgauge") - {
        "streamgauge.streaming"
    }


@pytest.mark.parametrize(
    ("contract", "importer", "imported"),
    [(name, *pair) for name, pairs in BREAKS.items() for pair in pairs],
    ids=[f"{importer}->{imported}" for pairs in BREAKS.values() for importer, imported in pairs],
)
def test_a_forbidden_import_breaks_its_contract(
    skeleton: Path, contract: str, importer: str, imported: str
) -> None:
    # Given the checkout's modules, which import nothing
    # When one of them imports what it must not
    write_import(skeleton, importer, imported)
    code, output = lint_imports(skeleton)
    # Then that contract breaks, and no other
    assert code != 0, output
    assert f"{contract} BROKEN" in output
    assert output.count(" BROKEN") == 1
