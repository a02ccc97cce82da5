"""`/hub/<repository>/resolve/<revision>/<path>`: a file's content, or where it is."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from flask import Response, request

from kargah.ports.object_store import ObjectStore
from kargah.web.api import Api
from kargah.web.errors import problem_of
from kargah.web.file_answer import Body, bytes_body, object_body, send
from kargah.web.hub_errors import hub_error
from kargah.web.route import RouteOptions
from registry.blobs.routes import BINARY
from registry.blobs.service import PREFIX as BLOBS
from registry.hub.endpoint import PREFIX
from registry.hub.reader import HubReader, no_entry
from registry.hub.revisions import Place
from registry.mirror.app import Mirroring
from registry.repos.values import DATASETS, MODELS, Entry
from registry.uploaded.service import UploadedDatasets

_EXPIRES = timedelta(minutes=15)
_STATUSES = (206, 302, 304, 416)


def resolve_routes(
    api: Api,
    reader: HubReader,
    store: ObjectStore,
    mirroring: Mirroring,
    uploaded: UploadedDatasets,
    *,
    redirect: bool,
) -> None:
    """Add the routes to `api`. With `redirect` clients fetch LFS files from the object store itself, once they are
    there: what the mirror has yet to fetch is sent from here while it comes."""

    def content(found: Place, entry: Entry) -> tuple[str, Body | None]:
        """The key of a file's object; and what gives its bytes where these are not in the store."""
        if found.uploaded is not None:
            card = uploaded.card(found)
            return ("", bytes_body(card)) if card is not None else (uploaded.key(found.uploaded, entry), None)
        kept, arriving = mirroring.content(found, entry)
        return BLOBS + kept, arriving

    def resolve(kind: str, name: str, place: str) -> Response:
        found, entry = reader.file(kind, name, mirroring.mirror.pin(kind, name, place))
        if entry is None:
            return _absent(found)
        headers = _headers(found, entry)
        key, body = content(found, entry)
        if body is None and redirect and entry.git_sha1 is None and entry.size_bytes > 0:
            location = store.presign_get(key, _EXPIRES)
            return Response(status=302, headers={**headers, "location": location, "etag": f'"{entry.etag}"'})
        response = send(request, found.path, entry.size_bytes, entry.etag, body or object_body(store, key))
        response.headers.update(headers)
        return response

    options = RouteOptions(free_query=True, other_statuses=_STATUSES, produces=BINARY, tags=["hub"])

    @api.get(f"{PREFIX}/<path:name>/resolve/<path:place>", **options)
    def resolve_model_file(name: str, place: str) -> Response:
        """A file of a model's repository, or a redirect to it"""
        return resolve(MODELS, name, place)

    @api.get(f"{PREFIX}/datasets/<path:name>/resolve/<path:place>", **options)
    def resolve_dataset_file(name: str, place: str) -> Response:
        """A file of a dataset's repository, or a redirect to it"""
        return resolve(DATASETS, name, place)


def _headers(place: Place, entry: Entry) -> dict[str, str]:
    name = place.path.rpartition("/")[2]
    headers = {
        "x-repo-commit": place.commit.sha,
        "content-disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}",
    }
    if entry.git_sha1 is None:
        headers |= {"x-linked-etag": f'"{entry.sha256}"', "x-linked-size": str(entry.size_bytes)}
    return headers


def _absent(place: Place) -> Response:
    """The commit goes with it: clients remember for that commit that there is no such file."""
    body = hub_error(problem_of(no_entry(place)))
    headers = {**body.headers, "x-repo-commit": place.commit.sha}
    return Response(body.body, status=body.status, content_type=body.content_type, headers=headers)
