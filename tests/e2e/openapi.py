"""Whether a document is OpenAPI 3.1. The usual validator is Python throughout: half a minute for one so large."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import jsonschema_rs

_SCHEMA = files("openapi_spec_validator") / "resources/schemas/v3.1/schema.json"


def check_document(document: dict[str, Any]) -> None:
    """Fails unless it follows OpenAPI's own schema, its models are JSON Schemas, references lead somewhere, and each
    operation has an id of its own."""
    jsonschema_rs.validator_for(json.loads(_SCHEMA.read_text())).validate(document)
    for model in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(model)
    text = json.dumps(document)
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(document["components"]["schemas"])
    operations = re.findall(r'"operationId": "([^"]+)"', text)
    assert operations and len(operations) == len(set(operations))
