"""Snippets of ``docs/``: Python is compiled and run, specs and settings are read, JSON parses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from streamgauge.cli.spec_files import read_specs
from streamgauge.settings import Settings, load_settings
from streamgauge.specs.model_spec import ModelSpec
from streamgauge_client.testing import capture
from tests.manual.reading import PAGES, Block, blocks
from tests.manual.stage import Stage, staged

PYTHON = [each for page in PAGES for each in blocks(page, "python")]
YAML = [each for page in PAGES for each in blocks(page, "yaml")]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), services=()) as found:
        yield found


def test_there_are_snippets_of_each_kind() -> None:
    assert len(PYTHON) >= 4 and len(YAML) >= 20


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_does_what_it_says(
    block: Block, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    code = compile(stage.here(block.text), str(block), "exec")
    names: dict[str, object] = {"__name__": "snippet"}
    # What a snippet publishes is taken as its readers' tests take it; all of it must be right.
    with capture() as events:
        exec(code, names)
    assert events.invalid == []
    assert len(events) > 0 or "Publisher(" not in block.text


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_a_spec_or_settings(block: Block, tmp_path: Path) -> None:
    said = yaml.safe_load(block.text)
    assert isinstance(said, dict) and said
    if said.keys() <= Settings.model_fields.keys():
        (tmp_path / "secret").write_text("redis://localhost:6379/0")
        path = tmp_path / "streamgauge.yaml"
        path.write_text(block.text.replace("/run/secrets/redis", str(tmp_path / "secret")))
        load_settings(config=path)
        return
    assert said.keys() <= ModelSpec.model_fields.keys(), "neither a spec nor settings"
    path = tmp_path / "fraud.yaml"
    path.write_text(block.text if "model" in said else f"model: fraud\n{_task(said)}{block.text}")
    (found,) = read_specs([path])
    assert not found.mistakes, found.mistakes


def _task(said: dict[str, object]) -> str:
    """A part of a spec may learn without saying what: the page's whole says it."""
    return "" if "task" in said else "task: binary\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_json_parses(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.text)


def test_a_wrong_spec_is_noticed(tmp_path: Path) -> None:
    # Given a page's spec with a key that there is none of
    block = Block(tmp_path / "page.md", 1, "yaml", "model: fraud\nfeatures: {a: {rnage: [0, 1]}}\n")
    # When it is read as the pages' are, it is noticed
    with pytest.raises(AssertionError, match="rnage"):
        test_yaml_is_a_spec_or_settings(block, tmp_path)


def test_every_block_has_a_language_that_is_looked_at() -> None:
    known = {"sh", "python", "pycon", "yaml", "json", "mermaid"}
    fences = [
        (page.name, line)
        for page in PAGES
        for line in page.read_text(encoding="utf-8").split("\n")
        if line.strip().startswith("```") and line.strip() not in {f"```{each}" for each in known}
    ]
    assert [line for line in fences if line[1].strip() != "```"] == []


def test_diagrams_hold_nothing_that_ends_a_line_early() -> None:
    # Mermaid takes a semicolon for the end of a statement, and then draws nothing
    for page in PAGES:
        for block in blocks(page, "mermaid"):
            assert ";" not in block.text, str(block)
