"""The gateway's OpenAPI document has what its peers answer for."""

from __future__ import annotations

from typing import Any

from gateway.whole_document import add


def _document(path: str, **schemas: Any) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{next(iter(schemas))}"}
    content = {"content": {"application/json": {"schema": reference}}}
    operations = {"get": {"operationId": f"get_{path.strip('/')}", "responses": {"200": content}}}
    return {"paths": {path: operations}, "components": {"schemas": schemas}}


def test_only_what_is_passed_on_is_taken_and_equal_models_are_shared() -> None:
    whole = _document("/api/jobs", Page={"type": "object"})
    part = _document("/api/models", Page={"type": "object"})
    part["paths"]["/internal"] = {}
    add(whole, part, "registry")
    assert set(whole["paths"]) == {"/api/jobs", "/api/models"}
    assert set(whole["components"]["schemas"]) == {"Page"}


def test_another_model_of_the_same_name_is_renamed_with_its_references() -> None:
    whole = _document("/api/jobs", Query={"type": "object"})
    add(whole, _document("/api/datasets", Query={"type": "string"}), "datasets")
    assert set(whole["components"]["schemas"]) == {"Query", "Query_datasets"}
    answer = whole["paths"]["/api/datasets"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["$ref"] == "#/components/schemas/Query_datasets"
