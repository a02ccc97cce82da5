"""The object store over plain S3 calls: MinIO, SeaweedFS, AWS and others alike."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.error import S3Error

from kargah.adapters.files import replaced
from kargah.adapters.minio_multipart import MinioMultipart
from kargah.adapters.resuming_reader import Body, ResumingReader
from kargah.adapters.s3_errors import store_errors
from kargah.ports.object_store import ObjectStat, StoreUnavailable

_PART_BYTES = 16 << 20
_READ_BUFFER = 1 << 20
_RETRIED = (500, 502, 503, 504)


class MinioStore(MinioMultipart):
    """One bucket at `endpoint` (`http://host:port`). Safe to share between threads.

    Presigned URLs name `public_endpoint`, for readers and writers that reach the store at another address.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        *,
        region: str = "us-east-1",
        public_endpoint: str | None = None,
    ) -> None:
        """Connects on first use only. Requests are tried up to 5 times within about 6 s."""
        self._bucket = bucket
        retries = urllib3.Retry(
            total=5, backoff_factor=0.2, backoff_max=3, status_forcelist=_RETRIED, allowed_methods=None
        )
        self._client = _client(endpoint, access_key, secret_key, region, _pool(retries, read_seconds=60))
        self._probe = _client(endpoint, access_key, secret_key, region, _pool(urllib3.Retry(0), read_seconds=3))
        # It signs and never connects: the public address need not be reachable from here.
        self._signer = _client(public_endpoint or endpoint, access_key, secret_key, region, urllib3.PoolManager())

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def ensure_bucket(self) -> None:
        """Make the bucket unless it is there. Several may do so at once."""
        with store_errors(self._bucket):
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise

    def put(self, key: str, data: bytes) -> None:
        """Store `data`, whole or not at all."""
        self._put(key, io.BytesIO(data), len(data), _PART_BYTES)

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = _PART_BYTES) -> int:
        """Store `stream` to its end with two parts in memory at most; at least 5 MiB each, at most 10,000."""
        counting = _Counting(stream)
        self._put(key, cast(BinaryIO, counting), -1, part_size)
        return counting.count

    def put_file(self, key: str, path: Path) -> None:
        """Store the file at `path`."""
        with path.open("rb") as source:
            self._put(key, source, path.stat().st_size, _PART_BYTES)

    def get(self, key: str) -> bytes:
        """The whole object, in memory."""
        with self.open(key) as stream:
            return stream.read()

    @contextmanager
    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """A stream of `length` bytes from `offset`, or fewer at the object's end. Resumes when it breaks."""
        found = self.stat(key)
        rest = max(0, found.size - offset)

        def open_at(position: int) -> Body | None:
            return self._read_from(found, offset + position)

        raw = ResumingReader(open_at, rest if length is None else min(rest, length))
        with io.BufferedReader(raw, _READ_BUFFER) as stream:
            yield stream

    def get_file(self, key: str, path: Path) -> None:
        """Write the object to `path`; the file appears whole or not at all."""
        with self.open(key) as stream, replaced(path) as target:
            while chunk := stream.read(_READ_BUFFER):
                target.write(chunk)

    def stat(self, key: str) -> ObjectStat:
        """What the store knows of the object."""
        with store_errors(key):
            found = self._client.stat_object(self._bucket, key)
        return _stat(key, found.size, found.etag, found.last_modified)

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        """Every object whose key starts with `prefix`, page by page; not every store sorts them by key."""
        with store_errors(prefix):
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                if not found.is_dir:
                    yield _stat(str(found.object_name), found.size, found.etag, found.last_modified)

    def copy(self, source: str, target: str) -> None:
        """Copy inside the store, without reading the bytes here: in parts what is too large for one call."""
        with store_errors(source):
            size = self._client.stat_object(self._bucket, source).size or 0
            if size <= self.copied_at_once:
                self._client.copy_object(self._bucket, target, CopySource(self._bucket, source))
                return
        self._copy_in_parts(source, target, size)

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        with store_errors(key):
            self._client.remove_object(self._bucket, key)

    def presign_get(self, key: str, expires: timedelta) -> str:
        """A URL that lets anyone read the object for a while. `ValueError` beyond 15 minutes."""
        return self._presigned("GET", key, expires)

    def check(self) -> None:
        """One quick try, within about 3 s."""
        with store_errors(self._bucket):
            if not self._probe.bucket_exists(self._bucket):
                raise StoreUnavailable(f"there is no bucket {self._bucket!r}")

    def _put(self, key: str, stream: BinaryIO, length: int, part_size: int) -> None:
        # One part after the other: an aborted upload could otherwise be joined by a part still on its way.
        with store_errors(key):
            self._client.put_object(self._bucket, key, stream, length, part_size=part_size, num_parallel_uploads=1)

    def _read_from(self, found: ObjectStat, offset: int) -> Body:
        """`If-Match` keeps a resumed read from going on in an object that was replaced meanwhile."""
        headers: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{found.etag}"'}
        with store_errors(found.key):
            answer = self._client.get_object(self._bucket, found.key, offset=offset, request_headers=headers)
        return cast(Body, answer)


class _Counting(io.RawIOBase):
    """Counts the bytes read through it."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.count += len(data)
        return data


def _client(endpoint: str, access_key: str, secret_key: str, region: str, pool: urllib3.PoolManager) -> Minio:
    url = urlsplit(endpoint)
    if url.scheme not in ("http", "https") or not url.netloc or url.path.strip("/"):
        raise ValueError(f"the object store's endpoint must look like http://host:port, not {endpoint!r}")
    return Minio(
        url.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=url.scheme == "https",
        region=region,
        http_client=pool,
    )


def _pool(retries: urllib3.Retry, *, read_seconds: float) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=3, read=read_seconds)
    return urllib3.PoolManager(num_pools=4, maxsize=32, timeout=timeout, retries=retries)


def _stat(key: str, size: int | None, etag: str | None, modified: datetime | None) -> ObjectStat:
    return ObjectStat(key, size or 0, (etag or "").strip('"'), modified or datetime.fromtimestamp(0, UTC))
