"""One OpenAPI document for everything behind the gateway's door: its own routes, and those it passes on."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from kargah.clients.service_http import service_client
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_SECONDS = 3.0
_PASSED_ON = ("/api/datasets", "/api/models", "/api/blobs", "/api/storage", "/api/hub/", "/hub/", "/v1/")
Document = dict[str, Any]


def with_peers(own: Document, urls: Mapping[str, str]) -> Callable[[], Document]:
    """A reader of the whole document. `urls` of the peers by name; one that does not answer is left out, and told."""
    http = service_client(*urls.values(), timeout=_SECONDS)

    def read() -> Document:
        whole: Document = copy.deepcopy(own)
        for name, url in urls.items():
            try:
                add(whole, http.get(f"{url}/openapi.json").raise_for_status().json(), name)
            except (httpx.HTTPError, ValueError) as error:
                _log.warning("a peer's document is missing", peer=name, error=str(error))
        return whole

    return read


def add(whole: Document, part: Document, name: str) -> None:
    """Put the paths of `part` that are passed on into `whole`, with the components that they need.

    A component that differs from one of the same name is renamed after the peer, and so are all its operations.
    """
    schemas = whole["components"]["schemas"]
    clashing = {
        title for title, schema in part["components"]["schemas"].items() if schemas.get(title, schema) != schema
    }
    text = json.dumps(part)
    for title in clashing:
        text = text.replace(f'"#/components/schemas/{title}"', f'"#/components/schemas/{title}_{name}"')
    renamed = json.loads(text)
    for operation in (one for operations in renamed["paths"].values() for one in operations.values()):
        operation["operationId"] = f"{name}_{operation['operationId']}"
    for title, schema in renamed["components"]["schemas"].items():
        schemas[f"{title}_{name}" if title in clashing else title] = schema
    whole["paths"] |= {path: operations for path, operations in renamed["paths"].items() if path.startswith(_PASSED_ON)}
