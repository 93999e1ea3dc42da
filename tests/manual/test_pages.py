"""The generated half of ``docs/``: fresh, whole, and with words for everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from pydantic.fields import FieldInfo

from streamgauge.detectors import Detector
from streamgauge.distances import Distance
from streamgauge.manual.__main__ import main
from streamgauge.manual.pages import EXAMPLE, generate, stale
from streamgauge.manual.sections import Place, described, places
from streamgauge.manual.taken import taken
from streamgauge.settings import Settings
from streamgauge.specs.model_spec import ModelSpec
from streamgauge.telemetry import CATALOGUE

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*places(Place("", ModelSpec)), *places(Place("", Settings))]
KEYS = [
    pytest.param(place, key, field, id=f"{place.part.__name__}.{key}")
    for place in DOCUMENTS
    # Of the settings' own keys, which are sections, the headings tell.
    if place.part is not Settings
    for key, field in place.fields()
]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return generate(ROOT)


def test_what_is_committed_is_fresh() -> None:
    assert list(stale(ROOT)) == [], "run make docs"


def test_a_page_that_somebody_edited_is_noticed_and_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a checkout in which one page was edited and one is missing
    (tmp_path / EXAMPLE).parent.mkdir(parents=True)
    shutil.copy(ROOT / EXAMPLE, tmp_path / EXAMPLE)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    with (tmp_path / "docs/metrics.md").open("a") as edited:
        edited.write("One more.\n")
    (tmp_path / "docs/spec.md").unlink()
    # When it is checked, both are named, and nothing is touched
    assert main([str(tmp_path), "--check"]) == 1
    said = capsys.readouterr().err
    assert "metrics.md: not fresh" in said and "spec.md: not fresh" in said
    assert "settings.md" not in said and not (tmp_path / "docs/spec.md").exists()
    # And when they are written, all is fresh
    assert main([str(tmp_path)]) == 0
    assert main([str(tmp_path), "--check"]) == 0


def test_outside_of_a_checkout_it_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "fraud.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(("place", "key", "field"), KEYS)
def test_each_key_says_what_it_takes_and_means(
    place: Place, key: str, field: FieldInfo, pages: dict[str, str]
) -> None:
    meaning = described(place.part, key, field)
    assert taken(field) and meaning, f"give {place.part.__name__}.{key} a description"
    of_spec = place.part.__module__.startswith("streamgauge.specs")
    page = pages["spec.md" if of_spec else "settings.md"]
    shown = f"`{key}`"
    assert any(shown in line and meaning[:20] in line for line in page.split("\n"))


def test_every_section_has_a_heading(pages: dict[str, str]) -> None:
    headings = {line for text in pages.values() for line in text.split("\n") if line[:1] == "#"}
    for place in DOCUMENTS:
        if place.path and place.part not in (Settings, ModelSpec):
            assert headings & {f"## `{place.path}`", f"### `{place.path}`"}, place.path


def test_every_exposed_number_is_there_once(pages: dict[str, str]) -> None:
    for definition in CATALOGUE:
        assert pages["metrics.md"].count(f"| `{definition.full_name}` |") == 1


def test_every_detector_and_distance_is_there_with_its_measured_false_alarms(
    pages: dict[str, str],
) -> None:
    text = pages["detectors.md"]
    for name, detector in Detector.classes().items():
        (row,) = (line for line in text.split("\n") if line.startswith(f"| [`{name}`]"))
        assert f"| {detector.false_alarms:g} |" in row or detector.false_alarms == 0
        assert f"### `{name}`" in text
    assert {f"### `{name}`" for name in Distance.names()} <= set(text.split("\n"))


def test_each_top_level_key_of_the_example_is_shown(pages: dict[str, str]) -> None:
    said = yaml.safe_load((ROOT / EXAMPLE).read_text(encoding="utf-8"))
    blocks = [
        yaml.safe_load(part.split("```")[0]) for part in pages["spec.md"].split("```yaml\n")[1:]
    ]
    shown = {key: value for block in blocks for key, value in block.items()}
    assert shown == said
