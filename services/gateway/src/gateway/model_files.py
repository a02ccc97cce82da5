"""Links to the files of installed models, for browsers: whoever can say who asks is passed on to the registry."""

from __future__ import annotations

from urllib.parse import quote

from flask import Request, Response

from gateway.catalogue import Catalogue
from gateway.download_slots import DownloadSlots
from gateway.signed_links import SignedLinks
from gateway.stored_files import Opened, StoredFiles
from kargah.contracts.checkpoints import DownloadLink
from kargah.contracts.models import ModelFile
from kargah.domain.errors import NotFound
from kargah.domain.names import is_name
from kargah.ports.object_store import ObjectMissing
from kargah.web.file_answer import send


class ModelFileService:
    """Every method raises NotFound for a model, a version or a file that there is not, and Unavailable."""

    def __init__(self, catalogue: Catalogue, files: StoredFiles, links: SignedLinks, slots: DownloadSlots) -> None:
        self._catalogue = catalogue
        self._files = files
        self._links = links
        self._slots = slots

    def link(self, name: str, path: str, version: str | None) -> DownloadLink:
        """Where a browser gets the file of the version (a number or an alias; the latest without) that this is now."""
        number, _ = self._found(name, path, version)
        model, file = f"/api/models/{quote(name)}", f"{quote(path)}?version={number}"
        return self._links.link(
            _address(name, path, number), f"{model}/files/{file}", f"{model}/signed-files/{file}&signature="
        )

    def signed_file(self, request: Request, name: str, path: str, version: int | None, signature: str) -> Response:
        """The file, or a range of it, by the link of somebody who may still read it. Raises Forbidden, Busy."""
        self._links.enter(_address(name, path, version), signature)
        number, file = self._found(name, path, str(version))
        opened = self._slots.counted(self._files.model_reader(name, number))

        def body(start: int, stop: int) -> Opened:
            try:
                return opened(path, start, stop)
            except ObjectMissing as error:
                raise _absent(name, path) from error

        return send(request, path, file.size_bytes, file.sha256, body)

    def _found(self, name: str, path: str, version: str | None) -> tuple[int, ModelFile]:
        """The version's number, and the file."""
        location = self._catalogue.model(name, version) if is_name(name) else None
        files = [] if location is None else location.version.files
        file = next((one for one in files if one.path == path), None)
        if location is None or file is None:
            raise _absent(name, path)
        return location.version.version, file


def _address(name: str, path: str, version: int | None) -> str:
    return f"/api/models/{name}/files/{path}?version={version}"


def _absent(name: str, path: str) -> NotFound:
    return NotFound(f"There is no file {path!r} of {name!r}.", hint=f"GET /api/models/{name} lists the files.")
