"""The contract on disk: schemas are fresh, examples satisfy them, and evolution is guarded."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from streamgauge_client.events import EVENTS
from streamgauge_client.evolution import breaking_changes
from streamgauge_client.schema import generate, main

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "schemas" / "jsonschema"
#: The schemas as they were first released. They are never regenerated.
RELEASED = Path(__file__).parent / "released"
EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*/1/*.json"))
Document = dict[str, Any]


def read(path: Path) -> Document:
    document: Document = json.loads(path.read_text(encoding="utf-8"))
    return document


def schema_of(event: str, folder: Path = FOLDER) -> Document:
    return read(folder / f"{event}.v1.schema.json")


@pytest.mark.parametrize("name", sorted(generate()))
def test_a_committed_schema_is_fresh(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == generate()[name]


@pytest.mark.parametrize("event", EVENTS)
def test_a_schema_is_valid_and_names_itself(event: str) -> None:
    schema = schema_of(event)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/schemas/{event}/v1.json")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_examples_small_and_full(event: str) -> None:
    names = {path.stem for path in EXAMPLES if path.parts[-3] == event}
    assert {"minimal", "full"} <= names
    assert EVENTS[event].model_fields.keys() - {"error_type", "e_value", "ends_at", "handling"} <= (
        read(ROOT / "schemas" / "examples" / event / "1" / "full.json").keys()
    ), "the full example shows every field"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
class TestExample:
    def test_parses_and_keeps_every_field(self, path: Path) -> None:
        document = read(path)
        event = EVENTS[path.parts[-3]].model_validate_json(path.read_bytes())
        assert event.model_dump(exclude_unset=True) == document

    def test_satisfies_the_present_schema_and_the_first_one(self, path: Path) -> None:
        for folder in (FOLDER, RELEASED):
            jsonschema.validate(read(path), schema_of(path.parts[-3], folder))

    def test_tolerates_fields_of_the_future(self, path: Path) -> None:
        document = read(path) | {"of_the_future": {"deep": [1, 2]}}
        known = EVENTS[path.parts[-3]].model_validate_json(json.dumps(document))
        assert known == EVENTS[path.parts[-3]].model_validate_json(path.read_bytes())
        jsonschema.validate(document, schema_of(path.parts[-3]))


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_model_writes_satisfies_the_schema(event: str) -> None:
    for path in (path for path in EXAMPLES if path.parts[-3] == event):
        written = EVENTS[event].model_validate_json(path.read_bytes()).model_dump_json()
        jsonschema.validate(json.loads(written), schema_of(event))


@pytest.mark.parametrize("event", EVENTS)
def test_the_present_schema_may_follow_the_first(event: str) -> None:
    assert breaking_changes(schema_of(event, RELEASED), schema_of(event)) == []


def removed(schema: Document) -> None:
    del schema["properties"]["latency_ms"]


def retyped(schema: Document) -> None:
    schema["properties"]["model"]["type"] = "integer"


def retyped_inside_a_definition(schema: Document) -> None:
    schema["$defs"]["ScoredLabel"]["properties"]["label"]["type"] = "integer"


def widened(schema: Document) -> None:
    schema["properties"]["latency_ms"]["anyOf"].append({"type": "string"})


def narrowed(schema: Document) -> None:
    schema["properties"]["model"]["maxLength"] = 64


def newly_required(schema: Document) -> None:
    schema["required"].append("latency_ms")


def no_longer_required(schema: Document) -> None:
    schema["required"].remove("output")


def closed(schema: Document) -> None:
    schema["additionalProperties"] = False


def another_word(schema: Document) -> None:
    schema["properties"]["status"]["enum"].append("cached")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (removed, "latency_ms: removed"),
        (retyped, "model: type changed from 'string' to 'integer'"),
        (retyped_inside_a_definition, "type changed from 'string' to 'integer'"),
        (widened, "latency_ms.anyOf: changed"),
        (narrowed, "model: maxLength changed from 128 to 64"),
        (newly_required, "latency_ms: newly required"),
        (no_longer_required, "output: no longer required"),
        (closed, "event: additionalProperties added"),
        (another_word, "status.enum: changed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_breaking_change_is_refused(damage: Callable[[Document], None], told: str) -> None:
    old = schema_of("prediction")
    new = copy.deepcopy(old)
    damage(new)
    assert [problem for problem in breaking_changes(old, new) if told in problem]


def test_an_optional_field_and_other_words_are_welcome() -> None:
    old = schema_of("prediction")
    new = copy.deepcopy(old)
    new["properties"]["region"] = {"type": "string", "default": ""}
    new["description"] = "said better"
    assert breaking_changes(old, new) == []


def test_the_generator_refuses_to_overwrite_with_a_breaking_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given committed schemas, of which one promises a field that the models no longer have
    assert main([str(tmp_path)]) == 0
    path = tmp_path / "label.v1.schema.json"
    promised = read(path)
    promised["properties"]["promised"] = {"type": "string"}
    path.write_text(json.dumps(promised), encoding="utf-8")
    # When they are generated again
    # Then the promise stands, and the reason is told
    assert main([str(tmp_path)]) == 1
    assert read(path) == promised
    assert "promised: removed" in capsys.readouterr().err
    # And only by force it goes
    assert main([str(tmp_path), "--check"]) == 1
    assert main([str(tmp_path), "--breaking"]) == 0
    assert main([str(tmp_path), "--check"]) == 0
