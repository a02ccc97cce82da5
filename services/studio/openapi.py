"""The OpenAPI document of what the Studio asks for, without starting anything: its types are made from it.

python services/studio/openapi.py build/openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from dataset_svc.changes.routes import add_changes
from dataset_svc.datasets.routes import datasets_api
from dataset_svc.resumable.routes import add_resumable
from gateway.access.routes import add_key_routes, add_project_routes, add_session_routes, add_user_routes
from gateway.estimates.routes import add_estimate_routes
from gateway.events.routes import add_event_routes
from gateway.jobs.checkpoint_routes import add_checkpoint_routes
from gateway.jobs.routes import add_job_routes
from gateway.model_file_routes import add_model_file_routes
from gateway.queue.routes import add_queue_routes
from gateway.sources import add_source_routes
from gateway.status import add_status_route
from gateway.whole_document import add
from kargah.web.api import Api
from kargah.web.openapi import document
from registry.labels.routes import label_routes
from registry.lineage.routes import lineage_routes
from registry.mirror.routes import mirror_routes
from registry.models.routes import model_routes
from registry.upstream.routes import upstream_routes
from worker.inference.routes import chat_routes
from worker.inference.tokens.routes import token_routes

_NONE = cast(Any, None)  # routes are declared, and never called


def whole() -> dict[str, Any]:
    """The gateway's own document, with what it passes on."""
    own = _document(_gateway())
    for name, api in {"datasets": _datasets(), "registry": _registry(), "inference": _inference()}.items():
        add(own, _document(api), name)
    return own


def _document(api: Api) -> dict[str, Any]:
    return document(api.title, api.version, api.routes)


def _gateway() -> Api:
    api = Api("Kargah", "")
    for declare in (add_job_routes, add_checkpoint_routes, add_estimate_routes, add_queue_routes, add_source_routes):
        declare(api, _NONE)
    add_model_file_routes(api, _NONE)
    add_status_route(api, _NONE)
    add_event_routes(api, _NONE, _NONE)
    add_session_routes(api, _NONE, _NONE, _NONE, auth=True)
    for declare_access in (add_user_routes, add_project_routes, add_key_routes):
        declare_access(api, _NONE)
    return api


def _datasets() -> Api:
    api = datasets_api(_NONE, _NONE, 0)
    add_resumable(api, _NONE)
    add_changes(api, _NONE)
    return api


def _registry() -> Api:
    api = Api("registry", "")
    model_routes(api, _NONE, _NONE)
    for declare in (label_routes, lineage_routes, upstream_routes, mirror_routes):
        declare(api, _NONE)
    return api


def _inference() -> Api:
    api = Api("inference", "")
    chat_routes(api, _NONE, _NONE)
    token_routes(api, _NONE)
    return api


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(whole(), ensure_ascii=False, indent=1), encoding="utf-8")
