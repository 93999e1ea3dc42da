"""The AsyncAPI document: fresh, whole, true to topics and models, and valid by its own schema."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from streamgauge.processing import DeadLetter, LogRecord
from streamgauge.streaming.dead_letters import outgoing
from streamgauge_client import encode
from streamgauge_client.asyncapi import DEAD_LETTER_HEADERS, asyncapi
from streamgauge_client.events import EVENTS
from streamgauge_client.schema import generate_asyncapi, main
from streamgauge_client.topics import SNAPSHOTS, TOPICS
from streamgauge_client.yaml_text import to_yaml

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = sorted((SCHEMAS / "examples").glob("*/1/*.json"))
#: Where the npm package @asyncapi/specs lies, for who has it: it is not ours to commit.
SPECS = Path(os.environ.get("ASYNCAPI_SPECS", "node_modules/@asyncapi/specs"))
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    loaded: Document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
    return loaded


def resolved(document: Document, reference: str) -> Any:
    found: Any = document
    assert reference.startswith("#/")
    for part in reference[2:].split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def validator(document: Document, schema: Document) -> Draft202012Validator:
    """For a schema of the document, whose references lead into it."""
    return Draft202012Validator({**schema, "components": document["components"]})


def test_the_committed_document_is_fresh(document: Document) -> None:
    text = (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert text == generate_asyncapi(SCHEMAS / "examples")
    smallest = [path for path in EXAMPLES if path.stem == "minimal"]
    minimal = {path.parts[-3]: json.loads(path.read_bytes()) for path in smallest}
    assert document == asyncapi(minimal)


def test_every_reference_leads_somewhere(document: Document) -> None:
    found = set(references(document))
    assert len(found) > 30
    for reference in found:
        assert isinstance(resolved(document, reference), dict), reference


def test_every_event_lies_on_one_channel_and_every_channel_has_messages(
    document: Document,
) -> None:
    channels = document["channels"]
    assert channels.keys() == {topic.name for topic in TOPICS} - {SNAPSHOTS.name}
    on_channels = [name for channel in channels.values() for name in channel["messages"]]
    assert sorted(on_channels) == sorted([*EVENTS, "dead_letter"])
    for channel in channels.values():
        for name, message in channel["messages"].items():
            assert message["$ref"] == f"#/components/messages/{name}"


def test_channels_say_what_the_topics_say(document: Document) -> None:
    for topic in TOPICS:
        if topic is SNAPSHOTS:
            continue
        channel = document["channels"][topic.name]
        prefix = document["components"]["parameters"]["prefix"]["default"]
        assert channel["address"].replace("{prefix}", prefix) == topic.under()
        kafka = channel["bindings"]["kafka"]["topicConfiguration"]
        assert kafka["max.message.bytes"] == topic.max_message_bytes
        assert kafka["retention.ms"] == (
            -1 if topic.retention_days is None else topic.retention_days * 24 * 3600 * 1000
        )
        operations = [
            operation
            for operation in document["operations"].values()
            if operation["channel"]["$ref"] == f"#/channels/{topic.name}"
        ]
        for action, parties in (("send", topic.producers), ("receive", topic.consumers)):
            told = [each for each in operations if each["action"] == action]
            assert [each["tags"][0]["name"] for each in told] == list(parties)
        for operation in operations:
            # An operation's messages are its channel's own, as the specification asks.
            for message in operation["messages"]:
                assert message["$ref"].startswith(f"#/channels/{topic.name}/messages/")


@pytest.mark.parametrize("event", EVENTS)
def test_every_schema_is_one_and_every_message_has_an_example(
    document: Document, event: str
) -> None:
    message = document["components"]["messages"][event]
    assert message["bindings"]["kafka"]["bindingVersion"] == "0.5.0"
    for schema in (message["headers"], document["components"]["schemas"][EVENTS[event].__name__]):
        Draft202012Validator.check_schema(schema)
        # What AsyncAPI calls a schema is an extension of draft 7.
        Draft7Validator.check_schema(schema)
    checked = validator(document, message["payload"])
    (example,) = message["examples"]
    checked.validate(example["payload"])
    with pytest.raises(jsonschema.ValidationError):
        checked.validate({**example["payload"], "model": 5})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: "/".join(path.parts[-3:]))
def test_what_is_sent_satisfies_the_document(document: Document, path: Path) -> None:
    # Given a record as the client makes it
    event = path.parts[-3]
    parsed = EVENTS[event].model_validate_json(path.read_bytes())
    extensions = {"sequence": "0123456789abcdef-7", "sampledrate": "10"}
    record = encode(parsed, source="/tests", time=1.7e9, extensions=extensions)
    # Then payload and headers are what the message says, and each header is known
    message = document["components"]["messages"][event]
    validator(document, message["payload"]).validate(json.loads(record.value))
    headers = {name: value.decode() for name, value in record.headers}
    validator(document, message["headers"]).validate(headers)
    known = document["components"]["schemas"]["EventHeaders"]["properties"]
    assert headers.keys() <= known.keys()
    # And another event's type is none
    with pytest.raises(jsonschema.ValidationError):
        validator(document, message["headers"]).validate({**headers, "ce_type": "x"})


def test_a_dead_letters_headers_are_those_that_are_written(document: Document) -> None:
    record = LogRecord("streamgauge.labels", 1, 2, 1.7e9, b"m", (), b"{")
    letter = outgoing(
        DeadLetter(record, "decode", "not JSON"), topic="streamgauge.dead-letters", service="m"
    )
    headers = {name: value.decode() for name, value in letter.headers}
    assert headers.keys() == DEAD_LETTER_HEADERS.keys()
    schema = document["components"]["messages"]["dead_letter"]["headers"]
    validator(document, schema).validate(headers)


@pytest.mark.skipif(not SPECS.is_dir(), reason="the npm package @asyncapi/specs is not here")
def test_the_document_is_valid_by_asyncapis_own_schema(document: Document) -> None:
    schema = json.loads((SPECS / "schemas" / "3.1.0.json").read_text(encoding="utf-8"))
    official = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in official.iter_errors(document)] == []
    # And that schema does look: a binding that Kafka does not have is seen
    channel = document["channels"]["labels"]
    kafka = {"topicConfiguration": {"cleanup.policy": "delete"}, "bindingVersion": "0.5.0"}
    damaged = {"labels": {**channel, "bindings": {"kafka": kafka}}}
    assert not official.is_valid({**document, "channels": damaged})


def test_it_is_written_and_checked_with_the_schemas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 0
    path = tmp_path / "asyncapi.yaml"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == asyncapi()
    assert main([str(tmp_path), "--check"]) == 0
    path.write_text("asyncapi: 2.0.0\n", encoding="utf-8")
    assert main([str(tmp_path), "--check"]) == 1
    assert "asyncapi.yaml: not fresh" in capsys.readouterr().err


#: What a YAML reader may take for something else.
TRAPS = (
    *("yes", "NO", "null", "~", "1", "1e3", "0x1", "2026-01-01", "12:30", "<<", "=", "|", ".5"),
    *("- a", "a: b", "a #b", "#", "", " a", "a ", "[a", "{a", "&a", "*a", "!a", "%a", "@a", "`a"),
    *("a\nb", "a\n\nb", "\na", "a\n", " a\nb", "a\n  b"),
)
JSON_DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
    | st.sampled_from(TRAPS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "yes", "$ref", "1", "", "x y"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"])), JSON_DATA))
def test_any_data_reads_back_from_its_yaml(data: Document) -> None:
    assert not data or yaml.safe_load(to_yaml(data)) == data
