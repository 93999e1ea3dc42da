"""The JSON Schema of a spec, for editors that complete and check while one writes."""

from __future__ import annotations

from typing import Any

from streamgauge.specs.model_spec import ModelSpec


def spec_schema() -> dict[str, Any]:
    """The schema, in the dialect that YAML editors read."""
    schema = ModelSpec.model_json_schema(by_alias=True, mode="validation")
    schema["description"] = "The monitoring of one model, as `streamgauge apply` takes it."
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://streamgauge.example/schemas/spec/v1.json",
        **schema,
    }
