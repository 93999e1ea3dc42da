"""What other teams install holds what it says, and nothing in the checkout points elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: By distribution: the directory of its pyproject, and the one name that it may bring.
DISTRIBUTIONS = {
    "streamgauge-client": ("schemas", "streamgauge_client"),
    "streamgauge": (".", "streamgauge"),
}
#: Hosts that packages and archives are fetched from. A pin names a hash and never a place.
DOWNLOAD_HOSTS = re.compile(
    r"(files\.pythonhosted|pypi\.(?:org|python)|repo1?\.maven|registry\.npmjs|repo\.maven\.apache"
    r"|archive\.apache|dlcdn\.|downloads\.apache|deb\.debian|proxy\.golang"
    r"|raw\.githubusercontent|index-url|extra-index)",
)


def committed() -> list[Path]:
    """The files that git holds or is about to."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module", params=DISTRIBUTIONS, ids=str)
def wheel(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> zipfile.ZipFile:
    name: str = request.param
    target = tmp_path_factory.mktemp(name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target)]
    done = subprocess.run(
        [*command, str(ROOT / DISTRIBUTIONS[name][0])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_a_wheel_brings_exactly_one_name(wheel: zipfile.ZipFile) -> None:
    names = {name.split("/")[0] for name in wheel.namelist()}
    packages = {name for name in names if not name.endswith(".dist-info")}
    metadata = (names - packages).pop().split("-")[0].replace("_", "-")
    assert packages == {DISTRIBUTIONS[metadata][1]}


def test_a_wheel_is_typed_and_complete(wheel: zipfile.ZipFile) -> None:
    (package,) = {n.split("/")[0] for n in wheel.namelist() if ".dist-info/" not in n}
    source = ROOT / ("schemas/src" if package == "streamgauge_client" else "src") / package
    assert f"{package}/py.typed" in wheel.namelist()
    assert {str(path.relative_to(source.parent)) for path in source.rglob("*.py")} == {
        name for name in wheel.namelist() if name.endswith(".py")
    }
    # What a browser loads is no module, and left out it would be missed only there.
    static = {str(path.relative_to(source.parent)) for path in source.rglob("static/*")}
    assert static <= set(wheel.namelist())


def test_the_client_asks_for_three_packages_alone() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "schemas/pyproject.toml").read_text())["project"]
    needs = {re.split(r"[<>=\[]", text)[0] for text in project["dependencies"]}
    assert needs == {"confluent-kafka", "orjson", "pydantic"}


#: Imports each of the client's modules where nothing else is installed but what it asks for.
_ALONE = """
import importlib, pkgutil, sys
ALLOWED = {"streamgauge_client", "confluent_kafka", "orjson", "pydantic"}
# What pydantic brings along.
ALLOWED |= {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}

class Missing:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        own = root in sys.stdlib_module_names or root.startswith("_sysconfigdata")
        if root not in ALLOWED and not own:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import streamgauge_client
for module in pkgutil.walk_packages(streamgauge_client.__path__, "streamgauge_client."):
    importlib.import_module(module.name)
publisher = streamgauge_client.Publisher(model="m", version="1")
from streamgauge_client.testing import capture
with capture() as events:
    publisher.log({"a": 1.5}, output=True)
    publisher.log_batch({"a": [1.5, None]}, output=[0.5, 0.25])
    publisher.heartbeat()
print(*(type(event).__name__ for event in events))
"""


def test_every_module_of_the_client_needs_its_three_packages_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALONE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["PredictionEvent", "PredictionBatch", "TelemetryEvent"]


def test_no_committed_file_names_a_download_host() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in committed()
        if path != Path(__file__)
        and (hit := DOWNLOAD_HOSTS.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not found


def test_every_pin_has_a_hash_and_no_address() -> None:
    for name in ("constraints.txt", "constraints-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text and "@" not in text
        for entry in re.split(r"\n(?=[a-z])", text.strip()):
            assert re.match(r"^[a-z0-9._-]+(\[[a-z,]+\])?==\S+", entry), entry[:80]
            assert "--hash=sha256:" in entry, entry[:80]


def test_no_lock_file_is_committed() -> None:
    locks = {"uv.lock", "poetry.lock", "package-lock.json", "yarn.lock", "Pipfile.lock"}
    assert not [path for path in committed() if path.name in locks]
