"""What an import from an S3 store needs: a URL for the one object, so that the keys stay with the agent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from kargah.adapters.minio_store import MinioStore
from kargah.domain.kinds import Kind
from worker.agent.config import ImportStore

_URL_LIFE = timedelta(minutes=15)
_SCHEME = "s3://"


class ImportSources:
    """The stores that an administrator has named."""

    def __init__(self, stores: Mapping[str, ImportStore]) -> None:
        self._stores = stores

    def params(self, kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The job's own, and for `s3://STORE/KEY` the object's `url`, None where no store has that name. Nothing that
        the job itself calls `url` is passed on."""
        given = {name: value for name, value in params.items() if kind != Kind.IMPORT or name != "url"}
        source = str(params.get("source", ""))
        if kind == Kind.IMPORT and source.startswith(_SCHEME):
            name, _, key = source.removeprefix(_SCHEME).partition("/")
            given["url"] = self._url(name, key)
        return given

    def _url(self, name: str, key: str) -> str | None:
        known = self._stores.get(name)
        if known is None:
            return None
        store = MinioStore(known.endpoint, known.access_key, known.secret_key, known.bucket, region=known.region)
        return store.presign_get(key, _URL_LIFE)
