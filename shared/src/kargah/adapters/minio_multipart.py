"""Objects in parts, over plain S3 calls.

The minio client has these calls for its own use and names them with an underscore; its version is pinned, and the
contract suite holds each of them to what is expected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import Part as MinioPart
from minio.datatypes import Upload

from kargah.adapters.s3_errors import store_errors
from kargah.ports.object_store import Multipart, ObjectMissing, Part

_LONGEST_PRESIGN = timedelta(minutes=15)
_PAGE = 1000
_LONG_AGO = datetime.fromtimestamp(0, UTC)
_MOST_PARTS = 10_000


class MinioMultipart:
    """The part of `MinioStore` that does `kargah.ports.object_store.MultipartStore`."""

    # A store answers a copy when all of it is copied, and a call may last 60 s: this much is copied in that time at
    # 9 MB/s. The client by itself takes parts of 5 GiB, which a slow store would be asked for again and again.
    copied_at_once = 512 << 20

    _client: Minio
    _signer: Minio
    _bucket: str

    def begin_multipart(self, key: str) -> str:
        """The id of a new upload to `key`."""
        with store_errors(key):
            return self._client._create_multipart_upload(self._bucket, key, {})

    def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        """A URL that lets anyone PUT that part for a while. `ValueError` beyond 15 minutes."""
        return self._presigned("PUT", key, expires, {"partNumber": str(number), "uploadId": upload_id})

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> None:
        """Store a part; sent again, one of them counts."""
        with store_errors(key):
            self._client._upload_part(self._bucket, key, data, None, upload_id, number)

    def copy_part(self, key: str, upload_id: str, number: int, source: str, offset: int, length: int) -> None:
        """Store `length` bytes of another object as a part, inside the store."""
        last = offset + length - 1
        headers: dict[str, str | list[str] | tuple[str]] = {
            **CopySource(self._bucket, source).gen_copy_headers(),
            "x-amz-copy-source-range": f"bytes={offset}-{last}",
        }
        with store_errors(source):
            self._client._upload_part_copy(self._bucket, key, upload_id, number, headers)

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that are there, in the order of their numbers."""
        found: list[MinioPart] = []
        more = True
        while more:
            marker = str(found[-1].part_number) if found else None
            with store_errors(key):
                page = self._client._list_parts(self._bucket, key, upload_id, _PAGE, marker)
            found += page.parts
            more = page.is_truncated and bool(page.parts)
        # SeaweedFS lists a part that was sent again twice.
        found.sort(key=lambda part: (part.part_number, part.last_modified or _LONG_AGO))
        newest = {part.part_number: Part(part.part_number, part.size or 0, part.etag) for part in found}
        return list(newest.values())

    def finish_multipart(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of these parts: whole or not at all."""
        chosen = [MinioPart(part.number, part.etag) for part in parts]
        with store_errors(key):
            self._client._complete_multipart_upload(self._bucket, key, upload_id, chosen)

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Give the parts up; an upload that is not there is no error."""
        try:
            with store_errors(key):
                self._client._abort_multipart_upload(self._bucket, key, upload_id)
        except ObjectMissing:
            return

    def multiparts(self, prefix: str) -> Iterator[Multipart]:
        """Every object under way whose key starts with `prefix`, page by page."""
        last: Upload | None = None
        more = True
        while more:
            with store_errors(prefix):
                page = self._client._list_multipart_uploads(
                    self._bucket,
                    prefix=prefix,
                    max_uploads=_PAGE,
                    key_marker=last.object_name if last else None,
                    upload_id_marker=last.upload_id if last else None,
                )
            for last in page.uploads:
                if last.object_name.startswith(prefix):
                    begun = last.initiated_time or _LONG_AGO
                    yield Multipart(last.object_name, str(last.upload_id), begun)
            more = page.is_truncated and bool(page.uploads)

    def _copy_in_parts(self, source: str, target: str, size: int) -> None:
        upload_id = self.begin_multipart(target)
        try:
            for number, (offset, length) in enumerate(copied_parts(size, self.copied_at_once), start=1):
                self.copy_part(target, upload_id, number, source, offset, length)
            self.finish_multipart(target, upload_id, self.parts(target, upload_id))
        except BaseException:
            self.abort_multipart(target, upload_id)
            raise

    def _presigned(self, method: str, key: str, expires: timedelta, query: dict[str, str] | None = None) -> str:
        if not timedelta(seconds=1) <= expires <= _LONGEST_PRESIGN:
            raise ValueError(f"a presigned URL lasts 1 second to 15 minutes, not {expires}")
        return self._signer.get_presigned_url(
            method, self._bucket, key, expires=expires, extra_query_params=dict(query or {})
        )


def copied_parts(size: int, at_once: int) -> Iterator[tuple[int, int]]:
    """The offset and the length of each part in which an object of `size` bytes is copied: `at_once` bytes each, or
    more where they would be too many."""
    length = max(at_once, -(-size // _MOST_PARTS))
    for offset in range(0, size, length):
        yield offset, min(length, size - offset)
