"""`/internal/jobs/...`: files of checkpoints for the gateway, which knows whose they are and has no key to the store.

The gateway passes nothing on to this address: only the platform's own services come here.
"""

from __future__ import annotations

from flask import Response, request

from kargah.domain.errors import NotFound
from kargah.domain.file_paths import problem_with_path
from kargah.ports.object_store import ObjectMissing, ObjectStore
from kargah.web.api import Api
from kargah.web.file_answer import object_body, send
from registry.blobs.routes import BINARY


def checkpoint_routes(api: Api, store: ObjectStore) -> None:
    """Add the route to `api`."""

    @api.get(
        "/internal/jobs/<job_id>/checkpoints/<path:path>",
        other_statuses=(206, 304, 416),
        produces=BINARY,
        tags=["internal"],
    )
    def get_checkpoint_file(job_id: str, path: str) -> Response:
        """An object of a job's checkpoint; ranges are served"""
        key = f"jobs/{job_id}/checkpoints/{path}"
        if problem_with_path(key) is not None:
            raise NotFound("There is no such file.")
        try:
            found = store.stat(key)
            return send(request, path, found.size, found.etag, object_body(store, key))
        except ObjectMissing as error:
            raise NotFound("There is no such file.") from error
