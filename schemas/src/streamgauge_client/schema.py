"""Generates the contract's documents: ``python -m streamgauge_client.schema [FOLDER]``.

That is a JSON Schema for each event, and an AsyncAPI document of all. It refuses to overwrite a
schema with one that breaks the evolution rule.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from streamgauge_client.asyncapi import asyncapi
from streamgauge_client.events import EVENTS
from streamgauge_client.evolution import breaking_changes
from streamgauge_client.yaml_text import to_yaml

DEFAULT_FOLDER = Path("schemas/jsonschema")
DEFAULT_ASYNCAPI = Path("schemas/asyncapi.yaml")
_ID = "https://streamgauge.example/schemas/{event}/v1.json"


def generate() -> dict[str, str]:
    """The text of each schema, by file name."""
    return {f"{event}.v1.schema.json": _text(event) for event in EVENTS}


def generate_asyncapi(examples: Path) -> str:
    """The text of the AsyncAPI document; each event's minimal example is shown with it."""
    found = {event: examples / event / "1" / "minimal.json" for event in EVENTS}
    return to_yaml(
        asyncapi(
            {
                event: json.loads(path.read_text(encoding="utf-8"))
                for event, path in found.items()
                if path.exists()
            }
        )
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="streamgauge_client.schema", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--asyncapi", type=Path, metavar="FILE", help="default: beside the folder")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not fresh")
    parser.add_argument("--breaking", action="store_true", help="overwrite all the same")
    options = parser.parse_args(arguments)
    document = options.asyncapi or (
        DEFAULT_ASYNCAPI if options.folder == DEFAULT_FOLDER else options.folder / "asyncapi.yaml"
    )
    failed = False
    texts = {options.folder / name: text for name, text in generate().items()}
    texts[document] = generate_asyncapi(document.parent / "examples")
    for path, text in texts.items():
        present = path.read_text(encoding="utf-8") if path.exists() else None
        if text == present:
            continue
        problems = (
            breaking_changes(json.loads(present), json.loads(text))
            if present and path.suffix == ".json"
            else []
        )
        if options.check:
            failed = True
            print(f"{path}: not fresh; run python -m streamgauge_client.schema", file=sys.stderr)
        elif problems and not options.breaking:
            failed = True
            for problem in problems:
                print(f"{path}: {problem}", file=sys.stderr)
            print(f"{path}: not written; add optional fields only", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if failed else 0


def _text(event: str) -> str:
    schema = EVENTS[event].model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$id"] = _ID.format(event=event)
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
